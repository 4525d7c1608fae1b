/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "farm_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cleanup.h"

static int complain(const char *verb, const char *mount, const char *path) {
  fprintf(stderr, "cgroup_farm: %s %s/%s: %s\n", verb, mount, path,
          strerror(errno));
  return -1;
}

/* ---- small files --------------------------------------------------------- */

/* Length, or -1. */
static ssize_t read_at(int dir, const char *file, char *text, size_t size) {
  tally_autoclose int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return -1;
  ssize_t len = read(fd, text, size - 1);
  text[len > 0 ? len : 0] = '\0';
  return len;
}

static int write_at(int dir, const char *file, const char *text) {
  tally_autoclose int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return -1;
  return write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

/* Copies a setting of the v1 cpuset from one directory to another. */
static int inherit(int from, int to, const char *file) {
  char text[4096];
  if (read_at(from, file, text, sizeof(text)) < 0)
    return -1;
  return write_at(to, file, text);
}

/* ---- v2 controllers ------------------------------------------------------ */

/* Hands all controllers of `dir` on to its children. Returns those that were
 * not handed on before, as text that takes them back ("-cpu -memory "). */
static char *enable_controllers(int dir) {
  char available[512], enabled[514] = " ";
  if (read_at(dir, "cgroup.controllers", available, sizeof(available)) < 0)
    return NULL;
  ssize_t len =
      read_at(dir, "cgroup.subtree_control", enabled + 1, sizeof(enabled) - 2);
  if (len > 0)
    enabled[len] = ' '; /* in place of the newline */

  char *undo = calloc(1, 2 * sizeof(available));
  if (undo == NULL)
    return NULL;
  char *rest = NULL;
  for (char *name = strtok_r(available, " \n", &rest); name != NULL;
       name = strtok_r(NULL, " \n", &rest)) {
    char word[66];
    snprintf(word, sizeof(word), " %.63s ", name);
    if (strstr(enabled, word) != NULL)
      continue;
    snprintf(word, sizeof(word), "+%.63s", name);
    if (write_at(dir, "cgroup.subtree_control", word) == 0) {
      strcat(undo, "-");
      strcat(undo, name);
      strcat(undo, " ");
    }
  }
  return undo;
}

/* ---- the hierarchies ----------------------------------------------------- */

static bool is_known(const farm_cgroups_t *cgroups, const char *mount) {
  struct stat known, found;
  if (stat(mount, &found) != 0)
    return true; /* nothing that we could use */
  for (size_t i = 0; i < cgroups->count; i++) {
    if (stat(cgroups->hierarchy[i].mount, &known) == 0 &&
        known.st_dev == found.st_dev)
      return true;
  }
  return false;
}

/* Lines look so (proc_pid_mountinfo(5)), with optional fields before the "-":
 *   31 25 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory */
static void find_hierarchies(farm_cgroups_t *cgroups) {
  tally_autofclose FILE *f = fopen("/proc/self/mountinfo", "re");
  tally_autofree char *line = NULL;
  size_t size = 0;
  while (f != NULL && getline(&line, &size, f) > 0 &&
         cgroups->count < FARM_HIERARCHIES_MAX) {
    char root[8], mount[256], type[32], options[256];
    const char *right = strstr(line, " - ");
    if (right == NULL ||
        sscanf(line, "%*d %*d %*s %7s %255s", root, mount) != 2 ||
        sscanf(right, " - %31s %*s %255s", type, options) != 2)
      continue;
    bool unified = strcmp(type, "cgroup2") == 0;
    if ((!unified && strcmp(type, "cgroup") != 0) || strcmp(root, "/") != 0 ||
        is_known(cgroups, mount))
      continue;
    farm_hierarchy_t *h = &cgroups->hierarchy[cgroups->count];
    h->mount = strdup(mount);
    if (h->mount == NULL)
      break;
    h->unified = unified;
    h->cpuset = !unified && strstr(options, "cpuset") != NULL;
    h->parent = -1;
    cgroups->count++;
  }
}

/* A directory below `dir` that processes and children can be put into. */
static int make_directory(const farm_hierarchy_t *h, int dir,
                          const char *name) {
  if (mkdirat(dir, name, 0755) != 0)
    return complain("mkdir", h->mount, name);
  int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return complain("open", h->mount, name);
  if (h->cpuset && (inherit(dir, fd, "cpuset.cpus") != 0 ||
                    inherit(dir, fd, "cpuset.mems") != 0)) {
    complain("set the CPUs of", h->mount, name);
    close(fd);
    return -1;
  }
  return fd;
}

static int open_hierarchy(farm_cgroups_t *cgroups, farm_hierarchy_t *h) {
  tally_autoclose int root = open(h->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0)
    return complain("open", h->mount, "");
  if (h->unified)
    cgroups->enabled = enable_controllers(root);
  h->parent = make_directory(h, root, cgroups->name);
  if (h->parent >= 0 && h->unified)
    free(enable_controllers(h->parent));
  return h->parent < 0 ? -1 : 0;
}

int farm_cgroups_open(farm_cgroups_t *cgroups, const char *name) {
  *cgroups = (farm_cgroups_t){.count = 0};
  snprintf(cgroups->name, sizeof(cgroups->name), "%s", name);
  find_hierarchies(cgroups);
  if (cgroups->count == 0) {
    fprintf(stderr, "cgroup_farm: this host has no cgroup hierarchy\n");
    return -1;
  }
  for (size_t i = 0; i < cgroups->count; i++) {
    if (open_hierarchy(cgroups, &cgroups->hierarchy[i]) != 0)
      return -1;
  }
  return 0;
}

void farm_cgroups_close(farm_cgroups_t *cgroups) {
  for (size_t i = 0; i < cgroups->count; i++) {
    farm_hierarchy_t *h = &cgroups->hierarchy[i];
    tally_autoclose int root =
        open(h->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (h->parent >= 0) {
      close(h->parent);
      if (unlinkat(root, cgroups->name, AT_REMOVEDIR) != 0)
        complain("rmdir", h->mount, cgroups->name);
    }
    if (h->unified && cgroups->enabled != NULL)
      write_at(root, "cgroup.subtree_control", cgroups->enabled);
    free(h->mount);
  }
  free(cgroups->enabled);
  cgroups->count = 0;
}

int farm_cgroups_add(farm_cgroups_t *cgroups, const char *id, pid_t pid) {
  char text[16];
  snprintf(text, sizeof(text), "%d", (int)pid);
  for (size_t i = 0; i < cgroups->count; i++) {
    const farm_hierarchy_t *h = &cgroups->hierarchy[i];
    tally_autoclose int dir = make_directory(h, h->parent, id);
    if (dir < 0)
      return -1;
    if (write_at(dir, "cgroup.procs", text) != 0)
      return complain("move a process to", h->mount, id);
  }
  return 0;
}

void farm_cgroups_remove(farm_cgroups_t *cgroups, const char *id) {
  for (size_t i = 0; i < cgroups->count; i++) {
    const farm_hierarchy_t *h = &cgroups->hierarchy[i];
    /* ENOENT: the farm was ended while it was being set up. */
    if (h->parent >= 0 && unlinkat(h->parent, id, AT_REMOVEDIR) != 0 &&
        errno != ENOENT)
      complain("rmdir", h->mount, id);
  }
}
