/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/event_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/json.h"

/*
 * Two generations of the same thing:
 *   since Docker 1.10  {"Type","Action","Actor":{"ID","Attributes":{…}},
 *                       "scope","time","timeNano"}
 *   up to Docker 28    {"status","id","from","time","timeNano"} as well, and
 *                      before 1.10 nothing but these
 */

static void cleanup_json(tally_json_t **json) { tally_json_destroy(*json); }

static const char *string_or(const tally_json_t *object, const char *key,
                             const char *fallback) {
  const char *s = tally_json_string(tally_json_get(object, key));
  return s != NULL && *s != '\0' ? s : fallback;
}

/* The old form has no type. Only images have these verbs, and containers have
 * "from". */
static const char *guess_type(const char *status, bool has_from) {
  static const char *const of_images[] = {"pull",  "push",   "tag",
                                          "untag", "delete", "import"};
  if (!has_from)
    for (size_t i = 0; i < sizeof(of_images) / sizeof(of_images[0]); i++)
      if (strcmp(status, of_images[i]) == 0)
        return "image";
  return "container";
}

/* timeNano, else the whole seconds of `time`; 0: neither. */
static uint64_t parse_time(const tally_json_t *json, bool *exact) {
  int64_t nano = tally_json_int(tally_json_get(json, "timeNano"), 0);
  *exact = nano > 0;
  if (nano > 0)
    return (uint64_t)nano;
  int64_t seconds = tally_json_int(tally_json_get(json, "time"), 0);
  if (seconds <= 0 || (uint64_t)seconds > INT64_MAX / TALLY_NS_PER_S)
    return 0;
  return (uint64_t)seconds * TALLY_NS_PER_S;
}

/* Attributes that are not strings do not exist in any version. */
static tally_pair_t *borrow_attributes(const tally_json_t *attributes,
                                       size_t *count) {
  size_t members = tally_json_count(attributes);
  tally_pair_t *pairs = calloc(members + 1, sizeof(*pairs));
  *count = 0;
  for (size_t i = 0; pairs != NULL && i < members; i++) {
    const char *key;
    const tally_json_t *member = tally_json_at(attributes, i, &key);
    const char *value = tally_json_string(member);
    if (key != NULL && value != NULL)
      pairs[(*count)++] = (tally_pair_t){.key = key, .value = value};
  }
  return pairs;
}

tally_event_record_t *tally_event_parse(const char *text, size_t len,
                                        tally_error_t *err) {
  __attribute__((cleanup(cleanup_json))) tally_json_t *json =
      tally_json_parse(text, len, err);
  if (json == NULL)
    return NULL;

  const tally_json_t *actor = tally_json_get(json, "Actor");
  const tally_json_t *attributes = tally_json_get(actor, "Attributes");
  const char *status = string_or(json, "status", "");
  const char *from = string_or(json, "from", NULL);

  tally_event_t draft = {.origin = TALLY_EVENT_LIVE};
  bool exact;
  draft.action = string_or(json, "Action", status);
  draft.type = string_or(json, "Type", guess_type(status, from != NULL));
  draft.actor_id = string_or(actor, "ID", string_or(json, "id", ""));
  draft.actor_name = string_or(attributes, "name", "");
  draft.image = string_or(attributes, "image", from != NULL ? from : "");
  draft.time_ns = parse_time(json, &exact);
  if (*draft.action == '\0' || draft.time_ns == 0) {
    tally_error_set(err, 0, "an event without %s",
                    *draft.action == '\0' ? "an action" : "a time");
    return NULL;
  }

  tally_autofree tally_pair_t *pairs =
      borrow_attributes(attributes, &draft.attributes_count);
  if (pairs == NULL) {
    tally_error_set(err, ENOMEM, "event %s", draft.action);
    return NULL;
  }
  draft.attributes = pairs;

  tally_event_record_t *record = tally_event_pack(&draft, err);
  if (record != NULL) {
    record->exact = exact;
    record->hash = tally_event_hash(text, len);
  }
  return record;
}
