/* SPDX-License-Identifier: MIT */

/*
 * What it costs to bring records into a Kinesis stream: lines of 220 bytes with
 * 20 keys, from put to the TLS socket of lighter, on one CPU, with all threads
 * of this process, the kernel's part included. Beside it two floors: the same
 * bytes copied, as base64, over TLS; and this with the MD5 and the SHA-256 that
 * the KPL's format and the signature ask for. Prints JSON lines for table.py.
 *
 *   bench_kinesis [RECORDS [WAY]]       default: 2 000 000, all ways
 *   bench_kinesis --lines               prints what is sent, for others
 *
 * TALLYMAN_BUILD says where tests/lighter/lighter is, and there has to be an
 * openssl(1) for the certificate.
 */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "aws/kinesis.h"
#include "bench_sink.h"
#include "core/clock.h"

#define LEN 220
#define KEYS 20
#define AT_ONCE 100
#define PATIENCE_MS 120000
/* So many different ones, that compression finds no line a second time. */
#define LINES 20000

static double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- records ------------------------------------------------------------- */

static tally_record_t records[LINES];

/* What the Engine's json-file has of a web server: words that repeat, numbers
 * that do not. */
static int make_records(void) {
  static const char *const paths[] = {"/", "/login", "/api/v1/items",
                                      "/api/v1/items/search", "/static/app.js"};
  static char keys[KEYS][24];
  char *text = malloc((size_t)LINES * (LEN + 1));
  if (text == NULL)
    return -1;
  uint64_t x = 1;
  for (size_t i = 0; i < LINES; i++) {
    x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    char *key = keys[i % KEYS], *line = text + i * (LEN + 1);
    int key_len =
        snprintf(key, sizeof(keys[0]), "container-%08zx", i % KEYS * 7919);
    int len =
        snprintf(line, LEN + 1,
                 "{\"log\":\"10.0.0.%u - - \\\"GET %s HTTP/1.1\\\" 200 %u "
                 "\\\"-\\\" \\\"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) "
                 "Gecko/20100101\\\"\\n\",\"stream\":\"stdout\",\"time\":"
                 "\"2026-01-01T00:%02zu:%02zu.%06uZ\",\"seq\":%zu",
                 (unsigned)(x >> 58), paths[(x >> 33) % 5], (unsigned)(x >> 52),
                 i / 60 % 60, i % 60, (unsigned)(x >> 20) % 1000000, i);
    memset(line + len, ' ', (size_t)(LEN - len));
    line[LEN - 1] = '}';
    records[i] = (tally_record_t){
        .key = key, .key_len = (size_t)key_len, .data = line, .len = LEN};
  }
  return 0;
}

static int print_records(void) {
  for (size_t i = 0; i < LINES; i++)
    if (printf("%.*s\n", LEN, (const char *)records[i].data) < 0)
      return 1;
  return fflush(stdout) != 0;
}

/* ---- ways --------------------------------------------------------------- */

typedef struct way_s {
  const char *name;
  tally_kinesis_options_t options;
  double least;
} way_t;

static const way_t ways[] = {
    {"aggregated", {.stream = "aggregated", .aggregate = true}, 1e6},
    {"aggregated to 1 MiB",
     {.stream = "large", .aggregate = true, .aggregate_bytes = 1 << 20},
     1e6},
    {"plain", {.stream = "plain", .order = TALLY_KINESIS_ORDER_NONE}, 4e5},
    {"aggregated + zstd",
     {.stream = "zstd",
      .aggregate = true,
      .compression = TALLY_COMPRESSION_ZSTD},
     1e6},
    {"aggregated + gzip",
     {.stream = "gzip",
      .aggregate = true,
      .compression = TALLY_COMPRESSION_GZIP,
      .compression_level = 1},
     0},
    {"one of a key per call", {.stream = "order"}, 0},
};

static void print_rate(const char *name, double rate, double least) {
  printf("{\"what\": \"Kinesis, %s\", \"value\": %.0f, "
         "\"unit\": \"records/CPU-s\"",
         name, rate);
  if (least > 0)
    printf(", \"least\": %.0f", least);
  printf("}\n");
  fflush(stdout);
}

static int put(tally_outbox_t *outbox, size_t count) {
  for (size_t done = 0; done < count; done += AT_ONCE) {
    const tally_record_t *some = records + done % LINES;
    size_t accepted = 0;
    while (accepted < AT_ONCE) {
      accepted += tally_outbox_put_all(outbox, some + accepted,
                                       AT_ONCE - accepted, NULL);
      if (accepted < AT_ONCE && !tally_outbox_flush(outbox, PATIENCE_MS))
        return -1;
    }
  }
  return tally_outbox_flush(outbox, PATIENCE_MS) ? 0 : -1;
}

/* Records per second of what no sender can leave out; 0: not measured. */
typedef struct floors_s {
  double bytes, digests;
} floors_t;

static void print_ratio(const char *name, const char *floor, double ratio,
                        const char *note) {
  printf("{\"what\": \"Kinesis, %s, against %s\", \"value\": %.2f, "
         "\"unit\": \"×\", \"note\": \"%s\"}\n",
         name, floor, ratio, note);
  fflush(stdout);
}

static void compare(const way_t *way, const floors_t *floors, double rate,
                    const tally_kinesis_stats_t *kinesis) {
  char note[160];
  snprintf(note, sizeof(note),
           "%" PRIu64 " calls, %" PRIu64
           " records of Kinesis, %.2f of the bytes",
           kinesis->calls, kinesis->records,
           (double)kinesis->bytes_out / (double)kinesis->bytes_in);
  print_ratio(way->name, "the floor", floors->bytes / rate, note);
  if (way->options.aggregate &&
      way->options.compression == TALLY_COMPRESSION_NONE)
    print_ratio(way->name, "the floor with digests", floors->digests / rate,
                "MD5 is the format's, SHA-256 the signature's");
}

static int measure(const way_t *way, tally_aws_session_t *session, size_t count,
                   const floors_t *floors) {
  tally_error_t err = {0};
  tally_destination_t destination;
  tally_outbox_options_t options = {.linger_ns = TALLY_NS_PER_MS};
  tally_outbox_t *outbox = NULL;
  if (tally_kinesis_open(session, &way->options, &destination, &options,
                         &err) == 0)
    outbox = tally_outbox_create(&options, &destination, &err);
  if (outbox == NULL) {
    fprintf(stderr, "%s: %s\n", way->name, err.message);
    return -1;
  }
  double begin = cpu_seconds();
  int status = put(outbox, count);
  double rate = (double)count / (cpu_seconds() - begin);
  tally_kinesis_stats_t kinesis;
  tally_kinesis_stats(&destination, &kinesis);
  tally_outbox_stats_t stats;
  tally_outbox_destroy(outbox, PATIENCE_MS, &stats);
  if (status != 0 || stats.sent != count) {
    fprintf(stderr, "%s: %" PRIu64 " of %zu records sent: %s\n", way->name,
            stats.sent, count, stats.last_error_text);
    return -1;
  }
  print_rate(way->name, rate, way->least);
  if (floors->bytes > 0)
    compare(way, floors, rate, &kinesis);
  return 0;
}

static double measure_floor(bench_sink_t *sink, size_t count, bool digests) {
  double begin = cpu_seconds();
  for (size_t done = 0; done < count; done += LINES)
    if (bench_sink_write(sink, records, LINES, digests) != 0)
      return -1;
  double rate = (double)(count / LINES * LINES) / (cpu_seconds() - begin);
  print_rate(digests ? "the floor with digests: copied, MD5, base64, SHA-256, "
                       "TLS"
                     : "the floor: copied, base64, TLS",
             rate, 0);
  return rate;
}

int main(int argc, char **argv) {
  if (make_records() != 0)
    return 1;
  if (argc > 1 && strcmp(argv[1], "--lines") == 0)
    return print_records();
  size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000000;
  const char *only = argc > 2 ? argv[2] : NULL;
  count -= count % LINES;
  bench_sink_t *sink = bench_sink_open();
  if (count == 0 || sink == NULL)
    return 1;
  tally_error_t err = {0};
  tally_aws_session_t *session =
      tally_aws_session_create(bench_sink_options(sink), &err);
  floors_t floors = {0};
  if (only == NULL) {
    floors.bytes = measure_floor(sink, count, false);
    floors.digests = measure_floor(sink, count, true);
  }
  int status = session == NULL || floors.bytes < 0 || floors.digests < 0;
  for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
    if (only == NULL || strcmp(only, ways[i].name) == 0)
      /* Where the kernel and the service are most of it, less is enough. */
      status |= measure(&ways[i], session,
                        ways[i].least > 0 ? count : count / 20, &floors) != 0;
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"what\": \"Kinesis, RSS at its highest\", \"value\": %.1f, "
         "\"unit\": \"MiB\", \"most\": 64}\n",
         (double)usage.ru_maxrss / 1024);
  tally_aws_session_unref(session);
  bench_sink_close(sink);
  return status;
}
