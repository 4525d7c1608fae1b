/* SPDX-License-Identifier: MIT */
/*
 * Where a container lives: first by asking its process, then by looking into
 * the directories where containers of this host are known to live, and as the
 * last resort (we are in a cgroup namespace and cannot see the names above our
 * own) by walking the hierarchy.
 */
#include "config.h"

#include "cgroup/hierarchy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mountinfo.h"
#include "core/cleanup.h"

#define ID_LEN 64

/* Where Docker puts containers unless it is told otherwise (--cgroup-parent):
 * the cgroupfs driver and the systemd driver. */
static const struct {
  const char *prefix, *suffix;
} usual_places[] = {
    {"/docker/", ""},
    {"/system.slice/docker-", ".scope"},
};

/* How deep the walk goes, and how many directories it looks at. */
#define WALK_DEPTH_MAX 10
#define WALK_DIRECTORIES_MAX 20000

static bool is_id(const char *id) {
  return strlen(id) == ID_LEN && strspn(id, "0123456789abcdef") == ID_LEN;
}

/* Length of `path` up to the end of the component that contains the id; 0 if
 * there is none. */
static size_t container_part(const char *path, const char *id) {
  const char *p = strstr(path, id);
  if (p == NULL)
    return 0;
  p += ID_LEN;
  return (size_t)(p - path) + strcspn(p, "/");
}

static bool is_directory(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Sets the directory of one controller if it exists. -1: out of memory. */
static int take(const tally_cgroup_host_t *host, tally_controller_t controller,
                const char *below, tally_cgroup_paths_t *paths) {
  const tally_hierarchy_t *at = &host->at[controller];
  char dir[PATH_MAX];
  int n = snprintf(dir, sizeof(dir), "%s%s", at->mount, below);
  if (n < 0 || (size_t)n >= sizeof(dir) || !is_directory(dir))
    return 0;

  paths->dir[controller] = strdup(dir);
  if (paths->dir[controller] == NULL)
    return -1;
  paths->version[controller] = at->version;
  return 0;
}

static bool found_any(const tally_cgroup_paths_t *paths) {
  for (size_t i = 0; i < TALLY_CONTROLLERS; i++)
    if (paths->dir[i] != NULL)
      return true;
  return false;
}

/* ---- places -------------------------------------------------------------- */

static bool knows_place(const tally_cgroup_host_t *host, const char *prefix,
                        size_t prefix_len, const char *suffix) {
  for (size_t i = 0; i < host->places_count; i++) {
    const tally_place_t *p = &host->places[i];
    if (strlen(p->prefix) == prefix_len &&
        memcmp(p->prefix, prefix, prefix_len) == 0 &&
        strcmp(p->suffix, suffix) == 0)
      return true;
  }
  return false;
}

/* Remembers in which directory a container was found. `below` ends with the
 * container's own component. Failing to remember costs nothing but speed. */
static void learn_place(tally_cgroup_host_t *host, const char *below,
                        const char *id) {
  const char *p = strstr(below, id);
  if (p == NULL)
    return;

  size_t prefix_len = (size_t)(p - below);
  const char *suffix = p + ID_LEN;
  pthread_mutex_lock(&host->lock);
  if (!knows_place(host, below, prefix_len, suffix)) {
    tally_place_t place = {strndup(below, prefix_len), strdup(suffix)};
    if (place.prefix == NULL || place.suffix == NULL) {
      free(place.prefix);
      free(place.suffix);
    } else if (host->places_count < TALLY_PLACES_MAX) {
      host->places[host->places_count++] = place;
    } else {
      tally_place_t *oldest = &host->places[host->places_next];
      host->places_next = (host->places_next + 1) % TALLY_PLACES_MAX;
      free(oldest->prefix);
      free(oldest->suffix);
      *oldest = place;
    }
  }
  pthread_mutex_unlock(&host->lock);
}

/* Looks for the id in one place, in every hierarchy. -1: out of memory. */
static int look_in_place(const tally_cgroup_host_t *host, const char *prefix,
                         const char *suffix, const char *id,
                         tally_cgroup_paths_t *paths) {
  char below[PATH_MAX];
  int n = snprintf(below, sizeof(below), "%s%s%s", prefix, id, suffix);
  if (n < 0 || (size_t)n >= sizeof(below))
    return 0;
  for (tally_controller_t c = 0; c < TALLY_CONTROLLERS; c++)
    if (host->at[c].version != 0 && paths->dir[c] == NULL &&
        take(host, c, below, paths) != 0)
      return -1;
  return 0;
}

static int look_in_places(tally_cgroup_host_t *host, const char *id,
                          tally_cgroup_paths_t *paths) {
  int status = 0;
  pthread_mutex_lock(&host->lock);
  for (size_t i = 0; status == 0 && i < host->places_count; i++)
    status = look_in_place(host, host->places[i].prefix, host->places[i].suffix,
                           id, paths);
  pthread_mutex_unlock(&host->lock);

  size_t usual = sizeof(usual_places) / sizeof(usual_places[0]);
  for (size_t i = 0; status == 0 && i < usual; i++)
    status = look_in_place(host, usual_places[i].prefix, usual_places[i].suffix,
                           id, paths);
  return status;
}

/* ---- the process --------------------------------------------------------- */

/* Whether a line of /proc/PID/cgroup ("4:cpu,cpuacct:/path") speaks about the
 * hierarchy of this controller. */
static bool is_line_of(const tally_hierarchy_t *at,
                       tally_controller_t controller, const char *controllers) {
  if (at->version == 2)
    return controllers[0] == '\0';
  if (at->version != 1)
    return false;
  const char *name = controller == TALLY_CONTROLLER_IO
                         ? "blkio"
                         : tally_controller_name(controller);
  return tally_mountinfo_has_option(controllers, name);
}

/* One line without its newline. *hidden: the container is there, but its path
 * cannot be told in our cgroup namespace. -1: out of memory. */
static int take_line(tally_cgroup_host_t *host, char *line, const char *id,
                     tally_cgroup_paths_t *paths, bool *hidden) {
  char *controllers = strchr(line, ':');
  char *path = controllers ? strchr(controllers + 1, ':') : NULL;
  if (path == NULL)
    return 0;
  controllers++;
  *path++ = '\0';

  size_t len = container_part(path, id);
  if (len == 0)
    return 0;
  path[len] = '\0';

  for (tally_controller_t c = 0; c < TALLY_CONTROLLERS; c++) {
    const tally_hierarchy_t *at = &host->at[c];
    if (paths->dir[c] != NULL || !is_line_of(at, c, controllers))
      continue;
    const char *below = tally_hierarchy_below(at, path);
    if (below == NULL) {
      *hidden = true;
      continue;
    }
    if (take(host, c, below, paths) != 0)
      return -1;
    if (paths->dir[c] != NULL)
      learn_place(host, below, id);
  }
  return 0;
}

static int ask_process(tally_cgroup_host_t *host, int pid, const char *id,
                       tally_cgroup_paths_t *paths, bool *hidden) {
  char file[PATH_MAX], text[16384];
  snprintf(file, sizeof(file), "%s/proc/%d/cgroup", host->rootfs, pid);
  if (tally_file_read(file, text, sizeof(text), NULL) < 0)
    return 0; /* it has gone */

  char *save = NULL;
  for (char *line = strtok_r(text, "\n", &save); line != NULL;
       line = strtok_r(NULL, "\n", &save))
    if (take_line(host, line, id, paths, hidden) != 0)
      return -1;
  return 0;
}

/* ---- the walk ------------------------------------------------------------ */

typedef struct {
  const char *id;
  size_t directories; /* how many more it may look at */
  char path[PATH_MAX];
} walk_t;

/* Looks for a directory that contains the id in its name below walk->path,
 * which it extends on success. */
static bool walk(walk_t *w, size_t len, int depth) {
  tally_autoclosedir DIR *dir = opendir(w->path);
  if (dir == NULL || depth == 0)
    return false;

  struct dirent *entry;
  while ((entry = readdir(dir)) != NULL && w->directories > 0) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
      continue;
    size_t n = strlen(entry->d_name);
    if (len + 1 + n >= sizeof(w->path))
      continue;
    w->directories--;
    w->path[len] = '/';
    memcpy(w->path + len + 1, entry->d_name, n + 1);
    if (strstr(entry->d_name, w->id) != NULL || walk(w, len + 1 + n, depth - 1))
      return true;
    w->path[len] = '\0';
  }
  return false;
}

static int walk_hierarchy(tally_cgroup_host_t *host, const char *id,
                          tally_cgroup_paths_t *paths) {
  for (tally_controller_t c = 0; c < TALLY_CONTROLLERS; c++) {
    const tally_hierarchy_t *at = &host->at[c];
    size_t len = at->mount ? strlen(at->mount) : 0;
    walk_t w = {.id = id, .directories = WALK_DIRECTORIES_MAX};
    if (paths->dir[c] != NULL || len == 0 || len >= sizeof(w.path))
      continue;
    memcpy(w.path, at->mount, len + 1);
    if (!walk(&w, len, WALK_DEPTH_MAX))
      continue;
    /* The other hierarchies have it in the same place, as a rule. */
    learn_place(host, w.path + len, id);
    if (look_in_places(host, id, paths) != 0)
      return -1;
  }
  return 0;
}

/* ---- the whole ----------------------------------------------------------- */

int tally_cgroup_locate(tally_cgroup_host_t *host, int pid, const char *id,
                        tally_cgroup_paths_t *paths, tally_error_t *err) {
  *paths = (tally_cgroup_paths_t){0};
  if (!is_id(id))
    return tally_error_set(err, EINVAL, "`%.80s' is not a container id", id);

  bool hidden = false;
  int status = pid > 0 ? ask_process(host, pid, id, paths, &hidden) : 0;
  if (status == 0 && (hidden || !found_any(paths)))
    status = look_in_places(host, id, paths);
  if (status == 0 && hidden && !found_any(paths))
    status = walk_hierarchy(host, id, paths);

  if (status != 0) {
    tally_cgroup_paths_clear(paths);
    return tally_error_set(err, ENOMEM, "cgroup of container %.12s", id);
  }
  if (!found_any(paths))
    return tally_error_set(err, ENOENT, "cgroup of container %.12s", id);
  return 0;
}

void tally_cgroup_paths_clear(tally_cgroup_paths_t *paths) {
  for (size_t i = 0; i < TALLY_CONTROLLERS; i++)
    free(paths->dir[i]);
  *paths = (tally_cgroup_paths_t){0};
}
