/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cgroup/adjust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup/epoch.h"
#include "cgroup/parse.h"
#include "core/cleanup.h"

#define ID_LEN 64

/* ---- files of one container ---------------------------------------------- */

/* Whether the last component of a directory contains a container's id. Nothing
 * else is ever written to, whatever the caller believes. */
static bool is_of_container(const char *dir) {
  const char *name = strrchr(dir, '/');
  for (name = name ? name + 1 : dir; *name != '\0'; name++)
    if (strspn(name, "0123456789abcdef") >= ID_LEN)
      return true;
  return false;
}

/* A descriptor for a file right in a controller's directory; -1: errno. */
static int open_file(const tally_cgroup_paths_t *paths,
                     tally_controller_t controller, const char *file,
                     int flags) {
  const char *dir = paths->dir[controller];
  if (dir == NULL) {
    errno = ENOENT;
    return -1;
  }
  if (!is_of_container(dir)) {
    errno = EPERM;
    return -1;
  }
  tally_autoclose int at =
      open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  return at < 0 ? -1 : openat(at, file, flags | O_NOFOLLOW | O_CLOEXEC);
}

/* The first line of a file without its newline. -1: errno. */
static int show(const tally_cgroup_paths_t *paths,
                tally_controller_t controller, const char *file, char *text,
                size_t size) {
  text[0] = '\0';
  tally_autoclose int fd = open_file(paths, controller, file, O_RDONLY);
  if (fd < 0)
    return -1;
  ssize_t n = read(fd, text, size - 1);
  if (n < 0)
    return -1;
  text[n] = '\0';
  text[strcspn(text, "\n")] = '\0';
  return 0;
}

/* 0 or the errno of the kernel. */
static int store(const tally_cgroup_paths_t *paths, const tally_step_t *step) {
  tally_autoclose int fd =
      open_file(paths, step->controller, step->file, O_WRONLY | O_TRUNC);
  if (fd < 0)
    return errno;
  size_t len = strlen(step->text);
  ssize_t n;
  do
    n = write(fd, step->text, len);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return errno;
  return (size_t)n == len ? 0 : EIO;
}

/* ---- one step ------------------------------------------------------------ */

static bool is_as_wanted(const tally_step_t *step, const char *shown) {
  if (step->check == TALLY_STEP_TEXT) {
    static const char prefix[] = "default ";
    if (strncmp(shown, prefix, sizeof(prefix) - 1) == 0)
      shown += sizeof(prefix) - 1;
    return strcmp(shown, step->text) == 0;
  }

  uint64_t value;
  if (tally_parse_limit(shown, strlen(shown), &value) != 0)
    return false;
  uint64_t wanted = tally_limit_of(step->value);
  if (value == TALLY_UNLIMITED || wanted == TALLY_UNLIMITED)
    return value == wanted;
  long page = sysconf(_SC_PAGESIZE);
  return value <= wanted && wanted - value < (uint64_t)page;
}

/* Returns whether it was written. */
static bool carry_out(const tally_cgroup_paths_t *paths,
                      const tally_step_t *step, bool dry_run,
                      tally_limit_change_t *change) {
  *change =
      (tally_limit_change_t){.limit = step->limit, .code = step->impossible};
  snprintf(change->file, sizeof(change->file), "%s", step->file);
  snprintf(change->wanted, sizeof(change->wanted), "%s", step->text);
  if (show(paths, step->controller, step->file, change->before,
           sizeof(change->before)) != 0 &&
      change->code == 0)
    change->code = errno;
  memcpy(change->after, change->before, sizeof(change->after));
  if (change->code != 0)
    return false;

  change->verified = is_as_wanted(step, change->before);
  if (change->verified || dry_run)
    return false;

  change->code = store(paths, step);
  if (show(paths, step->controller, step->file, change->after,
           sizeof(change->after)) != 0 &&
      change->code == 0)
    change->code = errno;
  change->changed = strcmp(change->before, change->after) != 0;
  change->verified = is_as_wanted(step, change->after);
  return true;
}

/* The same, and tells the readers. false: it failed, or the file shows
 * something else afterwards. */
static bool carry_out_one(const tally_cgroup_paths_t *paths,
                          const tally_step_t *step, bool dry_run,
                          tally_limit_change_t *change) {
  if (carry_out(paths, step, dry_run, change))
    atomic_fetch_add_explicit(tally_cgroup_epoch(paths->dir[step->controller]),
                              1, memory_order_release);
  return change->code == 0 && (change->verified || dry_run);
}

/* ---- all of them --------------------------------------------------------- */

static uint64_t shown_limit(const tally_cgroup_paths_t *paths,
                            const char *file) {
  char text[64];
  uint64_t value;
  if (show(paths, TALLY_CONTROLLER_MEMORY, file, text, sizeof(text)) != 0 ||
      tally_parse_limit(text, strlen(text), &value) != 0)
    return TALLY_UNKNOWN;
  return value;
}

/* A weight of block I/O goes to whichever of two files exist. The steps for
 * those that do not are dropped; if none exists, the first one stays to be
 * reported. Returns how many steps are left. */
static size_t drop_absent_weights(const tally_cgroup_paths_t *paths,
                                  tally_step_t *steps, size_t count) {
  size_t kept = 0, weights = 0;
  const tally_step_t *absent = NULL;
  tally_step_t first_absent;
  for (size_t i = 0; i < count; i++) {
    if (steps[i].limit == TALLY_LIMIT_IO_WEIGHT) {
      tally_autoclose int fd =
          open_file(paths, steps[i].controller, steps[i].file, O_PATH);
      if (fd < 0) {
        if (absent == NULL) {
          first_absent = steps[i];
          absent = &first_absent;
        }
        continue;
      }
      weights++;
    }
    steps[kept++] = steps[i];
  }
  if (absent != NULL && weights == 0)
    steps[kept++] = *absent;
  return kept;
}

int tally_cgroup_apply(const tally_cgroup_paths_t *paths,
                       const tally_limits_t *limits, bool dry_run,
                       tally_limit_change_t changes[TALLY_LIMIT_CHANGES_MAX],
                       size_t *count) {
  tally_memory_now_t now = {TALLY_UNKNOWN, TALLY_UNKNOWN};
  if (paths->version[TALLY_CONTROLLER_MEMORY] == 1) {
    now.limit = shown_limit(paths, "memory.limit_in_bytes");
    now.limit_with_swap = shown_limit(paths, "memory.memsw.limit_in_bytes");
  }
  tally_step_t steps[TALLY_LIMIT_CHANGES_MAX];
  *count = drop_absent_weights(paths, steps,
                               tally_adjust_plan(paths, limits, &now, steps));

  int failed = 0;
  for (size_t i = 0; i < *count; i++)
    failed += carry_out_one(paths, &steps[i], dry_run, &changes[i]) ? 0 : 1;
  return failed;
}

int tally_cgroup_restore(const tally_cgroup_paths_t *paths,
                         const tally_limit_change_t *originals,
                         size_t originals_count, bool dry_run,
                         tally_limit_change_t changes[TALLY_LIMIT_CHANGES_MAX],
                         size_t *count) {
  tally_step_t steps[TALLY_LIMIT_CHANGES_MAX];
  *count = tally_adjust_plan_back(originals, originals_count, steps);

  bool done[TALLY_LIMIT_CHANGES_MAX];
  for (size_t i = 0; i < *count; i++)
    done[i] = carry_out_one(paths, &steps[i], dry_run, &changes[i]);

  int failed = 0;
  for (size_t i = 0; i < *count; i++) {
    if (done[i])
      continue;
    /* Somebody has changed limits meanwhile, and this one had to wait for
     * another: now that all others are in place it may be accepted. */
    tally_limit_change_t again;
    if (carry_out_one(paths, &steps[i], dry_run, &again)) {
      memcpy(again.before, changes[i].before, sizeof(again.before));
      again.changed = strcmp(again.before, again.after) != 0;
      changes[i] = again;
    } else {
      failed++;
    }
  }
  return failed;
}
