/* SPDX-License-Identifier: MIT */
/* What Kinesis answers: results, lists of shards, descriptions of a stream. */
#include "config.h"

#include "fuzz.h"

#include <string.h>

#include "aws/kinesis_answer.h"

static void read_results(const char *text, size_t size) {
  (void)tally_kinesis_answer_is_all_taken(text);
  for (size_t count = 1; count <= 3; count++) {
    tally_json_t *answer = tally_kinesis_answer_read(text, size, count, NULL);
    for (size_t i = 0; answer != NULL && i < count; i++) {
      tally_kinesis_result_t result = tally_kinesis_answer_result(answer, i);
      FUZZ_REQUIRE(!(result.taken && result.refused));
      FUZZ_REQUIRE(result.refused == (result.code != NULL));
      FUZZ_REQUIRE(result.words != NULL);
    }
    tally_json_destroy(answer);
  }
}

/* Whatever is found has the place that was looked for. */
static void look_for(const tally_kinesis_shards_t *shards,
                     tally_kinesis_place_t place) {
  uint32_t i = tally_kinesis_shards_find(shards, place);
  if (i == TALLY_KINESIS_NO_SHARD)
    return;
  FUZZ_REQUIRE(i < shards->count);
  const tally_kinesis_shard_t *shard = &shards->list[i];
  FUZZ_REQUIRE(tally_kinesis_place_compare(shard->first, place) <= 0);
  FUZZ_REQUIRE(tally_kinesis_place_compare(shard->last, place) >= 0);
  FUZZ_REQUIRE(strlen(shard->id) < sizeof(shard->id));
}

static void read_shards(const char *text, size_t size) {
  tally_kinesis_shards_t shards = {0};
  tally_buffer_t next;
  tally_buffer_init(&next, 4096);
  int code = tally_kinesis_answer_shards(text, size, &shards, &next, NULL);
  if (code == 0) {
    tally_kinesis_shards_sort(&shards);
    look_for(&shards, (tally_kinesis_place_t){0, 0});
    look_for(&shards, (tally_kinesis_place_t){UINT64_MAX, UINT64_MAX});
    for (size_t i = 0; i < shards.count; i++) {
      look_for(&shards, shards.list[i].first);
      look_for(&shards, shards.list[i].last);
    }
    if (next.len > 0) { /* a request that can be sent */
      tally_json_t *request = tally_json_parse(next.data, next.len, NULL);
      FUZZ_REQUIRE(request != NULL);
      tally_json_destroy(request);
    }
  }
  tally_buffer_clear(&next);
  tally_kinesis_shards_clear(&shards);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  FUZZ_REQUIRE(text != NULL);
  memcpy(text, data, size);
  text[size] = '\0';
  read_results(text, size);
  read_shards(text, size);
  FUZZ_REQUIRE(tally_kinesis_answer_record_bytes(text, size) <= 10 << 20);
  free(text);
  return 0;
}
