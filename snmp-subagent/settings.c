/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "container/limits.h"
#include "core/text.h"
#include "docker/docker.h"
#include "settings_rules.h"
#include "settings_words.h"

/* Where engines mount a disk once more for each container. */
#define ENGINE_MOUNTS                                                          \
  "/\\/(devicemapper\\/mnt|zfs\\/graph|btrfs\\/subvolumes|"                    \
  "kubelet\\/(pods|plugins))\\//"

static int ignore(tally_select_t **list, const char *pattern) {
  *list = tally_select_create();
  return *list != NULL ? tally_select_add(*list, pattern, NULL) : -1;
}

tally_settings_t *tally_settings_create(void) {
  tally_settings_t *s = calloc(1, sizeof(*s));
  if (s == NULL)
    return NULL;
  s->references = 1;
  s->interval = 10;
  s->disk_timeout = 2;
  s->node_memory = (tally_threshold_t){90, 95};
  s->node_swap = (tally_threshold_t){80, 90};
  s->node_load = (tally_threshold_t){4, 8};
  s->hysteresis = 5;
  s->sink_delayed = 60;
  s->sink_stalled = 300;
  s->notices_per_minute = 60;
  for (size_t i = 0; i < TALLY_NOTICES; i++)
    s->notify[i] = true;

  s->collectd_socket = strdup("/var/run/collectd-unixsock");
  if (s->collectd_socket == NULL ||
      ignore(&s->ignored_mounts, ENGINE_MOUNTS) != 0 ||
      tally_rules_default(s) != 0) {
    tally_settings_unref(s);
    return NULL;
  }
  return s;
}

tally_settings_t *tally_settings_ref(tally_settings_t *settings) {
  __atomic_add_fetch(&settings->references, 1, __ATOMIC_RELAXED);
  return settings;
}

void tally_settings_unref(tally_settings_t *settings) {
  tally_settings_t *s = settings;
  if (s == NULL || __atomic_sub_fetch(&s->references, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  tally_rules_free(s);
  free(s->docker_endpoint);
  free(s->docker_cert_dir);
  free(s->rootfs);
  free(s->collectd_socket);
  tally_select_destroy(s->names);
  tally_select_destroy(s->images);
  tally_select_destroy(s->labels);
  tally_select_destroy(s->ignored_mounts);
  tally_select_destroy(s->ignored_types);
  free(s);
}

static const tally_directive_t *find(const char *name) {
  for (size_t i = 0; i < tally_directives_count; i++)
    if (strcasecmp(tally_directives[i].name, name) == 0)
      return &tally_directives[i];
  return NULL;
}

/* Directive and value as one line; both come from a file. */
static int wrong(const char *directive, const char *argument,
                 const tally_error_t *why, tally_error_t *err) {
  char name[64], value[160];
  tally_text_copy(name, sizeof(name), directive);
  tally_text_copy(value, sizeof(value), argument);
  return tally_error_set(err, 0, "%s \"%s\": %s", name, value, why->message);
}

int tally_settings_apply(tally_settings_t *settings, const char *directive,
                         const char *argument, tally_error_t *err) {
  tally_error_t why = {0};
  const tally_directive_t *d = find(directive);
  if (d == NULL) {
    tally_error_set(&why, 0, "there is no such directive");
    return wrong(directive, argument, &why, err);
  }
  tally_words_t words;
  if (tally_words_split(&words, argument, &why) != 0)
    return wrong(directive, argument, &why, err);
  int status = d->apply(settings, &words, &why);
  tally_words_clear(&words);
  return status == 0 ? 0 : wrong(d->name, argument, &why, err);
}

bool tally_settings_wants(const tally_settings_t *settings,
                          const struct tally_container_s *container) {
  const tally_settings_t *s = settings;
  if (tally_select_is_empty(s->names) && tally_select_is_empty(s->images) &&
      tally_select_is_empty(s->labels))
    return true;
  bool selected =
      tally_select_match(s->names, container->name) ||
      tally_select_match(s->images, container->image) ||
      tally_labels_match(s->labels, container->labels, container->labels_count);
  return selected != s->ignore_selected;
}
