/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cloudwatch_scene.h"

#include "core/clock.h"

ship_t ship;

void load_ship(void) {
  memset(&ship, 0, sizeof(ship));
  tally_gatherer_options_t options = {0};
  ship.gatherer = tally_gatherer_create(&options, NULL);
  assert_non_null(ship.gatherer);
}

void sink(void) {
  ship.destination.release(ship.destination.data);
  for (size_t i = 0; i < ship.count; i++) {
    free((char *)ship.records[i].key);
    free((char *)ship.records[i].data);
  }
  tally_gatherer_destroy(ship.gatherer);
}

static void *copy(const void *data, size_t len) {
  void *bytes = malloc(len);
  assert_non_null(bytes);
  return memcpy(bytes, data, len);
}

void take(const char *namespace_, const char *name, double value) {
  tally_metric_t metric = {.namespace_ = namespace_,
                           .name = name,
                           .resolution_s = 60,
                           .time_ns = tally_clock_realtime_ns(),
                           .value = value};
  assert_int_equal(
      tally_gatherer_add(ship.gatherer, &metric, metric.time_ns, NULL),
      TALLY_METRIC_TAKEN);
  tally_harvest_t *harvest = tally_gatherer_harvest(ship.gatherer, UINT64_MAX);
  tally_record_t *record = &ship.records[ship.count++];
  assert_true(tally_harvest_next(harvest, record));
  record->key = copy(record->key, record->key_len);
  record->data = copy(record->data, record->len);
  tally_harvest_destroy(harvest);
}

int send_all(void) {
  memset(ship.fates, 0, sizeof(ship.fates));
  ship.answer = (tally_answer_t){0};
  ship.err = (tally_error_t){0};
  return ship.destination.send(ship.destination.data, ship.records, ship.count,
                               ship.fates, &ship.answer, &ship.err);
}

void expect_fates(const char *fates) {
  char found[DATA_MAX + 1] = "";
  for (size_t i = 0; i < ship.count; i++)
    found[i] = "usrx"[ship.fates[i]];
  assert_string_equal(found, fates);
}
