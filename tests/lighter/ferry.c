/* SPDX-License-Identifier: MIT */

/*
 * A producer of numbered records, to see what becomes of them: COUNT lines of
 * each of KEYS keys go through a durable outbox to Kinesis or CloudWatch Logs.
 * How far each key came is a note beside its records, so the same command again
 * goes on where a killed one was. Ends when everything has been delivered.
 *
 *   ferry --to kinesis --name STREAM --spool DIR --numbers FILE ...
 *
 * Where to and as whom is what AWS's own environment variables say. FILE always
 * holds the newest numbers of the outbox, as a JSON object.
 */

#include "config.h"

#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aws/cloudwatch_logs.h"
#include "aws/kinesis.h"
#include "core/cleanup.h"
#include "core/clock.h"

#define KEYS_MAX 100
#define AT_ONCE 100 /* records of a key */
#define LINE_SIZE 256
#define REST_US 5000
#define END_MS 5000

typedef struct options_s {
  const char *to, *name, *spool, *numbers;
  size_t keys;
  uint64_t count;
  bool aggregate, any_order;
  int timeout_ms;
} options_t;

typedef struct ferry_s {
  const options_t *options;
  tally_outbox_t *outbox;
  int numbers;             /* a descriptor */
  uint64_t next[KEYS_MAX]; /* number of each key's next line */
  tally_outbox_stats_t stats;
  char said[256]; /* the trouble that was on stderr last */
} ferry_t;

static volatile sig_atomic_t stops;

static void stop(int signal) { stops = 1; }

/* ---- options
 * ----------------------------------------------------------------- */

static int parse_options(int argc, char **argv, options_t *options) {
  static const struct option known[] = {
      {"to", required_argument, NULL, 't'},
      {"name", required_argument, NULL, 'n'},
      {"spool", required_argument, NULL, 's'},
      {"numbers", required_argument, NULL, 'f'},
      {"keys", required_argument, NULL, 'k'},
      {"count", required_argument, NULL, 'c'},
      {"aggregate", no_argument, NULL, 'a'},
      {"any-order", no_argument, NULL, 'o'},
      {"timeout-ms", required_argument, NULL, 'm'},
      {0}};
  *options = (options_t){.keys = 20, .count = 1000};
  int c;
  while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
    if (c == 't')
      options->to = optarg;
    else if (c == 'n')
      options->name = optarg;
    else if (c == 's')
      options->spool = optarg;
    else if (c == 'f')
      options->numbers = optarg;
    else if (c == 'k')
      options->keys = strtoul(optarg, NULL, 10);
    else if (c == 'c')
      options->count = strtoull(optarg, NULL, 10);
    else if (c == 'a')
      options->aggregate = true;
    else if (c == 'o')
      options->any_order = true;
    else if (c == 'm')
      options->timeout_ms = (int)strtol(optarg, NULL, 10);
    else
      return -1;
  }
  bool fine = options->to != NULL && options->name != NULL &&
              options->spool != NULL && options->numbers != NULL &&
              options->keys >= 1 && options->keys <= KEYS_MAX;
  return fine ? 0 : -1;
}

/* ---- the outbox
 * -------------------------------------------------------------- */

static int open_destination(const options_t *options,
                            tally_destination_t *destination,
                            tally_outbox_options_t *outbox,
                            tally_error_t *err) {
  tally_aws_session_t *session = tally_aws_session_create(
      &(tally_aws_options_t){.timeout_ms = options->timeout_ms}, err);
  if (session == NULL)
    return -1;
  int status;
  if (strcmp(options->to, "kinesis") == 0)
    status = tally_kinesis_open(
        session,
        &(tally_kinesis_options_t){.stream = options->name,
                                   .aggregate = options->aggregate,
                                   .order = options->any_order
                                                ? TALLY_KINESIS_ORDER_NONE
                                                : TALLY_KINESIS_ORDER_KEY},
        destination, outbox, err);
  else
    status = tally_cloudwatch_logs_open(
        session,
        &(tally_cloudwatch_logs_options_t){.group = options->name,
                                           .create_group = true},
        destination, outbox, err);
  tally_aws_session_unref(session); /* the destination keeps it */
  return status;
}

static tally_outbox_t *open_outbox(const options_t *options,
                                   tally_error_t *err) {
  tally_destination_t destination;
  tally_outbox_options_t outbox = {.name = "ferry",
                                   .spool = options->spool,
                                   .durable = true,
                                   .linger_ns = 20 * TALLY_NS_PER_MS,
                                   .backoff_base_ns = 20 * TALLY_NS_PER_MS,
                                   .backoff_cap_ns = TALLY_NS_PER_S};
  if (open_destination(options, &destination, &outbox, err) != 0)
    return NULL;
  tally_outbox_t *made = tally_outbox_create(&outbox, &destination, err);
  if (made == NULL)
    destination.release(destination.data);
  return made;
}

static void say_trouble(ferry_t *ferry) {
  if (strcmp(ferry->said, ferry->stats.last_error_text) == 0)
    return;
  memcpy(ferry->said, ferry->stats.last_error_text, sizeof(ferry->said));
  fprintf(stderr, "ferry: %s\n", ferry->said);
}

/* Read by somebody else at any time, so it is one write of a fixed length. */
static void write_numbers(ferry_t *ferry) {
  tally_outbox_stats_t *s = &ferry->stats;
  tally_outbox_stats(ferry->outbox, s);
  uint64_t lost = 0;
  for (tally_loss_t i = TALLY_LOSS_ACCEPTED; i < TALLY_LOSSES; i++)
    lost += s->lost[i];
  char text[512];
  int len = snprintf(text, sizeof(text),
                     "{\"accepted\":%" PRIu64 ",\"recovered\":%" PRIu64
                     ",\"sent\":%" PRIu64 ",\"failed\":%" PRIu64
                     ",\"retried\":%" PRIu64 ",\"possible_duplicates\":%" PRIu64
                     ",\"lost\":%" PRIu64 ",\"queued\":%" PRIu64 "}",
                     s->accepted, s->recovered, s->sent, s->failed, s->retried,
                     s->possible_duplicates, lost, s->queued);
  memset(text + len, ' ', sizeof(text) - (size_t)len);
  if (pwrite(ferry->numbers, text, sizeof(text), 0) < 0)
    perror("ferry: numbers");
  say_trouble(ferry);
}

/* ---- records
 * ----------------------------------------------------------------- */

/* Puts some lines of a key; false: there is no room at present. */
static bool put_some(ferry_t *ferry, size_t k) {
  char key[32], note[32], lines[AT_ONCE][LINE_SIZE];
  int key_len = snprintf(key, sizeof(key), "c%02zu", k);
  tally_record_t records[AT_ONCE];
  uint64_t number = ferry->next[k], now = tally_clock_realtime_ns();
  size_t count = 0;
  while (count < AT_ONCE && number < ferry->options->count) {
    int len = snprintf(lines[count], LINE_SIZE, "line=%s/%" PRIu64 " %*s", key,
                       number++, 180, "and more of the same");
    records[count] = (tally_record_t){.key = key,
                                      .key_len = (size_t)key_len,
                                      .data = lines[count],
                                      .len = (size_t)len,
                                      .time_ns = now};
    count++;
  }
  snprintf(note, sizeof(note), "%" PRIu64, number);
  if (tally_outbox_put_noted(ferry->outbox, records, count, NULL, key, note) !=
      0)
    return false;
  ferry->next[k] = number;
  return true;
}

static void find_places(ferry_t *ferry) {
  for (size_t k = 0; k < ferry->options->keys; k++) {
    char key[32], note[TALLY_OUTBOX_NOTE_TEXT_MAX + 1];
    snprintf(key, sizeof(key), "c%02zu", k);
    if (tally_outbox_note(ferry->outbox, key, note))
      ferry->next[k] = strtoull(note, NULL, 10);
  }
}

/* A round of all keys; true: there is nothing left to put. */
static bool put_round(ferry_t *ferry) {
  bool done = true;
  for (size_t k = 0; k < ferry->options->keys; k++) {
    if (ferry->next[k] == ferry->options->count)
      continue;
    done = false;
    if (!put_some(ferry, k))
      usleep(REST_US);
  }
  return done;
}

static void carry(ferry_t *ferry) {
  find_places(ferry);
  while (!stops && !put_round(ferry))
    write_numbers(ferry);
  write_numbers(ferry);
  while (!stops && ferry->stats.queued > 0) {
    tally_outbox_flush(ferry->outbox, 10);
    write_numbers(ferry);
  }
}

int main(int argc, char **argv) {
  options_t options;
  if (parse_options(argc, argv, &options) != 0) {
    fprintf(stderr, "usage: see ferry.c\n");
    return 2;
  }
  signal(SIGTERM, stop);
  tally_autoclose int numbers =
      open(options.numbers, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (numbers < 0) {
    perror("ferry: open");
    return 1;
  }
  ferry_t ferry = {.options = &options, .numbers = numbers};
  tally_error_t err = {0};
  ferry.outbox = open_outbox(&options, &err);
  if (ferry.outbox == NULL) {
    fprintf(stderr, "ferry: %s\n", err.message);
    return 1;
  }
  carry(&ferry);
  tally_outbox_destroy(ferry.outbox, END_MS, &ferry.stats);
  return 0;
}
