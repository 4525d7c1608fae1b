/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "settings_rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int tally_rules_default(tally_settings_t *s) {
  tally_disk_rule_t *disk = calloc(1, sizeof(*disk));
  s->disk_rules = disk;
  tally_container_rule_t *container = calloc(1, sizeof(*container));
  s->container_rules = container;
  if (disk == NULL || container == NULL)
    return -1;
  disk->space = (tally_threshold_t){80, 90};
  disk->inodes = (tally_threshold_t){80, 90};
  container->memory = (tally_threshold_t){90, 95};
  container->threads = (tally_threshold_t){90, 95};
  disk->mount = strdup("/.*/");
  disk->match = tally_select_create();
  if (disk->mount == NULL || disk->match == NULL)
    return -1;
  return tally_select_add(disk->match, disk->mount, NULL);
}

void tally_rules_free(tally_settings_t *s) {
  while (s->disk_rules != NULL) {
    tally_disk_rule_t *rule = s->disk_rules;
    s->disk_rules = rule->next;
    free(rule->mount);
    tally_select_destroy(rule->match);
    free(rule);
  }
  while (s->container_rules != NULL) {
    tally_container_rule_t *rule = s->container_rules;
    s->container_rules = rule->next;
    free(rule->label);
    free(rule->value);
    free(rule);
  }
}

/* disk MOUNT WARNING CRITICAL [inodes WARNING CRITICAL] */
int tally_rules_disk(tally_settings_t *s, const tally_words_t *w,
                     tally_error_t *err) {
  if (w->count < 2)
    return tally_error_set(err, 0, "takes a mount point and two levels");
  if (tally_word_path(w->word[0], NULL) != 0)
    return tally_error_set(err, 0,
                           "must begin with a mount point or a pattern");
  /* What is not said is as for all others. */
  tally_disk_rule_t **end = &s->disk_rules;
  while ((*end)->next != NULL)
    end = &(*end)->next;
  tally_threshold_t space, inodes = (*end)->inodes;
  size_t position = 1;
  if (tally_words_threshold(w, &position, 100, true, &space, err) != 0)
    return -1;
  if (position < w->count) {
    if (!tally_word_is(w->word[position++], "inodes"))
      return tally_error_set(err, 0, "after the levels only inodes may follow");
    if (tally_words_threshold(w, &position, 100, true, &inodes, err) != 0)
      return -1;
    if (position < w->count)
      return tally_error_set(err, 0, "more words than two pairs of levels");
  }

  tally_disk_rule_t *rule = calloc(1, sizeof(*rule));
  if (rule == NULL || (rule->mount = strdup(w->word[0])) == NULL ||
      (rule->match = tally_select_create()) == NULL) {
    tally_error_set(err, ENOMEM, "no room for it");
  } else if (tally_select_add(rule->match, w->word[0], err) == 0) {
    rule->space = space;
    rule->inodes = inodes;
    rule->next = *end;
    *end = rule;
    return 0;
  }
  if (rule != NULL) {
    free(rule->mount);
    tally_select_destroy(rule->match);
    free(rule);
  }
  return -1;
}

/* The thresholds of a container; their places are the bits of `said`. */
static const struct {
  const char *name;
  size_t offset;
} resources[] = {
    {"memory", offsetof(tally_container_rule_t, memory)},
    {"cpu", offsetof(tally_container_rule_t, cpu)},
    {"threads", offsetof(tally_container_rule_t, threads)},
};
#define RESOURCES (sizeof(resources) / sizeof(resources[0]))

static tally_threshold_t *threshold_of(tally_container_rule_t *rule, size_t i) {
  return (tally_threshold_t *)((char *)rule + resources[i].offset);
}

static size_t find_resource(const char *word) {
  size_t i = 0;
  while (i < RESOURCES && !tally_word_is(word, resources[i].name))
    i++;
  return i;
}

static bool same_text(const char *a, const char *b) {
  return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The rule for "LABEL", "LABEL=VALUE" or "*", made if there is none. */
static tally_container_rule_t *rule_for(tally_settings_t *s, const char *word,
                                        tally_error_t *err) {
  char *label = NULL, *value = NULL;
  if (strcmp(word, "*") != 0) {
    size_t len = strcspn(word, "=");
    label = strndup(word, len);
    value = word[len] == '=' ? strdup(word + len + 1) : NULL;
    if (label == NULL || (word[len] == '=' && value == NULL)) {
      free(label);
      free(value);
      tally_error_set(err, ENOMEM, "no room for it");
      return NULL;
    }
  }
  tally_container_rule_t **rule = &s->container_rules;
  while ((*rule)->next != NULL && !(same_text((*rule)->label, label) &&
                                    same_text((*rule)->value, value)))
    rule = &(*rule)->next;
  if (same_text((*rule)->label, label) && same_text((*rule)->value, value)) {
    free(label);
    free(value);
    return *rule;
  }
  tally_container_rule_t *made = malloc(sizeof(*made));
  if (made == NULL) {
    free(label);
    free(value);
    tally_error_set(err, ENOMEM, "no room for it");
    return NULL;
  }
  *made = **rule; /* the last one, of all containers */
  made->label = label;
  made->value = value;
  made->said = 0;
  made->next = *rule;
  *rule = made;
  return made;
}

/* What was said of all containers holds for those of which nothing was said. */
static void inherit(tally_settings_t *s, tally_container_rule_t *all,
                    size_t resource) {
  for (tally_container_rule_t *r = s->container_rules; r != all; r = r->next)
    if ((r->said & 1U << resource) == 0)
      *threshold_of(r, resource) = *threshold_of(all, resource);
}

/* containerThreshold [LABEL[=VALUE]|*] RESOURCE WARNING CRITICAL */
int tally_rules_container(tally_settings_t *s, const tally_words_t *w,
                          tally_error_t *err) {
  size_t position = 0;
  const char *whose = "*";
  if (w->count > 0 && find_resource(w->word[0]) == RESOURCES)
    whose = w->word[position++];
  if (whose[0] == '\0' || whose[0] == '=')
    return tally_error_set(err, 0, "the label has no name");
  size_t resource =
      position < w->count ? find_resource(w->word[position]) : RESOURCES;
  if (resource == RESOURCES)
    return tally_error_set(err, 0, "takes memory, cpu or threads");
  position++;
  tally_threshold_t found;
  if (tally_words_threshold(w, &position, 100, true, &found, err) != 0)
    return -1;
  if (position < w->count)
    return tally_error_set(err, 0, "more words than two levels, or off");

  tally_container_rule_t *rule = rule_for(s, whose, err);
  if (rule == NULL)
    return -1;
  *threshold_of(rule, resource) = found;
  rule->said |= 1U << resource;
  if (rule->label == NULL)
    inherit(s, rule, resource);
  return 0;
}
