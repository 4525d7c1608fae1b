/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "node/mount_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/mountinfo.h"

/* ---- what holds data ----------------------------------------------------- */

/* Made by the kernel, kept in memory, or full by nature. */
static bool holds_no_data(const char *type) {
  static const char *const types[] = {
      "aufs",       "autofs",        "binfmt_misc", "bpf",
      "cgroup",     "cgroup2",       "configfs",    "cramfs",
      "debugfs",    "devfs",         "devpts",      "devtmpfs",
      "efivarfs",   "erofs",         "fusectl",     "fuse.gvfsd-fuse",
      "fuse.lxcfs", "fuse.portal",   "hugetlbfs",   "iso9660",
      "mqueue",     "nfsd",          "nsfs",        "overlay",
      "proc",       "pstore",        "ramfs",       "romfs",
      "rootfs",     "rpc_pipefs",    "securityfs",  "selinuxfs",
      "squashfs",   "fuse.snapfuse", "sysfs",       "tmpfs",
      "tracefs",    "udf",
  };
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
    if (strcmp(type, types[i]) == 0)
      return true;
  return false;
}

/* The root of a container is an overlay, and all the data there is. */
static bool is_data(const char *point, const char *type) {
  return !holds_no_data(type) ||
         (strcmp(type, "overlay") == 0 && strcmp(point, "/") == 0);
}

/* The point without the prefix; NULL: it does not lie there. */
static const char *below(const char *point, const char *rootfs) {
  size_t len = strlen(rootfs);
  while (len > 0 && rootfs[len - 1] == '/')
    len--;
  if (strncmp(point, rootfs, len) != 0)
    return NULL;
  if (len == 0)
    return point;
  return point[len] == '/' ? point + len : point[len] == '\0' ? "/" : NULL;
}

/* ---- the list ------------------------------------------------------------ */

static void clear_entry(tally_mount_entry_t *entry) {
  free(entry->number);
  free(entry->point);
  free(entry->device);
  free(entry->type);
  *entry = (tally_mount_entry_t){0};
}

static int fill_entry(tally_mount_entry_t *entry, const tally_mount_t *mount,
                      const char *point) {
  *entry = (tally_mount_entry_t){
      .number = strdup(mount->number),
      .point = strdup(point),
      .device = strdup(mount->source),
      .type = strdup(mount->type),
      .whole = strcmp(mount->root, "/") == 0,
      .read_only = tally_mountinfo_has_option(mount->mount_options, "ro") ||
                   tally_mountinfo_has_option(mount->options, "ro"),
  };
  if (entry->number != NULL && entry->point != NULL && entry->device != NULL &&
      entry->type != NULL)
    return 0;
  clear_entry(entry);
  return -1;
}

/* Of several mounts of one device. */
static bool is_better(const tally_mount_entry_t *known,
                      const tally_mount_t *mount, const char *point) {
  bool whole = strcmp(mount->root, "/") == 0;
  if (whole != known->whole)
    return whole;
  return strlen(point) < strlen(known->point);
}

/* What is mounted later at the same place hides what was there. */
static void hide(tally_mount_list_t *list, const char *point) {
  for (size_t i = 0; i < list->count; i++)
    if (strcmp(list->entries[i].point, point) == 0) {
      clear_entry(&list->entries[i]);
      list->entries[i] = list->entries[--list->count];
      return;
    }
}

static int add(tally_mount_list_t *list, const tally_mount_t *mount,
               const char *point) {
  tally_mount_entry_t *entry = NULL;
  for (size_t i = 0; i < list->count && entry == NULL; i++)
    if (strcmp(list->entries[i].number, mount->number) == 0)
      entry = &list->entries[i];
  if (entry != NULL) {
    if (!is_better(entry, mount, point))
      return 0;
    tally_mount_entry_t better;
    if (fill_entry(&better, mount, point) != 0)
      return -1;
    clear_entry(entry);
    *entry = better;
    return 0;
  }

  if (list->count == TALLY_MOUNTS_MAX)
    return 0;
  if (list->count == list->size) {
    size_t size = list->size > 0 ? 2 * list->size : 8;
    tally_mount_entry_t *grown =
        realloc(list->entries, size * sizeof(*list->entries));
    if (grown == NULL)
      return -1;
    list->entries = grown;
    list->size = size;
  }
  if (fill_entry(&list->entries[list->count], mount, point) != 0)
    return -1;
  list->count++;
  return 0;
}

static int add_line(tally_mount_list_t *list, char *line, const char *rootfs) {
  tally_mount_t mount;
  if (!tally_mountinfo_parse(line, &mount))
    return 0;
  const char *point = below(mount.point, rootfs);
  if (point == NULL)
    return 0;
  hide(list, point);
  return is_data(point, mount.type) ? add(list, &mount, point) : 0;
}

int tally_mount_list_read(tally_mount_list_t *list, const char *path,
                          const char *rootfs, tally_error_t *err) {
  tally_autofclose FILE *stream = fopen(path, "re");
  if (stream == NULL)
    return tally_error_set(err, errno, "open `%s'", path);
  char line[8192]; /* longer ones are overlays of many layers: no data */
  bool begins = true;
  while (fgets(line, sizeof(line), stream) != NULL) {
    bool whole = strchr(line, '\n') != NULL;
    if (begins && whole && add_line(list, line, rootfs) != 0)
      return tally_error_set(err, ENOMEM, "mounts");
    begins = whole;
  }
  return 0;
}

void tally_mount_list_clear(tally_mount_list_t *list) {
  for (size_t i = 0; i < list->count; i++)
    clear_entry(&list->entries[i]);
  free(list->entries);
  *list = (tally_mount_list_t){0};
}
