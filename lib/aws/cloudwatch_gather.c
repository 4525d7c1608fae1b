/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "aws/cloudwatch_datum.h"
#include "core/clock.h"
#include "core/hash.h"

#define PERIOD_S 60
#define ROWS_MAX 100000
#define VALUES_FIRST 4 /* room in a new row; doubled when it is full */
/* What CloudWatch rejects as too small: nobody can tell it from nothing. */
#define VALUE_MIN 0x1p-360

/* One metric in one period. Its key is the head of its data followed by the
 * beginning of the period. */
typedef struct row_s {
  UT_hash_handle hh;
  struct row_s *next; /* in a harvest */
  uint64_t begin_ns, end_ns;
  tally_statistics_t statistics;
  tally_valued_t *values; /* rising; NULL: there is only the statistics */
  uint32_t count, size;
  uint32_t head_len;
  char key[];
} row_t;

struct tally_gatherer_s {
  uint64_t period_ns;
  size_t rows_max;
  row_t *rows;
  uint64_t first_end_ns; /* no row ends before; UINT64_MAX: there is none */
  tally_buffer_t key;    /* of the row that is looked for */
};

struct tally_harvest_s {
  row_t *first, *last;
  size_t at;           /* of the values of `first` */
  tally_buffer_t data; /* of the record that was handed out */
  uint64_t hash;       /* its key */
};

tally_gatherer_t *tally_gatherer_create(const tally_gatherer_options_t *options,
                                        tally_error_t *err) {
  tally_gatherer_t *gatherer = calloc(1, sizeof(*gatherer));
  if (gatherer == NULL) {
    tally_error_set(err, ENOMEM, "gatherer");
    return NULL;
  }
  gatherer->period_ns =
      (options->period_s > 0 ? options->period_s : PERIOD_S) * TALLY_NS_PER_S;
  gatherer->rows_max = options->rows_max > 0 ? options->rows_max : ROWS_MAX;
  gatherer->first_end_ns = UINT64_MAX;
  tally_buffer_init(&gatherer->key, TALLY_DATUM_HEAD_MAX + sizeof(uint64_t));
  return gatherer;
}

static void free_row(row_t *row) {
  free(row->values);
  free(row);
}

void tally_gatherer_destroy(tally_gatherer_t *gatherer) {
  if (gatherer == NULL)
    return;
  tally_harvest_destroy(tally_gatherer_harvest(gatherer, UINT64_MAX));
  /* Had there been no memory for that harvest, its rows would still be here. */
  row_t *row, *next;
  HASH_ITER(hh, gatherer->rows, row, next) {
    HASH_DEL(gatherer->rows, row);
    free_row(row);
  }
  tally_buffer_clear(&gatherer->key);
  free(gatherer);
}

size_t tally_gatherer_rows(const tally_gatherer_t *gatherer) {
  return HASH_COUNT(gatherer->rows);
}

/* ---- adding -------------------------------------------------------------- */

/* From here on the row has no values, only what they amount to. */
static void forget_values(row_t *row) {
  free(row->values);
  row->values = NULL;
  row->count = row->size = 0;
}

static row_t *make_row(tally_gatherer_t *gatherer, const tally_metric_t *metric,
                       uint64_t begin_ns, uint64_t end_ns) {
  const tally_buffer_t *key = &gatherer->key;
  if (HASH_COUNT(gatherer->rows) >= gatherer->rows_max)
    return NULL;
  row_t *row = calloc(1, sizeof(*row) + key->len);
  if (row == NULL)
    return NULL;
  if (!metric->statistics) {
    row->values = malloc(VALUES_FIRST * sizeof(*row->values));
    row->size = VALUES_FIRST;
    if (row->values == NULL) {
      free(row);
      return NULL;
    }
  }
  row->begin_ns = begin_ns;
  row->end_ns = end_ns;
  row->statistics.minimum = INFINITY;
  row->statistics.maximum = -INFINITY;
  memcpy(row->key, key->data, key->len);
  row->head_len = (uint32_t)(key->len - sizeof(begin_ns));
  HASH_ADD(hh, gatherer->rows, key, key->len, row);
  if (end_ns < gatherer->first_end_ns)
    gatherer->first_end_ns = end_ns;
  return row;
}

/* Names are looked at where a row begins; the same bytes are as good later. */
static tally_metric_verdict_t find_row(tally_gatherer_t *gatherer,
                                       const tally_metric_t *metric,
                                       row_t **row, tally_error_t *err) {
  uint64_t period_ns =
      metric->resolution_s == 1 ? TALLY_NS_PER_S : gatherer->period_ns;
  uint64_t begin_ns = metric->time_ns - metric->time_ns % period_ns;
  tally_buffer_t *key = &gatherer->key;
  tally_buffer_reset(key);
  if (tally_datum_put_head(key, metric) != 0 ||
      tally_buffer_append(key, &begin_ns, sizeof(begin_ns)) != 0) {
    tally_metric_verdict_t verdict = tally_metric_check_names(metric, err);
    return verdict != TALLY_METRIC_TAKEN ? verdict : TALLY_METRIC_NO_ROOM;
  }
  HASH_FIND(hh, gatherer->rows, key->data, key->len, *row);
  if (*row != NULL)
    return TALLY_METRIC_TAKEN;
  tally_metric_verdict_t verdict = tally_metric_check_names(metric, err);
  if (verdict != TALLY_METRIC_TAKEN)
    return verdict;
  *row = make_row(gatherer, metric, begin_ns, begin_ns + period_ns);
  if (*row != NULL)
    return TALLY_METRIC_TAKEN;
  tally_error_set(err, 0, "no room for more than %zu metrics at a time",
                  tally_gatherer_rows(gatherer));
  return TALLY_METRIC_NO_ROOM;
}

/* Where the value stands, or has to. */
static uint32_t position(const row_t *row, double value) {
  uint32_t from = 0, to = row->count;
  while (from < to) {
    uint32_t middle = from + (to - from) / 2;
    if (row->values[middle].value < value)
      from = middle + 1;
    else
      to = middle;
  }
  return from;
}

static bool has_room(row_t *row) {
  if (row->count < row->size)
    return true;
  if (row->count >= TALLY_METRIC_VALUES_MAX)
    return false;
  uint32_t size = row->size * 2 < TALLY_METRIC_VALUES_MAX
                      ? row->size * 2
                      : TALLY_METRIC_VALUES_MAX;
  tally_valued_t *values = realloc(row->values, size * sizeof(*values));
  if (values == NULL)
    return false;
  row->values = values;
  row->size = size;
  return true;
}

static void add_value(row_t *row, double value) {
  uint32_t at = position(row, value);
  if (at < row->count && row->values[at].value == value &&
      row->values[at].count < UINT32_MAX) {
    row->values[at].count++;
  } else if (at < row->count && row->values[at].value == value) {
    forget_values(row);
  } else if (has_room(row)) {
    memmove(row->values + at + 1, row->values + at,
            (row->count - at) * sizeof(*row->values));
    row->values[at] = (tally_valued_t){.value = value, .count = 1};
    row->count++;
  } else {
    forget_values(row);
  }
}

static void add_statistics(tally_statistics_t *s, double value) {
  s->minimum = fmin(s->minimum, value);
  s->maximum = fmax(s->maximum, value);
  s->sum += value;
  s->samples++;
}

tally_metric_verdict_t tally_gatherer_add(tally_gatherer_t *gatherer,
                                          const tally_metric_t *metric,
                                          uint64_t now_ns, tally_error_t *err) {
  double value = metric->value;
  tally_metric_verdict_t verdict = tally_metric_check_value(value, err);
  if (verdict == TALLY_METRIC_TAKEN)
    verdict = tally_metric_check_time(metric->time_ns, now_ns, err);
  row_t *row;
  if (verdict == TALLY_METRIC_TAKEN)
    verdict = find_row(gatherer, metric, &row, err);
  if (verdict != TALLY_METRIC_TAKEN)
    return verdict;
  if (fabs(value) < VALUE_MIN)
    value = 0; /* also of -0, which equals it and is written otherwise */
  if (!tally_metric_value_is_good(row->statistics.sum + value)) {
    tally_error_set(err, 0, "the sum of the period is beyond 2^360");
    return TALLY_METRIC_OUT_OF_RANGE;
  }
  add_statistics(&row->statistics, value);
  if (row->values != NULL)
    add_value(row, value);
  return TALLY_METRIC_TAKEN;
}

/* ---- the harvest --------------------------------------------------------- */

tally_harvest_t *tally_gatherer_harvest(tally_gatherer_t *gatherer,
                                        uint64_t end_ns) {
  if (gatherer->rows == NULL || gatherer->first_end_ns > end_ns)
    return NULL;
  tally_harvest_t *harvest = calloc(1, sizeof(*harvest));
  if (harvest == NULL)
    return NULL;
  tally_buffer_init(&harvest->data, TALLY_DATUM_MAX);
  gatherer->first_end_ns = UINT64_MAX;
  row_t *row, *following;
  HASH_ITER(hh, gatherer->rows, row, following) {
    if (row->end_ns > end_ns) {
      if (row->end_ns < gatherer->first_end_ns)
        gatherer->first_end_ns = row->end_ns;
      continue;
    }
    HASH_DEL(gatherer->rows, row);
    if (harvest->last != NULL)
      harvest->last->next = row;
    else
      harvest->first = row;
    harvest->last = row;
  }
  return harvest;
}

static void drop_first(tally_harvest_t *harvest) {
  row_t *row = harvest->first;
  harvest->first = row->next;
  harvest->at = 0;
  free_row(row);
}

/* The next data of the first row. */
static int put_row(tally_harvest_t *harvest, const row_t *row) {
  tally_buffer_t *data = &harvest->data;
  tally_buffer_reset(data);
  if (tally_buffer_append(data, row->key, row->head_len) != 0)
    return -1;
  if (row->values == NULL)
    return tally_datum_put_statistics(data, 0, &row->statistics);
  size_t count = row->count - harvest->at;
  if (count > TALLY_DATUM_VALUES_MAX)
    count = TALLY_DATUM_VALUES_MAX;
  const tally_valued_t *values = row->values + harvest->at;
  harvest->at += count;
  return tally_datum_put_values(data, 0, values, count);
}

bool tally_harvest_next(tally_harvest_t *harvest, tally_record_t *datum) {
  row_t *row = harvest->first;
  if (row != NULL && harvest->at > 0 && harvest->at == row->count)
    drop_first(harvest);
  if ((row = harvest->first) == NULL)
    return false;
  if (put_row(harvest, row) != 0)
    return false; /* no memory for one datum; nothing can be done with more */
  harvest->hash = tally_hash(row->key + TALLY_DATUM_IDENTITY,
                             row->head_len - TALLY_DATUM_IDENTITY);
  *datum = (tally_record_t){
      .key = (const char *)&harvest->hash,
      .key_len = sizeof(harvest->hash),
      .data = harvest->data.data,
      .len = harvest->data.len,
      .time_ns = row->begin_ns,
  };
  if (row->values == NULL)
    drop_first(harvest);
  return true;
}

void tally_harvest_destroy(tally_harvest_t *harvest) {
  if (harvest == NULL)
    return;
  while (harvest->first != NULL)
    drop_first(harvest);
  tally_buffer_clear(&harvest->data);
  free(harvest);
}
