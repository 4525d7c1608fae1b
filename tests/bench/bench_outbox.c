/* SPDX-License-Identifier: MIT */

/*
 * What the outbox costs: records of 220 bytes with 20 keys from one producer to
 * a destination that takes everything at once, all threads together. Prints
 * JSON lines for table.py. The spool is below $TMPDIR.
 *
 *   bench_outbox [RECORDS]       default: 2 000 000
 */

#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "delivery/delivery.h"

#define LEN 220
#define KEYS 20
#define AT_ONCE 100
#define PATIENCE_MS 60000

static int take_all(void *data, const tally_record_t *records, size_t count,
                    tally_fate_t *fates, tally_answer_t *answer,
                    tally_error_t *err) {
  for (size_t i = 0; i < count; i++)
    fates[i] = TALLY_FATE_SENT;
  return 0;
}

static double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fill(tally_record_t records[AT_ONCE]) {
  static const char text[LEN];
  static char keys[KEYS][16];
  for (size_t i = 0; i < AT_ONCE; i++) {
    char *key = keys[i % KEYS];
    int len = snprintf(key, sizeof(keys[0]), "container-%zu", i % KEYS);
    records[i] = (tally_record_t){
        .key = key, .key_len = (size_t)len, .data = text, .len = LEN};
  }
}

/* Puts `count` records, waiting where there is no room. */
static int put(tally_outbox_t *outbox, size_t count, size_t at_once) {
  tally_record_t records[AT_ONCE];
  fill(records);
  for (size_t done = 0; done < count; done += at_once) {
    size_t accepted = 0;
    while (accepted < at_once) {
      accepted += tally_outbox_put_all(outbox, records + accepted,
                                       at_once - accepted, NULL);
      if (accepted < at_once)
        tally_outbox_flush(outbox, PATIENCE_MS);
    }
  }
  return tally_outbox_flush(outbox, PATIENCE_MS) ? 0 : -1;
}

static int measure(const char *what, const tally_outbox_options_t *options,
                   size_t count, size_t at_once, double least) {
  tally_destination_t destination = {.send = take_all};
  tally_error_t err = {0};
  tally_outbox_t *outbox = tally_outbox_create(options, &destination, &err);
  if (outbox == NULL) {
    fprintf(stderr, "%s\n", err.message);
    return -1;
  }
  double begin = cpu_seconds();
  int status = put(outbox, count, at_once);
  double seconds = cpu_seconds() - begin;
  tally_outbox_stats_t stats;
  tally_outbox_destroy(outbox, PATIENCE_MS, &stats);
  if (status != 0 || stats.sent != count) {
    fprintf(stderr, "%s: %llu of %zu records sent\n", what,
            (unsigned long long)stats.sent, count);
    return -1;
  }
  printf("{\"what\": \"outbox, %s\", \"value\": %.0f, "
         "\"unit\": \"records/CPU-s\"",
         what, (double)count / seconds);
  if (least > 0)
    printf(", \"least\": %.0f", least);
  printf("}\n");
  fflush(stdout);
  return 0;
}

int main(int argc, char **argv) {
  size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000000;
  count -= count % AT_ONCE;
  const char *parent = getenv("TMPDIR");
  char directory[PATH_MAX];
  snprintf(directory, sizeof(directory), "%s/bench-outbox-XXXXXX",
           parent != NULL ? parent : "/tmp");
  if (count == 0 || mkdtemp(directory) == NULL) {
    perror(directory);
    return 1;
  }
  tally_outbox_options_t memory = {.linger_ns = TALLY_NS_PER_MS};
  tally_outbox_options_t durable = {.linger_ns = TALLY_NS_PER_MS,
                                    .spool = directory,
                                    .durable = true,
                                    .sync = TALLY_SYNC_SECOND,
                                    .spool_bytes = UINT64_C(4) << 30};
  int status = 0;
  status |= measure("memory, one by one", &memory, count, 1, 1e6);
  status |= measure("memory, 100 at once", &memory, count, AT_ONCE, 1.5e6);
  status |= measure("durable, one by one", &durable,
                    count / 4 / AT_ONCE * AT_ONCE, 1, 0);
  status |= measure("durable, 100 at once", &durable, count, AT_ONCE, 5e5);
  rmdir(directory);
  return status != 0;
}
