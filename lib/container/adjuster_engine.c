/* SPDX-License-Identifier: MIT */
/* What the adjuster asks of the Engine. */
#include "config.h"

#include "container/adjuster_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/cleanup.h"
#include "core/json.h"
#include "core/text.h"

#define REQUEST_TIMEOUT_MS 5000
#define BODY_MAX 1024

int tally_adjuster_engine_config(tally_adjuster_core_t *adjust, const char *id,
                                 tally_engine_config_t *config,
                                 tally_error_t *err) {
  char path[128];
  tally_autofree char *answer = NULL;
  int status = 0;
  snprintf(path, sizeof(path), "/containers/%s/json", id);
  if (tally_inventory_request(adjust->inventory, "GET", path, NULL,
                              REQUEST_TIMEOUT_MS, &answer, &status, err) != 0)
    return -1;
  return tally_engine_config_parse(answer != NULL ? answer : "", config, err);
}

/* {"Warnings":["…","…"]}, or null in its place. */
static void join_warnings(const char *answer, char *text, size_t size) {
  text[0] = '\0';
  tally_json_t *document = tally_json_parse(answer, strlen(answer), NULL);
  const tally_json_t *list = tally_json_get(document, "Warnings");
  size_t len = 0;
  for (size_t i = 0; i < tally_json_count(list) && len < size; i++) {
    const char *warning = tally_json_string(tally_json_at(list, i, NULL));
    if (warning != NULL)
      len += (size_t)snprintf(text + len, size - len, "%s%s",
                              len > 0 ? "; " : "", warning);
  }
  tally_text_tidy(text);
  tally_json_destroy(document);
}

int tally_adjuster_engine_update(tally_adjuster_core_t *adjust, const char *id,
                                 const tally_engine_config_t *update,
                                 char *warnings, size_t size,
                                 tally_error_t *err) {
  tally_buffer_t body tally_autobuffer;
  tally_buffer_init(&body, BODY_MAX);
  warnings[0] = '\0';
  int fields = tally_engine_body(update, &body);
  if (fields <= 0)
    return fields == 0 ? 0 : tally_error_set(err, 0, "update: out of memory");

  char path[128];
  tally_autofree char *answer = NULL;
  int status = 0;
  snprintf(path, sizeof(path), "/containers/%s/update", id);
  if (tally_inventory_request(adjust->inventory, "POST", path, body.data,
                              REQUEST_TIMEOUT_MS, &answer, &status, err) != 0)
    return -1;
  if (answer != NULL)
    join_warnings(answer, warnings, size);
  return 0;
}
