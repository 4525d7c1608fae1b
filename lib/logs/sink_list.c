/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "logs/sink_list.h"

#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/file.h"
#include "logs/sink.h"

#define FILE_SIZE (TALLY_LOG_SINKS_MAX * (TALLY_LOG_TARGET_MAX + 32) + 1)

bool tally_log_sink_list_takes(const char *target) {
  size_t len = strlen(target);
  return len > 0 && len <= TALLY_LOG_TARGET_MAX && strchr(target, '\n') == NULL;
}

void tally_log_sink_list_each(const char *path,
                              void (*each)(const char *kind, const char *target,
                                           void *data),
                              void *data) {
  tally_autofree char *text = malloc(FILE_SIZE);
  if (text == NULL || tally_file_read(path, text, FILE_SIZE, NULL) < 0)
    return;
  char *rest = text, *line;
  while ((line = strsep(&rest, "\n")) != NULL) {
    char *target = strchr(line, ' ');
    if (target == NULL || target == line)
      continue;
    *target++ = '\0';
    if (tally_log_sink_list_takes(target))
      each(line, target, data);
  }
}

int tally_log_sink_list_add(tally_buffer_t *text, const char *kind,
                            const char *target) {
  return tally_buffer_printf(text, "%s %s\n", kind, target);
}

int tally_log_sink_list_save(const char *path, const tally_buffer_t *text,
                             tally_error_t *err) {
  return tally_file_replace(path, text->data, text->len, 0600, err);
}
