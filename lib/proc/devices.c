/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "proc/proc.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"

/* A number may be given to another device when the first one was unplugged. */
#define LOOK_AGAIN_NS (60 * TALLY_NS_PER_S)

/* A host does not have more, and what is beyond goes by its numbers. */
#define DEVICES_MAX 4096

#define NAME_SIZE 64

typedef struct name_s {
  struct name_s *next;
  char text[NAME_SIZE];
} name_t;

typedef struct {
  uint32_t major, minor;
  uint64_t looked_at_ns;
  const name_t *name;
} device_t;

struct tally_devices_s {
  device_t *devices;
  size_t count;
  name_t *names; /* all that were ever handed out: their texts live on */
  char rootfs[];
};

tally_devices_t *tally_devices_create(const char *rootfs) {
  if (rootfs == NULL)
    rootfs = "";
  size_t size = strlen(rootfs) + 1;
  tally_devices_t *devices = calloc(1, sizeof(*devices) + size);
  if (devices != NULL)
    memcpy(devices->rootfs, rootfs, size);
  return devices;
}

void tally_devices_destroy(tally_devices_t *devices) {
  if (devices == NULL)
    return;
  while (devices->names != NULL) {
    name_t *name = devices->names;
    devices->names = name->next;
    free(name);
  }
  free(devices->devices);
  free(devices);
}

/* The last component of where /sys/dev/block/MAJOR:MINOR leads to. */
static bool look_up(const char *rootfs, uint32_t major, uint32_t minor,
                    char name[NAME_SIZE]) {
  char path[PATH_MAX], target[PATH_MAX];
  int n = snprintf(path, sizeof(path), "%s/sys/dev/block/%u:%u", rootfs, major,
                   minor);
  if (n < 0 || (size_t)n >= sizeof(path))
    return false;
  ssize_t len = readlink(path, target, sizeof(target) - 1);
  if (len <= 0)
    return false;
  target[len] = '\0';
  const char *last = strrchr(target, '/');
  n = snprintf(name, NAME_SIZE, "%s", last ? last + 1 : target);
  return n > 0 && n < NAME_SIZE;
}

/* An equal text that exists already, or a new one. NULL: out of memory. */
static const name_t *intern(tally_devices_t *devices, const char *text) {
  for (const name_t *n = devices->names; n != NULL; n = n->next)
    if (strcmp(n->text, text) == 0)
      return n;
  name_t *name = calloc(1, sizeof(*name));
  if (name == NULL)
    return NULL;
  snprintf(name->text, sizeof(name->text), "%s", text);
  name->next = devices->names;
  devices->names = name;
  return name;
}

static device_t *find(tally_devices_t *devices, uint32_t major,
                      uint32_t minor) {
  for (size_t i = 0; i < devices->count; i++)
    if (devices->devices[i].major == major &&
        devices->devices[i].minor == minor)
      return &devices->devices[i];

  if (devices->count == DEVICES_MAX)
    return NULL;
  device_t *grown = realloc(devices->devices,
                            (devices->count + 1) * sizeof(*devices->devices));
  if (grown == NULL)
    return NULL;
  devices->devices = grown;
  grown[devices->count] = (device_t){.major = major, .minor = minor};
  return &grown[devices->count++];
}

const char *tally_devices_name(tally_devices_t *devices, uint32_t major,
                               uint32_t minor) {
  device_t *device = find(devices, major, minor);
  if (device == NULL)
    return "other";

  uint64_t now = tally_clock_monotonic_ns();
  if (device->name != NULL && now - device->looked_at_ns < LOOK_AGAIN_NS)
    return device->name->text;

  char text[NAME_SIZE];
  if (!look_up(devices->rootfs, major, minor, text) &&
      (devices->rootfs[0] == '\0' || !look_up("", major, minor, text)))
    snprintf(text, sizeof(text), "%u-%u", major, minor);
  device->name = intern(devices, text);
  device->looked_at_ns = now;
  return device->name != NULL ? device->name->text : "other";
}
