/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "container/adjuster_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* One container while it is being worked on. */
typedef struct {
  tally_adjuster_core_t *adjust;
  const tally_container_t *container;
  tally_adjust_method_t method;
  bool restoring;
  const tally_wanted_t *wanted; /* NULL when restoring */
} job_t;

/* ---- reports ------------------------------------------------------------- */

void tally_adjuster_report(tally_adjuster_core_t *adjust,
                           const tally_adjust_report_t *report) {
  tally_adjuster_stats_t *s = &adjust->stats;
  pthread_mutex_lock(&adjust->lock);
  switch (report->outcome) {
  case TALLY_ADJUST_CHANGED:
    *(report->restoring ? &s->restored : &s->changed) += 1;
    break;
  case TALLY_ADJUST_WOULD_CHANGE:
    s->would_change++;
    break;
  case TALLY_ADJUST_REFUSED:
    s->refused++;
    break;
  case TALLY_ADJUST_DIFFERS:
    s->differs++;
    break;
  case TALLY_ADJUST_BAD_REQUEST:
    s->bad_requests++;
    break;
  case TALLY_ADJUST_FAILED:
    s->failed++;
    break;
  }
  pthread_mutex_unlock(&adjust->lock);
  adjust->options.on_report(report, adjust->options.data);
}

static void report_failure(const job_t *job, const char *reason) {
  tally_adjuster_report(job->adjust,
                        &(tally_adjust_report_t){.outcome = TALLY_ADJUST_FAILED,
                                                 .container = job->container,
                                                 .restoring = job->restoring,
                                                 .method = job->method,
                                                 .reason = reason});
}

static void report_problems(const job_t *job) {
  for (size_t i = 0; i < job->wanted->problems_count; i++) {
    const tally_limit_problem_t *p = &job->wanted->problems[i];
    tally_adjuster_report(job->adjust, &(tally_adjust_report_t){
                                           .outcome = TALLY_ADJUST_BAD_REQUEST,
                                           .container = job->container,
                                           .reason = p->why.message,
                                           .source = p->source,
                                           .problem = p});
  }
}

/* `answer`: what the Engine said, "" if it said nothing or was not asked. */
static void report_change(const job_t *job, const tally_limit_change_t *change,
                          const char *answer) {
  tally_adjust_report_t report = {.container = job->container,
                                  .restoring = job->restoring,
                                  .method = job->method,
                                  .reason = answer,
                                  .change = change};
  if (job->wanted != NULL) {
    report.source = job->wanted->source[change->limit];
    if (report.source == TALLY_LIMIT_FROM_RULE)
      report.rule = job->wanted->rule;
  }
  char text[128];
  if (change->code != 0) {
    report.outcome = TALLY_ADJUST_REFUSED;
    if (answer[0] == '\0')
      report.reason = strerror_r(change->code, text, sizeof(text));
  } else if (job->adjust->options.dry_run) {
    report.outcome = TALLY_ADJUST_WOULD_CHANGE;
  } else if (!change->verified) {
    report.outcome = TALLY_ADJUST_DIFFERS;
  } else {
    report.outcome = TALLY_ADJUST_CHANGED;
  }
  tally_adjuster_report(job->adjust, &report);
}

static void report_changes(const job_t *job,
                           const tally_limit_change_t *changes, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (changes[i].changed || !changes[i].verified)
      report_change(job, &changes[i], "");
}

static void count_unchanged(tally_adjuster_core_t *adjust,
                            const tally_limit_change_t *changes, size_t count) {
  uint64_t unchanged = 0;
  for (size_t i = 0; i < count; i++)
    unchanged += changes[i].verified && !changes[i].changed;
  pthread_mutex_lock(&adjust->lock);
  adjust->stats.unchanged += unchanged;
  pthread_mutex_unlock(&adjust->lock);
}

/* ---- originals ----------------------------------------------------------- */

static int load_originals(const job_t *job, tally_originals_t *originals,
                          tally_error_t *err) {
  const tally_container_t *c = job->container;
  int status =
      tally_originals_load(job->adjust->originals_dir, c->id, originals, err);
  if (status == 0)
    tally_originals_init(originals, c->id, c->started_ns);
  else if (status > 0 && originals->started_ns != c->started_ns)
    tally_originals_new_run(originals, c->started_ns);
  return status < 0 ? -1 : 0;
}

/* Before anything is changed. Who wants everything put back at the end would
 * rather have nothing changed than not know how it was. -1: leave it alone. */
static int keep_originals(const job_t *job, const tally_limit_change_t *changes,
                          size_t count, const tally_engine_config_t *now,
                          const tally_engine_config_t *update) {
  tally_originals_t originals;
  tally_error_t err = {0};
  if (load_originals(job, &originals, &err) == 0) {
    tally_originals_add_files(&originals, changes, count);
    if (update != NULL)
      tally_originals_add_engine(&originals, now, update);
    if (tally_originals_is_empty(&originals) ||
        tally_originals_save(job->adjust->originals_dir, &originals, &err) == 0)
      return 0;
  }
  if (!job->adjust->options.restore_at_end)
    return 0;
  tally_error_wrap(&err, "the present limits cannot be kept");
  report_failure(job, err.message);
  return -1;
}

/* ---- setting ------------------------------------------------------------- */

static bool is_as_wanted(const tally_limit_change_t *changes, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!changes[i].verified)
      return false;
  return true;
}

static void set_by_cgroup(const job_t *job, const tally_cgroup_paths_t *paths,
                          tally_limit_change_t *changes, size_t count) {
  if (keep_originals(job, changes, count, NULL, NULL) != 0)
    return;
  tally_cgroup_apply(paths, &job->wanted->limits, false, changes, &count);
  count_unchanged(job->adjust, changes, count);
  report_changes(job, changes, count);
}

/* Completes what was read before the update with what is read after it. */
static void read_back(const tally_cgroup_paths_t *paths,
                      const tally_limits_t *limits,
                      tally_limit_change_t *changes, size_t count) {
  tally_limit_change_t now[TALLY_LIMIT_CHANGES_MAX];
  size_t now_count = 0;
  tally_cgroup_apply(paths, limits, true, now, &now_count);
  for (size_t i = 0; i < count; i++) {
    for (size_t j = 0; j < now_count; j++) {
      if (strcmp(changes[i].file, now[j].file) != 0)
        continue;
      memcpy(changes[i].after, now[j].before, sizeof(changes[i].after));
      changes[i].changed = strcmp(changes[i].before, changes[i].after) != 0;
      changes[i].verified = now[j].verified;
      changes[i].code = now[j].code;
    }
  }
}

static void set_by_engine(const job_t *job, const tally_cgroup_paths_t *paths,
                          tally_limit_change_t *changes, size_t count) {
  tally_error_t err = {0};
  tally_engine_config_t now, update;
  tally_limits_t rest;
  const char *id = job->container->id;
  if (tally_adjuster_engine_config(job->adjust, id, &now, &err) != 0) {
    report_failure(job, err.message);
    return;
  }
  tally_engine_plan(&job->wanted->limits, &now, paths->version, &update, &rest);
  if (keep_originals(job, changes, count, &now, &update) != 0)
    return;

  char answer[256];
  bool refused = tally_adjuster_engine_update(job->adjust, id, &update, answer,
                                              sizeof(answer), &err) != 0;
  if (tally_limits_any(&rest)) {
    tally_limit_change_t written[TALLY_LIMIT_CHANGES_MAX];
    size_t written_count = 0;
    tally_cgroup_apply(paths, &rest, false, written, &written_count);
  }
  read_back(paths, &job->wanted->limits, changes, count);
  count_unchanged(job->adjust, changes, count);
  for (size_t i = 0; i < count; i++) {
    tally_limit_change_t *c = &changes[i];
    if (!c->changed && c->verified)
      continue;
    bool by_engine = rest.value[c->limit] == TALLY_UNKNOWN;
    if (refused && by_engine && !c->verified && c->code == 0)
      c->code = err.code != 0 ? err.code : EINVAL;
    report_change(job, c, !by_engine ? "" : refused ? err.message : answer);
  }
}

tally_adjust_result_t tally_adjuster_set(tally_adjuster_core_t *adjust,
                                         const tally_container_t *container,
                                         bool patient) {
  tally_wanted_t wanted;
  tally_limits_wanted(adjust->options.policy, container, &wanted);
  job_t job = {.adjust = adjust,
               .container = container,
               .method = adjust->options.method,
               .wanted = &wanted};
  if (!tally_limits_any(&wanted.limits)) {
    report_problems(&job);
    return TALLY_ADJUST_DONE;
  }

  tally_error_t err = {0};
  tally_cgroup_paths_t paths = {.dir = {NULL}};
  if (tally_cgroup_locate(adjust->host, container->pid, container->id, &paths,
                          &err) != 0) {
    if (patient)
      return TALLY_ADJUST_LATER;
    report_problems(&job);
    report_failure(&job, err.message);
    return TALLY_ADJUST_DONE;
  }
  report_problems(&job);

  tally_limit_change_t changes[TALLY_LIMIT_CHANGES_MAX];
  size_t count = 0;
  tally_cgroup_apply(&paths, &wanted.limits, true, changes, &count);
  if (is_as_wanted(changes, count)) {
    count_unchanged(adjust, changes, count);
  } else if (adjust->options.dry_run) {
    count_unchanged(adjust, changes, count);
    report_changes(&job, changes, count);
  } else if (job.method == TALLY_ADJUST_BY_ENGINE) {
    set_by_engine(&job, &paths, changes, count);
  } else {
    set_by_cgroup(&job, &paths, changes, count);
  }
  tally_cgroup_paths_clear(&paths);
  return TALLY_ADJUST_DONE;
}

/* ---- putting back -------------------------------------------------------- */

static int restore_engine(const job_t *job,
                          const tally_originals_t *originals) {
  tally_engine_config_t undo;
  char answer[256];
  tally_error_t err = {0};
  tally_engine_undo(
      &originals->engine, &originals->engine,
      tally_cgroup_host_version(job->adjust->host, TALLY_CONTROLLER_MEMORY),
      &undo);
  if (tally_adjuster_engine_update(job->adjust, job->container->id, &undo,
                                   answer, sizeof(answer), &err) == 0)
    return 0;
  report_failure(job, err.message);
  return -1;
}

/* The cgroup of another run has limits of its own. */
static bool has_same_cgroup(const job_t *job,
                            const tally_originals_t *originals,
                            tally_cgroup_paths_t *paths) {
  const tally_container_t *c = job->container;
  return c->pid != 0 && originals->started_ns == c->started_ns &&
         tally_cgroup_locate(job->adjust->host, c->pid, c->id, paths, NULL) ==
             0;
}

/* The Engine first, then whatever its words could not bring back exactly. */
static int restore_all(const job_t *job, const tally_originals_t *originals,
                       const tally_cgroup_paths_t *paths) {
  tally_limit_change_t before[TALLY_LIMIT_CHANGES_MAX];
  tally_limit_change_t changes[TALLY_LIMIT_CHANGES_MAX];
  size_t count = 0;
  tally_cgroup_restore(paths, originals->files, originals->files_count, true,
                       before, &count);
  int engine = restore_engine(job, originals);
  int failed = tally_cgroup_restore(
      paths, originals->files, originals->files_count, false, changes, &count);
  for (size_t i = 0; i < count; i++) {
    memcpy(changes[i].before, before[i].before, sizeof(before[i].before));
    changes[i].changed = strcmp(changes[i].before, changes[i].after) != 0;
  }
  report_changes(job, changes, count);
  return engine == 0 && failed == 0 ? 0 : -1;
}

void tally_adjuster_put_back(tally_adjuster_core_t *adjust,
                             const tally_container_t *container) {
  job_t job = {.adjust = adjust,
               .container = container,
               .method = adjust->options.method,
               .restoring = true};
  tally_originals_t originals;
  tally_error_t err = {0};
  int status = tally_originals_load(adjust->originals_dir, container->id,
                                    &originals, &err);
  if (status == 0)
    return;
  if (status < 0) {
    report_failure(&job, err.message);
    return;
  }
  tally_cgroup_paths_t paths = {.dir = {NULL}};
  if (has_same_cgroup(&job, &originals, &paths))
    status = restore_all(&job, &originals, &paths);
  else
    status = restore_engine(&job, &originals);
  tally_cgroup_paths_clear(&paths);
  if (status == 0)
    tally_originals_remove(adjust->originals_dir, container->id);
}
