/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "aws/cloudwatch_logs_private.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/utf8.h"

#define SPAN_MAX_MS (UINT64_C(24) * 60 * 60 * 1000)
#define REPLACEMENT_GROWS                                                      \
  (sizeof(TALLY_UTF8_REPLACEMENT) - 2) /* by 2 bytes                           \
                                        */

/* ---- names --------------------------------------------------------------- */

void tally_logs_stream_name(const char *key, size_t key_len,
                            char name[TALLY_LOGS_STREAM_MAX + 1]) {
  size_t len = 0;
  for (size_t i = 0; i < key_len;) {
    size_t n = tally_utf8_character(key + i, key_len - i);
    bool bad = n == 0 || (unsigned char)key[i] < 0x20 || key[i] == 0x7f ||
               key[i] == ':' || key[i] == '*';
    if (n == 0)
      n = 1;
    if (len + n > TALLY_LOGS_STREAM_MAX)
      break;
    if (bad)
      memset(name + len, '_', n);
    else
      memcpy(name + len, key + i, n);
    len += n;
    i += n;
  }
  name[len] = '\0';
  if (len == 0)
    strcpy(name, "default");
}

/* ---- sizes --------------------------------------------------------------- */

static bool fits_replaced(const tally_record_t *record, size_t bad) {
  return record->len + bad * REPLACEMENT_GROWS <=
         TALLY_CLOUDWATCH_LOGS_MESSAGE_MAX;
}

static size_t size_of(const tally_record_t *record, size_t bad) {
  size_t len = record->len > 0 ? record->len : 1; /* a blank */
  if (fits_replaced(record, bad))
    len += bad * REPLACEMENT_GROWS;
  return len + TALLY_LOGS_EVENT_BYTES;
}

size_t tally_logs_record_size(const tally_record_t *record) {
  return size_of(record, tally_utf8_count_bad(record->data, record->len));
}

tally_logs_event_t tally_logs_event(const tally_record_t *record,
                                    uint64_t now_ns) {
  size_t bad = tally_utf8_count_bad(record->data, record->len);
  uint64_t time_ns = record->time_ns != 0 ? record->time_ns : now_ns;
  return (tally_logs_event_t){.record = record,
                              .time_ms = time_ns / TALLY_NS_PER_MS,
                              .bad = bad,
                              .size = size_of(record, bad)};
}

/* ---- order --------------------------------------------------------------- */

static int compare_keys(const tally_record_t *a, const tally_record_t *b) {
  if (a->key_len != b->key_len)
    return a->key_len < b->key_len ? -1 : 1;
  return a->key_len > 0 ? memcmp(a->key, b->key, a->key_len) : 0;
}

static int compare(const void *left, const void *right) {
  const tally_logs_event_t *a = left, *b = right;
  int keys = compare_keys(a->record, b->record);
  if (keys != 0)
    return keys;
  if (a->time_ms != b->time_ms)
    return a->time_ms < b->time_ms ? -1 : 1;
  return a->record < b->record ? -1 : a->record > b->record;
}

void tally_logs_sort(tally_logs_event_t *events, size_t count) {
  qsort(events, count, sizeof(*events), compare);
}

size_t tally_logs_same_key(const tally_logs_event_t *events, size_t count) {
  size_t n = 1;
  while (n < count && compare_keys(events[0].record, events[n].record) == 0)
    n++;
  return n;
}

size_t tally_logs_fit(const tally_logs_event_t *events, size_t count) {
  size_t bytes = events[0].size, n = 1;
  while (n < count && n < TALLY_LOGS_EVENTS_MAX &&
         bytes + events[n].size <= TALLY_LOGS_CALL_BYTES &&
         events[n].time_ms - events[0].time_ms <= SPAN_MAX_MS)
    bytes += events[n++].size;
  return n;
}

/* ---- JSON ---------------------------------------------------------------- */

static int quote_event(tally_buffer_t *body, const tally_logs_event_t *event) {
  const tally_record_t *record = event->record;
  const char *bad =
      fits_replaced(record, event->bad) ? TALLY_UTF8_REPLACEMENT : "?";
  if (tally_buffer_printf(body, "{\"timestamp\":%llu,\"message\":",
                          (unsigned long long)event->time_ms) != 0)
    return -1;
  int status = record->len > 0 ? tally_json_quote_bytes(body, record->data,
                                                        record->len, bad)
                               : tally_json_quote(body, " ");
  return status == 0 ? tally_buffer_append(body, "}", 1) : -1;
}

int tally_logs_quote_events(tally_buffer_t *body, const char *group,
                            const char *stream,
                            const tally_logs_event_t *events, size_t count) {
  if (tally_buffer_append_str(body, "{\"logGroupName\":") != 0 ||
      tally_json_quote(body, group) != 0 ||
      tally_buffer_append_str(body, ",\"logStreamName\":") != 0 ||
      tally_json_quote(body, stream) != 0 ||
      tally_buffer_append_str(body, ",\"logEvents\":[") != 0)
    return -1;
  for (size_t i = 0; i < count; i++)
    if ((i > 0 && tally_buffer_append(body, ",", 1) != 0) ||
        quote_event(body, &events[i]) != 0)
      return -1;
  return tally_buffer_append(body, "]", 1);
}
