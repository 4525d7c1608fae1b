/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "node/identity.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include "core/cleanup.h"
#include "core/file.h"

#define ID_LEN 64

void tally_node_container_fingerprint(const char *container_id,
                                      char uuid[TALLY_UUID_SIZE]) {
  /* 12345678-1234-5678-1234-567812345678 */
  static const uuid_t namespace = {0x12, 0x34, 0x56, 0x78, 0x12, 0x34,
                                   0x56, 0x78, 0x12, 0x34, 0x56, 0x78,
                                   0x12, 0x34, 0x56, 0x78};
  char name[128];
  int len = snprintf(name, sizeof(name), "/docker/%.100s", container_id);
  uuid_t out;
  uuid_generate_sha1(out, namespace, name, (size_t)len);
  uuid_unparse_lower(out, uuid);
}

/* The first line of a file without blanks at its ends, if there is any. */
static bool first_line(const char *path, char *line, size_t size) {
  char text[256];
  if (tally_file_read(path, text, sizeof(text), NULL) <= 0)
    return false;
  text[strcspn(text, "\n")] = '\0';

  char *begin = text + strspn(text, " \t\r");
  size_t len = strlen(begin);
  while (len > 0 && strchr(" \t\r", begin[len - 1]) != NULL)
    len--;
  if (len == 0 || len >= size)
    return false;
  memcpy(line, begin, len);
  line[len] = '\0';
  return true;
}

int tally_node_system_uuid(const char *rootfs, char *uuid, size_t size,
                           tally_error_t *err) {
  static const char *const files[] = {
      "/sys/class/dmi/id/product_uuid",
      "/proc/device-tree/system-id",
      "/proc/device-tree/vm,uuid",
      "/etc/machine-id",
  };
  if (rootfs == NULL)
    rootfs = "";
  for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s%s", rootfs, files[i]);
    if (n > 0 && (size_t)n < sizeof(path) && first_line(path, uuid, size))
      return 0;
  }
  return tally_error_set(err, ENOENT, "no identity of this system below `%s/'",
                         rootfs);
}

/* ---- the container we run in --------------------------------------------- */

/* The last run of exactly 64 hex digits in a text. */
static bool last_id(const char *text, char id[ID_LEN + 1]) {
  bool found = false;
  while (*text != '\0') {
    size_t len = strspn(text, "0123456789abcdef");
    if (len == ID_LEN) {
      memcpy(id, text, ID_LEN);
      id[ID_LEN] = '\0';
      found = true;
    }
    text += len > 0 ? len : 1;
  }
  return found;
}

/* The lines of a file of /proc/self; stops at the first that `look` takes. */
static bool search_lines(const char *path,
                         bool (*look)(char *line, char id[ID_LEN + 1]),
                         char id[ID_LEN + 1]) {
  tally_autofclose FILE *stream = fopen(path, "re");
  if (stream == NULL)
    return false;
  char line[8192]; /* longer ones (overlays) come in pieces, which do no harm */
  while (fgets(line, sizeof(line), stream) != NULL)
    if (look(line, id))
      return true;
  return false;
}

/* "4:memory:/docker/ID". The last id counts: in a container inside a container
 * it is ours. */
static bool look_at_cgroup(char *line, char id[ID_LEN + 1]) {
  return last_id(line, id);
}

/* "… /var/lib/docker/containers/ID/hostname /etc/hostname …": in a private
 * cgroup namespace the path above says nothing, but Docker mounts these files.
 * (On the host itself such paths are mount points and not what is mounted.) */
static bool look_at_mount(char *line, char id[ID_LEN + 1]) {
  char *save = NULL, *field[5];
  for (size_t i = 0; i < 5; i++) {
    field[i] = strtok_r(i == 0 ? line : NULL, " \n", &save);
    if (field[i] == NULL)
      return false;
  }
  const char *root = field[3], *point = field[4]; /* proc_pid_mountinfo(5) */
  bool by_docker = strcmp(point, "/etc/hostname") == 0 ||
                   strcmp(point, "/etc/hosts") == 0 ||
                   strcmp(point, "/etc/resolv.conf") == 0;
  return by_docker && strstr(root, "/containers/") != NULL && last_id(root, id);
}

void tally_node_find_own_container(const char *proc_self, char id[65]) {
  id[0] = '\0';
  char path[PATH_MAX];
  snprintf(path, sizeof(path), "%s/cgroup", proc_self);
  if (search_lines(path, look_at_cgroup, id))
    return;
  snprintf(path, sizeof(path), "%s/mountinfo", proc_self);
  (void)search_lines(path, look_at_mount, id);
}

void tally_node_own_container(char id[65]) {
  tally_node_find_own_container("/proc/self", id);
}
