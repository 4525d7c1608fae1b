/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cgroup/hierarchy.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mountinfo.h"
#include "core/cleanup.h"

/* How each controller is called; v1 has another name for one of them. */
static const struct {
  const char *v1, *v2;
} names[TALLY_CONTROLLERS] = {
    [TALLY_CONTROLLER_CPU] = {"cpu", "cpu"},
    [TALLY_CONTROLLER_CPUACCT] = {"cpuacct", NULL},
    [TALLY_CONTROLLER_CPUSET] = {"cpuset", "cpuset"},
    [TALLY_CONTROLLER_MEMORY] = {"memory", "memory"},
    [TALLY_CONTROLLER_IO] = {"blkio", "io"},
    [TALLY_CONTROLLER_PIDS] = {"pids", "pids"},
    [TALLY_CONTROLLER_UNIFIED] = {NULL, NULL},
};

const char *tally_controller_name(tally_controller_t controller) {
  if (controller == TALLY_CONTROLLER_UNIFIED)
    return "unified";
  if ((unsigned)controller >= TALLY_CONTROLLERS)
    return "unknown";
  return names[controller].v2 ? names[controller].v2 : names[controller].v1;
}

/* ---- which cgroup a mount shows ------------------------------------------ */

/* Counts the "/.." at the beginning of a path and skips them. */
static size_t skip_parents(const char **path) {
  size_t count = 0;
  while (strncmp(*path, "/..", 3) == 0 &&
         ((*path)[3] == '/' || (*path)[3] == '\0')) {
    *path += 3;
    count++;
  }
  return count;
}

const char *tally_hierarchy_below(const tally_hierarchy_t *hierarchy,
                                  const char *path) {
  const char *root = hierarchy->root;
  if (skip_parents(&root) != skip_parents(&path))
    return NULL;
  if (strcmp(root, "/") == 0)
    root = "";
  if (strcmp(path, "/") == 0)
    path = "";

  size_t len = strlen(root);
  if (strncmp(path, root, len) != 0 || (path[len] != '/' && path[len] != '\0'))
    return NULL;
  return path + len;
}

/* The more of the hierarchy a mount shows, the better it is. */
static int reach(const char *root) {
  int up = (int)skip_parents(&root);
  int down = 0;
  for (const char *p = root; *p != '\0'; p++)
    down += p[0] == '/' && p[1] != '\0';
  return up - down;
}

/* ---- finding the mounts -------------------------------------------------- */

/* Whether a cgroup hierarchy is mounted at `point`: each of its directories has
 * this file, in every kernel. */
static bool is_hierarchy(const char *point, int version) {
  char path[PATH_MAX];
  int n = snprintf(path, sizeof(path), "%s/%s", point,
                   version == 1 ? "tasks" : "cgroup.procs");
  return n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0;
}

/* Takes the mount for a controller unless there is a better one already. */
static int offer(tally_hierarchy_t *at, int version, const char *point,
                 const char *root) {
  if (at->version == version && reach(at->root) >= reach(root))
    return 0;
  if (at->version == 1 && version == 2)
    return 0; /* hybrid: v2 counts CPU time too, where containers may not be */

  char *mount_copy = strdup(point);
  char *root_copy = strdup(root);
  if (mount_copy == NULL || root_copy == NULL) {
    free(mount_copy);
    free(root_copy);
    return -1;
  }
  free(at->mount);
  free(at->root);
  *at = (tally_hierarchy_t){version, mount_copy, root_copy};
  return 0;
}

static int offer_v1(tally_cgroup_host_t *host, const tally_mount_t *mount,
                    const char *point) {
  for (size_t i = 0; i < TALLY_CONTROLLERS; i++) {
    if (names[i].v1 == NULL ||
        !tally_mountinfo_has_option(mount->options, names[i].v1))
      continue;
    if (offer(&host->at[i], 1, point, mount->root) != 0)
      return -1;
  }
  return 0;
}

static bool has_word(const char *text, const char *word) {
  size_t len = strlen(word);
  for (const char *p = text; (p = strstr(p, word)) != NULL; p += len) {
    bool begins = p == text || p[-1] == ' ';
    if (begins && (p[len] == ' ' || p[len] == '\n' || p[len] == '\0'))
      return true;
  }
  return false;
}

static int offer_v2(tally_cgroup_host_t *host, const tally_mount_t *mount,
                    const char *point) {
  char path[PATH_MAX], controllers[1024] = "";
  int n = snprintf(path, sizeof(path), "%s/cgroup.controllers", point);
  if (n < 0 || (size_t)n >= sizeof(path) ||
      tally_file_read(path, controllers, sizeof(controllers), NULL) < 0)
    return 0; /* not readable: nobody's controllers */

  for (size_t i = 0; i < TALLY_CONTROLLERS; i++) {
    /* CPU time and pressure are counted without any controller. */
    if (names[i].v2 != NULL && !has_word(controllers, names[i].v2))
      continue;
    if (offer(&host->at[i], 2, point, mount->root) != 0)
      return -1;
  }
  return 0;
}

/* One mount of a mountinfo file. `prefix` is put in front of the mount point;
 * `below`: only mounts below this directory count. */
static int consider(tally_cgroup_host_t *host, const tally_mount_t *mount,
                    const char *prefix, const char *below) {
  int version = strcmp(mount->type, "cgroup") == 0    ? 1
                : strcmp(mount->type, "cgroup2") == 0 ? 2
                                                      : 0;
  if (version == 0)
    return 0;

  size_t len = strlen(below);
  if (strncmp(mount->point, below, len) != 0 ||
      (len > 0 && mount->point[len] != '/'))
    return 0;

  char point[PATH_MAX];
  int n = snprintf(point, sizeof(point), "%s%s", prefix, mount->point);
  if (n < 0 || (size_t)n >= sizeof(point) || !is_hierarchy(point, version))
    return 0;
  return version == 1 ? offer_v1(host, mount, point)
                      : offer_v2(host, mount, point);
}

/* -1: out of memory, or the file is not readable (errno). */
static int scan_mountinfo(tally_cgroup_host_t *host, const char *file,
                          const char *prefix, const char *below) {
  tally_autofclose FILE *stream = fopen(file, "re");
  if (stream == NULL)
    return -1;

  char line[8192];
  bool whole = true; /* the previous line was not cut */
  while (fgets(line, sizeof(line), stream) != NULL) {
    bool begins = whole;
    whole = strchr(line, '\n') != NULL;
    tally_mount_t mount;
    /* Cut lines belong to overlays with many layers, never to cgroups. */
    if (begins && whole && tally_mountinfo_parse(line, &mount) &&
        consider(host, &mount, prefix, below) != 0) {
      errno = ENOMEM;
      return -1;
    }
  }
  return 0;
}

static bool found_any(const tally_cgroup_host_t *host) {
  for (size_t i = 0; i < TALLY_CONTROLLERS; i++)
    if (host->at[i].version != 0)
      return true;
  return false;
}

static int find_hierarchies(tally_cgroup_host_t *host, tally_error_t *err) {
  static const char own[] = "/proc/self/mountinfo";
  if (scan_mountinfo(host, own, "", host->rootfs) != 0)
    return tally_error_set(err, errno, "read `%s'", own);

  if (host->rootfs[0] != '\0') {
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/proc/1/mountinfo", host->rootfs);
    if (scan_mountinfo(host, path, host->rootfs, "") != 0 && errno == ENOMEM)
      return tally_error_set(err, errno, "read `%s'", path);
    if (scan_mountinfo(host, own, host->rootfs, "") != 0)
      return tally_error_set(err, errno, "read `%s'", own);
  }
  if (!found_any(host))
    return tally_error_set(err, ENOENT,
                           "no cgroup hierarchy is mounted below `%s/'",
                           host->rootfs);
  return 0;
}

static const char *mode_of(const tally_cgroup_host_t *host) {
  bool v1 = false;
  for (size_t i = 0; i < TALLY_CONTROLLERS; i++)
    v1 = v1 || host->at[i].version == 1;
  bool v2 = host->at[TALLY_CONTROLLER_UNIFIED].version == 2;
  return v1 && v2 ? "hybrid" : v1 ? "v1" : "v2";
}

/* ---- the object ---------------------------------------------------------- */

tally_cgroup_host_t *tally_cgroup_host_create(const char *rootfs,
                                              tally_error_t *err) {
  if (rootfs == NULL)
    rootfs = "";
  size_t len = strlen(rootfs);
  while (len > 0 && rootfs[len - 1] == '/')
    len--; /* "/" is no prefix, "/rootfs/" is "/rootfs" */

  tally_cgroup_host_t *host = calloc(1, sizeof(*host));
  if (host == NULL || (host->rootfs = strndup(rootfs, len)) == NULL) {
    free(host);
    tally_error_set(err, ENOMEM, "cgroup hierarchies");
    return NULL;
  }
  pthread_mutex_init(&host->lock, NULL);

  if (find_hierarchies(host, err) != 0) {
    tally_cgroup_host_destroy(host);
    return NULL;
  }
  host->mode = mode_of(host);
  host->hint = tally_hierarchy_hint(host);
  return host;
}

void tally_cgroup_host_destroy(tally_cgroup_host_t *host) {
  if (host == NULL)
    return;
  for (size_t i = 0; i < TALLY_CONTROLLERS; i++) {
    free(host->at[i].mount);
    free(host->at[i].root);
  }
  for (size_t i = 0; i < host->places_count; i++) {
    free(host->places[i].prefix);
    free(host->places[i].suffix);
  }
  pthread_mutex_destroy(&host->lock);
  free(host->hint);
  free(host->rootfs);
  free(host);
}

const char *tally_cgroup_host_rootfs(const tally_cgroup_host_t *host) {
  return host->rootfs;
}

int tally_cgroup_host_version(const tally_cgroup_host_t *host,
                              tally_controller_t controller) {
  return host->at[controller].version;
}

const char *tally_cgroup_host_mode(const tally_cgroup_host_t *host) {
  return host->mode;
}

const char *tally_cgroup_host_hint(const tally_cgroup_host_t *host) {
  return host->hint;
}
