/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "kinesis_lines.h"
#include "kpl.h"

static void add_line(lines_t *lines, const taken_t *taken, const void *key,
                     size_t key_len, const void *data, size_t len) {
  line_t *line = &lines->list[lines->count++];
  *line = (line_t){.len = len, .shard = taken->shard, .call = taken->call};
  snprintf(line->key, sizeof(line->key), "%.*s", (int)key_len,
           (const char *)key);
  memcpy(line->text, data, len < 63 ? len : 63);
}

lines_t read_lines(const stream_t *stream, bool kcl) {
  lines_t lines = {.list = calloc(60000, sizeof(line_t))};
  for (size_t i = 0; i < stream->taken_count; i++) {
    const taken_t *taken = &stream->taken[i];
    if (!kpl_is_aggregate(taken->data, taken->len)) {
      add_line(&lines, taken, taken->key, strlen(taken->key), taken->data,
               taken->len);
      continue;
    }
    size_t count;
    kpl_record_t *records = kpl_read(taken->data, taken->len, &count);
    assert_true(count > 1);
    for (size_t r = 0; r < count; r++)
      if (!kcl || taken->call < stream->split_at ||
          stream_shard_of(stream, (const char *)records[r].key,
                          records[r].key_len) == taken->shard)
        add_line(&lines, taken, records[r].key, records[r].key_len,
                 records[r].data, records[r].len);
    free(records);
  }
  return lines;
}

void check_lines(const stream_t *stream, size_t count, bool kcl) {
  lines_t lines = read_lines(stream, kcl);
  long last[1000];
  memset(last, 0xff, sizeof(last));
  for (size_t i = 0; i < lines.count; i++) {
    const line_t *line = &lines.list[i];
    long number = atol(line->text);
    unsigned key = (unsigned)atoi(line->key + 1);
    char expected[64];
    snprintf(expected, sizeof(expected), "%ld of k%u", number, key);
    if (strncmp(line->text, expected, strlen(expected)) != 0)
      fail_msg("`%.20s' with the key %s", line->text, line->key);
    if (number <= last[key])
      fail_msg("%ld of k%u after %ld", number, key, last[key]);
    last[key] = number;
  }
  assert_int_equal(lines.count, count);
  free(lines.list);
}

void send_lines(stream_t *stream, const tally_record_t *records, size_t count) {
  tally_record_t rest[5000];
  assert_true(count <= COUNT_OF(rest));
  memcpy(rest, records, count * sizeof(*rest));
  for (int turn = 0; count > 0; turn++) {
    assert_true(turn < 60);
    stream_send(stream, rest, count);
    size_t left = 0;
    for (size_t i = 0; i < count; i++)
      if (stream->fates[i] != TALLY_FATE_SENT &&
          stream->fates[i] != TALLY_FATE_REFUSED)
        rest[left++] = rest[i];
    count = left;
  }
}
