/* SPDX-License-Identifier: MIT */
/* The directives of tallyman-agentx.conf, in the order of the manual. */
#include "config.h"

#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "docker/docker.h"
#include "settings_rules.h"
#include "settings_words.h"

static int set_text(char **target, const char *text, tally_error_t *err) {
  char *copy = strdup(text);
  if (copy == NULL)
    return tally_error_set(err, ENOMEM, "no room for it");
  free(*target);
  *target = copy;
  return 0;
}

static int one_number(const tally_words_t *words, double min, double max,
                      double *target, tally_error_t *err) {
  if (tally_words_one(words, err) != 0)
    return -1;
  return tally_word_number(words->word[0], min, max, target, err);
}

static int add_pattern(tally_select_t **list, const tally_words_t *words,
                       tally_error_t *err) {
  if (tally_words_one(words, err) != 0)
    return -1;
  if (*list == NULL && (*list = tally_select_create()) == NULL)
    return tally_error_set(err, ENOMEM, "no room for it");
  return tally_select_add(*list, words->word[0], err);
}

static int whole_threshold(const tally_words_t *words, double max, bool percent,
                           tally_threshold_t *threshold, tally_error_t *err) {
  size_t position = 0;
  tally_threshold_t found;
  if (tally_words_threshold(words, &position, max, percent, &found, err) != 0)
    return -1;
  if (position != words->count)
    return tally_error_set(err, 0, "more words than two levels, or off");
  *threshold = found;
  return 0;
}

/* ---- what is watched ----------------------------------------------------- */

static int interval(tally_settings_t *s, const tally_words_t *w,
                    tally_error_t *err) {
  return one_number(w, 1, 3600, &s->interval, err);
}

static int docker_endpoint(tally_settings_t *s, const tally_words_t *w,
                           tally_error_t *err) {
  if (w->count < 1 || w->count > 2)
    return tally_error_set(err, 0, "takes a URL and a directory, if any");
  const char *cert_dir = w->count == 2 ? w->word[1] : NULL;
  if (cert_dir != NULL && tally_word_path(cert_dir, err) != 0)
    return -1;
  tally_endpoint_t endpoint;
  if (tally_endpoint_parse(&endpoint, w->word[0], cert_dir, err) != 0)
    return -1;
  tally_endpoint_clear(&endpoint);
  if (cert_dir == NULL) {
    free(s->docker_cert_dir);
    s->docker_cert_dir = NULL;
  } else if (set_text(&s->docker_cert_dir, cert_dir, err) != 0) {
    return -1;
  }
  return set_text(&s->docker_endpoint, w->word[0], err);
}

static int rootfs(tally_settings_t *s, const tally_words_t *w,
                  tally_error_t *err) {
  if (tally_words_one(w, err) != 0 || tally_word_path(w->word[0], err) != 0)
    return -1;
  return set_text(&s->rootfs, w->word[0], err);
}

static int collectd_socket(tally_settings_t *s, const tally_words_t *w,
                           tally_error_t *err) {
  if (tally_words_one(w, err) != 0)
    return -1;
  if (tally_word_is(w->word[0], "off")) {
    free(s->collectd_socket);
    s->collectd_socket = NULL;
    return 0;
  }
  if (tally_word_path(w->word[0], err) != 0)
    return tally_error_set(err, 0, "must be an absolute path or off");
  if (strlen(w->word[0]) >= sizeof(((struct sockaddr_un *)0)->sun_path))
    return tally_error_set(err, 0, "the path is too long for a socket");
  return set_text(&s->collectd_socket, w->word[0], err);
}

static int container_name(tally_settings_t *s, const tally_words_t *w,
                          tally_error_t *err) {
  return add_pattern(&s->names, w, err);
}

static int container_image(tally_settings_t *s, const tally_words_t *w,
                           tally_error_t *err) {
  return add_pattern(&s->images, w, err);
}

static int container_label(tally_settings_t *s, const tally_words_t *w,
                           tally_error_t *err) {
  return add_pattern(&s->labels, w, err);
}

static int ignore_selected(tally_settings_t *s, const tally_words_t *w,
                           tally_error_t *err) {
  if (tally_words_one(w, err) != 0)
    return -1;
  return tally_word_bool(w->word[0], &s->ignore_selected, err);
}

static int ignore_mount(tally_settings_t *s, const tally_words_t *w,
                        tally_error_t *err) {
  if (w->count == 1 && tally_word_is(w->word[0], "none")) {
    tally_select_destroy(s->ignored_mounts); /* what was said up to here */
    s->ignored_mounts = NULL;
    return 0;
  }
  return add_pattern(&s->ignored_mounts, w, err);
}

static int ignore_type(tally_settings_t *s, const tally_words_t *w,
                       tally_error_t *err) {
  return add_pattern(&s->ignored_types, w, err);
}

static int disk_timeout(tally_settings_t *s, const tally_words_t *w,
                        tally_error_t *err) {
  return one_number(w, 0.1, 60, &s->disk_timeout, err);
}

/* ---- what is wrong ------------------------------------------------------- */

static int node_cpu(tally_settings_t *s, const tally_words_t *w,
                    tally_error_t *err) {
  return whole_threshold(w, 100, true, &s->node_cpu, err);
}

static int node_memory(tally_settings_t *s, const tally_words_t *w,
                       tally_error_t *err) {
  return whole_threshold(w, 100, true, &s->node_memory, err);
}

static int node_swap(tally_settings_t *s, const tally_words_t *w,
                     tally_error_t *err) {
  return whole_threshold(w, 100, true, &s->node_swap, err);
}

static int node_load(tally_settings_t *s, const tally_words_t *w,
                     tally_error_t *err) {
  return whole_threshold(w, 1000, false, &s->node_load, err);
}

static int hysteresis(tally_settings_t *s, const tally_words_t *w,
                      tally_error_t *err) {
  return one_number(w, 0, 50, &s->hysteresis, err);
}

static int hold(tally_settings_t *s, const tally_words_t *w,
                tally_error_t *err) {
  return one_number(w, 0, 86400, &s->hold, err);
}

static int sink_delayed(tally_settings_t *s, const tally_words_t *w,
                        tally_error_t *err) {
  return one_number(w, 1, 604800, &s->sink_delayed, err);
}

static int sink_stalled(tally_settings_t *s, const tally_words_t *w,
                        tally_error_t *err) {
  return one_number(w, 1, 604800, &s->sink_stalled, err);
}

/* ---- what is told -------------------------------------------------------- */

const char *const tally_notice_names[TALLY_NOTICES] = {
    [TALLY_NOTICE_CONTAINER_DIED] = "containerDied",
    [TALLY_NOTICE_CONTAINER_OOM] = "containerOomKilled",
    [TALLY_NOTICE_CONTAINER_UNHEALTHY] = "containerUnhealthy",
    [TALLY_NOTICE_CONTAINER_STATE] = "containerStateChanged",
    [TALLY_NOTICE_NODE_HEALTH] = "nodeHealthChanged",
    [TALLY_NOTICE_DISK_RAISED] = "diskThresholdRaised",
    [TALLY_NOTICE_DISK_CLEARED] = "diskThresholdCleared",
    [TALLY_NOTICE_SINK_STALLED] = "sinkStalled",
    [TALLY_NOTICE_SINK_RECOVERED] = "sinkRecovered",
    [TALLY_NOTICE_DOCKER_LOST] = "dockerLost",
    [TALLY_NOTICE_DOCKER_BACK] = "dockerBack",
    [TALLY_NOTICE_ALARM_RAISED] = "alarmRaised",
    [TALLY_NOTICE_ALARM_CLEARED] = "alarmCleared",
};

/* notify KIND|all on|off */
static int notify(tally_settings_t *s, const tally_words_t *w,
                  tally_error_t *err) {
  bool value;
  if (w->count != 2)
    return tally_error_set(err, 0, "takes the kind, and on or off");
  if (tally_word_bool(w->word[1], &value, err) != 0)
    return -1;
  bool all = tally_word_is(w->word[0], "all"), found = all;
  for (size_t kind = TALLY_NOTICE_CONTAINER_DIED; kind < TALLY_NOTICES; kind++)
    if (all || tally_word_is(w->word[0], tally_notice_names[kind])) {
      s->notify[kind] = value;
      found = true;
    }
  if (!found)
    return tally_error_set(err, 0, "there is no such kind of notification");
  return 0;
}

static int notice_rate(tally_settings_t *s, const tally_words_t *w,
                       tally_error_t *err) {
  double rate;
  if (one_number(w, 1, 6000, &rate, err) != 0)
    return -1;
  if (rate != (unsigned)rate)
    return tally_error_set(err, 0, "must be a whole number");
  s->notices_per_minute = (unsigned)rate;
  return 0;
}

const tally_directive_t tally_directives[] = {
    {"interval", "SECONDS", interval},
    {"dockerEndpoint", "URL [CERTDIR]", docker_endpoint},
    {"rootfs", "DIRECTORY", rootfs},
    {"collectdSocket", "PATH|off", collectd_socket},
    {"containerName", "PATTERN", container_name},
    {"containerImage", "PATTERN", container_image},
    {"containerLabel", "PATTERN", container_label},
    {"ignoreSelected", "on|off", ignore_selected},
    {"ignoreMount", "PATTERN|none", ignore_mount},
    {"ignoreType", "PATTERN", ignore_type},
    {"diskTimeout", "SECONDS", disk_timeout},
    {"disk", "MOUNT WARNING CRITICAL|off [inodes WARNING CRITICAL|off]",
     tally_rules_disk},
    {"containerThreshold",
     "[LABEL[=VALUE]|*] memory|cpu|threads WARNING CRITICAL|off",
     tally_rules_container},
    {"nodeCpu", "WARNING CRITICAL|off", node_cpu},
    {"nodeMemory", "WARNING CRITICAL|off", node_memory},
    {"nodeSwap", "WARNING CRITICAL|off", node_swap},
    {"nodeLoad", "WARNING CRITICAL|off", node_load},
    {"hysteresis", "PERCENT", hysteresis},
    {"hold", "SECONDS", hold},
    {"sinkDelayed", "SECONDS", sink_delayed},
    {"sinkStalled", "SECONDS", sink_stalled},
    {"notify", "KIND|all on|off", notify},
    {"noticeRate", "NUMBER", notice_rate},
};
const size_t tally_directives_count =
    sizeof(tally_directives) / sizeof(tally_directives[0]);
