/* SPDX-License-Identifier: MIT */

/*
 * What a value costs on its way to CloudWatch: into the gatherer, out of it as
 * a record, into a form, compressed. METRICS metrics with two dimensions,
 * VALUES different values each in a period. Prints JSON lines for table.py.
 *
 *   bench_cloudwatch [PERIODS]       default: 10
 */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "aws/cloudwatch_call.h"
#include "aws/cloudwatch_form.h"
#include "core/clock.h"
#include "core/compress.h"

#define METRICS 10000
#define VALUES 6
#define NOON_NS (UINT64_C(1462104000) * TALLY_NS_PER_S)

/* CPU time of each step, in seconds. */
typedef struct costs_s {
  double gather, harvest, form, gzip;
  size_t values, data, plain_bytes, packed_bytes;
} costs_t;

static char hosts[METRICS][24];

static double cpu_seconds(void) {
  return (double)tally_clock_thread_cpu_ns() / 1e9;
}

static int gather(tally_gatherer_t *gatherer, uint64_t begin_ns,
                  costs_t *costs) {
  double begin = cpu_seconds();
  for (unsigned v = 0; v < VALUES; v++)
    for (unsigned m = 0; m < METRICS; m++) {
      const tally_dimension_t dimensions[] = {
          {"Host", hosts[m]}, {"PluginInstance", "shop-frontend"}};
      tally_metric_t metric = {.namespace_ = "containers",
                               .name = "docker.container_memory.working_set",
                               .dimensions = dimensions,
                               .dimensions_count = 2,
                               .unit = "Bytes",
                               .resolution_s = 60,
                               .time_ns = begin_ns + v * 10 * TALLY_NS_PER_S,
                               .value = 1e8 + m * 4096.0 + v * 0.1};
      if (tally_gatherer_add(gatherer, &metric, begin_ns, NULL) !=
          TALLY_METRIC_TAKEN)
        return -1;
    }
  costs->gather += cpu_seconds() - begin;
  costs->values += METRICS * VALUES;
  return 0;
}

/* A thousand data make a call. */
static int finish_call(tally_compressor_t *gzip, tally_buffer_t *form,
                       tally_buffer_t *packed, costs_t *costs) {
  double begin = cpu_seconds();
  int status = tally_compressor_run(gzip, form->data, form->len, packed);
  costs->gzip += cpu_seconds() - begin;
  costs->plain_bytes += form->len;
  costs->packed_bytes += packed->len;
  tally_buffer_reset(form);
  tally_buffer_reset(packed);
  return status;
}

static int send_all(tally_gatherer_t *gatherer, tally_compressor_t *gzip,
                    tally_buffer_t *form, tally_buffer_t *packed,
                    costs_t *costs) {
  double begin = cpu_seconds();
  tally_harvest_t *harvest = tally_gatherer_harvest(gatherer, UINT64_MAX);
  tally_record_t record;
  unsigned number = 0;
  int status = 0;
  while (tally_harvest_next(harvest, &record)) {
    double harvested = cpu_seconds();
    tally_datum_t datum;
    status |= tally_datum_parse(&datum, &record, NULL);
    status |= tally_cloudwatch_form_put(form, ++number, &datum);
    double formed = cpu_seconds();
    costs->harvest += harvested - begin;
    costs->form += formed - harvested;
    costs->data++;
    if (number == TALLY_CLOUDWATCH_CALL_DATA) {
      status |= finish_call(gzip, form, packed, costs);
      number = 0;
    }
    begin = cpu_seconds();
  }
  tally_harvest_destroy(harvest);
  return status;
}

static void print(const char *what, double value, const char *unit) {
  printf("{\"what\": \"cloudwatch, %s\", \"value\": %.3g, \"unit\": "
         "\"%s\"}\n",
         what, value, unit);
}

int main(int argc, char **argv) {
  int periods = argc > 1 ? atoi(argv[1]) : 10;
  const tally_gatherer_options_t options = {.period_s = 60};
  tally_gatherer_t *gatherer = tally_gatherer_create(&options, NULL);
  tally_compressor_t *gzip =
      tally_compressor_create(TALLY_COMPRESSION_GZIP, 0, NULL);
  tally_buffer_t form, packed;
  tally_buffer_init(&form, 2 * TALLY_CLOUDWATCH_CALL_BYTES);
  tally_buffer_init(&packed, 2 * TALLY_CLOUDWATCH_CALL_BYTES);
  costs_t costs = {0};
  int status = gatherer == NULL || gzip == NULL ? -1 : 0;
  for (unsigned m = 0; m < METRICS; m++)
    snprintf(hosts[m], sizeof(hosts[m]), "web-%05u.example", m);
  for (int p = 0; p < periods && status == 0; p++) {
    uint64_t begin_ns = NOON_NS + (uint64_t)p * 60 * TALLY_NS_PER_S;
    status = gather(gatherer, begin_ns, &costs);
    if (status == 0)
      status = send_all(gatherer, gzip, &form, &packed, &costs);
  }
  tally_gatherer_destroy(gatherer);
  tally_compressor_destroy(gzip);
  tally_buffer_clear(&form);
  tally_buffer_clear(&packed);
  if (status != 0 || costs.data == 0) {
    fprintf(stderr, "bench_cloudwatch: something was not taken\n");
    return 1;
  }
  double data = (double)costs.data;
  print("gathered", costs.gather * 1e9 / (double)costs.values, "ns/value");
  print("made a record", costs.harvest * 1e9 / data, "ns/datum of 6 values");
  print("written as a form", costs.form * 1e9 / data, "ns/datum of 6 values");
  print("gzip", costs.gzip * 1e9 / data, "ns/datum of 6 values");
  print("plain", (double)costs.plain_bytes / data, "bytes/datum of 6 values");
  print("sent", (double)costs.packed_bytes / data, "bytes/datum of 6 values");
  return 0;
}
