/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "sinks_client.h"

#include <collectd/client.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/text.h"

#define LIST_FIRST_NS TALLY_NS_PER_S
#define LIST_MOST_NS (60 * TALLY_NS_PER_S)

/* An output that was listed. */
typedef struct sink_s {
  lcc_identifier_t identifier;
  uint64_t dropped; /* at the last reading; TALLY_UNKNOWN: there was none */
} sink_t;

struct tally_sinks_client_s {
  char *address; /* "unix:PATH" */
  char own_host[LCC_NAME_LEN];
  lcc_connection_t *connection; /* NULL: not connected */
  uint64_t list_ns;             /* when to list again; monotonic */
  uint64_t list_step_ns;
  sink_t *sinks; /* sorted by name, each name once */
  size_t sinks_count;
  tally_sink_reading_t *readings; /* as many at most */
};

tally_sinks_client_t *tally_sinks_client_create(const char *socket) {
  static const char scheme[] = "unix:";
  tally_sinks_client_t *client = calloc(1, sizeof(*client));
  char *address = malloc(sizeof(scheme) + strlen(socket));
  if (client == NULL || address == NULL) {
    free(client);
    free(address);
    return NULL;
  }
  client->address = strcat(strcpy(address, scheme), socket);
  (void)gethostname(client->own_host, sizeof(client->own_host) - 1);
  return client;
}

static void hang_up(tally_sinks_client_t *client) {
  if (client->connection != NULL)
    lcc_disconnect(client->connection);
  client->connection = NULL;
}

void tally_sinks_client_destroy(tally_sinks_client_t *client) {
  if (client == NULL)
    return;
  hang_up(client);
  free(client->address);
  free(client->sinks);
  free(client->readings);
  free(client);
}

/* ---- which outputs there are --------------------------------------------- */

static bool is_sink(const lcc_identifier_t *i) {
  return strcmp(i->plugin, "tallyman") == 0 && i->plugin_instance[0] != '\0' &&
         strcmp(i->type, "tallyman_outbox") == 0;
}

/* By name. A collectd may have values of other hosts: those of our own come
 * first. */
static int compare(const void *a, const void *b, void *data) {
  const lcc_identifier_t *x = &((const sink_t *)a)->identifier;
  const lcc_identifier_t *y = &((const sink_t *)b)->identifier;
  const char *own = data;
  int order = strcmp(x->plugin_instance, y->plugin_instance);
  if (order == 0)
    order = (strcmp(y->host, own) == 0) - (strcmp(x->host, own) == 0);
  return order != 0 ? order : lcc_identifier_compare(x, y);
}

static uint64_t dropped_before(const tally_sinks_client_t *client,
                               const lcc_identifier_t *identifier) {
  for (size_t i = 0; i < client->sinks_count; i++)
    if (lcc_identifier_compare(&client->sinks[i].identifier, identifier) == 0)
      return client->sinks[i].dropped;
  return TALLY_UNKNOWN;
}

static size_t keep_first_of_each(sink_t *sinks, size_t count) {
  size_t kept = 0;
  for (size_t i = 0; i < count; i++)
    if (kept == 0 || strcmp(sinks[i].identifier.plugin_instance,
                            sinks[kept - 1].identifier.plugin_instance) != 0)
      sinks[kept++] = sinks[i];
  return kept;
}

static int take_list(tally_sinks_client_t *client,
                     const lcc_identifier_t *identifiers, size_t count,
                     tally_error_t *err) {
  size_t found = 0;
  for (size_t i = 0; i < count; i++)
    found += is_sink(&identifiers[i]);
  if (found > TALLY_SINKS_MAX)
    found = TALLY_SINKS_MAX;
  sink_t *sinks = calloc(found + 1, sizeof(*sinks));
  tally_sink_reading_t *readings = calloc(found + 1, sizeof(*readings));
  if (sinks == NULL || readings == NULL) {
    free(sinks);
    free(readings);
    return tally_error_set(err, ENOMEM, "outputs of collectd");
  }
  size_t taken = 0;
  for (size_t i = 0; i < count && taken < found; i++)
    if (is_sink(&identifiers[i]))
      sinks[taken++] =
          (sink_t){identifiers[i], dropped_before(client, &identifiers[i])};
  qsort_r(sinks, taken, sizeof(*sinks), compare, client->own_host);
  free(client->sinks);
  free(client->readings);
  client->sinks = sinks;
  client->sinks_count = keep_first_of_each(sinks, taken);
  client->readings = readings;
  return 0;
}

/* What libcollectdclient says of a failure; it says nothing where collectd hung
 * up. */
static int failed(tally_sinks_client_t *client, const char *what,
                  tally_error_t *err) {
  char why[256];
  tally_text_copy(why, sizeof(why), lcc_strerror(client->connection));
  if (why[0] == '\0' || strcmp(why, strerror(0)) == 0)
    strcpy(why, "collectd hung up");
  else if (strcmp(why, strerror(EINTR)) == 0)
    strcpy(why, "no answer in time");
  return tally_error_set(err, 0, "%s: %s: %s", client->address, what, why);
}

static int list(tally_sinks_client_t *client, tally_error_t *err) {
  uint64_t now = tally_clock_monotonic_ns();
  if (now < client->list_ns)
    return 0;
  lcc_identifier_t *identifiers = NULL;
  size_t count = 0;
  if (lcc_listval(client->connection, &identifiers, &count) != 0)
    return failed(client, "LISTVAL", err);
  int status = take_list(client, identifiers, count, err);
  free(identifiers);
  client->list_ns = now + client->list_step_ns;
  client->list_step_ns *= 2;
  if (client->list_step_ns > LIST_MOST_NS)
    client->list_step_ns = LIST_MOST_NS;
  return status;
}

/* ---- one output ---------------------------------------------------------- */

/* NaN and what is no count are unknown. */
static uint64_t number(double value) {
  return value >= 0 && value < 9e18 ? (uint64_t)(value + 0.5) : TALLY_UNKNOWN;
}

static void take_value(tally_sink_reading_t *reading, const char *name,
                       double value) {
  const struct {
    const char *name;
    uint64_t *to;
    double factor;
  } sources[] = {
      {"accepted", &reading->accepted, 1},
      {"sent", &reading->sent, 1},
      {"failed", &reading->failed, 1},
      {"retried", &reading->retried, 1},
      {"dropped", &reading->dropped, 1},
      {"queued", &reading->queued, 1},
      {"spooled_bytes", &reading->spooled_bytes, 1},
      {"oldest_age", &reading->oldest_age_ms, 1000},
      {"last_error", &reading->last_error, 1},
  };
  for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
    if (strcmp(name, sources[i].name) == 0)
      *sources[i].to = number(value * sources[i].factor);
}

static void free_values(gauge_t *values, char **names, size_t count) {
  for (size_t i = 0; names != NULL && i < count; i++)
    free(names[i]);
  free(names);
  free(values);
}

/* 1: read, 0: collectd does not have it any more, -1: it does not answer. */
static int read_sink(tally_sinks_client_t *client, sink_t *sink,
                     tally_sink_reading_t *reading, tally_error_t *err) {
  size_t count = 0;
  gauge_t *values = NULL;
  char **names = NULL;
  if (lcc_getval(client->connection, &sink->identifier, &count, &values,
                 &names) != 0) {
    static const char refusal[] = "Server error";
    const char *why = lcc_strerror(client->connection);
    return strncmp(why, refusal, sizeof(refusal) - 1) == 0
               ? 0
               : failed(client, "GETVAL", err);
  }
  memset(reading, 0xff, sizeof(*reading)); /* everything unknown */
  tally_text_copy(reading->name, sizeof(reading->name),
                  sink->identifier.plugin_instance);
  for (size_t i = 0; i < count; i++)
    take_value(reading, names[i], values[i]);
  free_values(values, names, count);

  reading->losing = reading->dropped != TALLY_UNKNOWN &&
                    sink->dropped != TALLY_UNKNOWN &&
                    reading->dropped > sink->dropped;
  sink->dropped = reading->dropped;
  return 1;
}

/* ---- all of them --------------------------------------------------------- */

static int connect_again(tally_sinks_client_t *client, tally_error_t *err) {
  if (client->connection != NULL)
    return 0;
  errno = 0;
  if (lcc_connect(client->address, &client->connection) != 0) {
    client->connection = NULL;
    return tally_error_set(err, errno, "%s", client->address);
  }
  client->list_ns = 0;
  client->list_step_ns = LIST_FIRST_NS;
  return 0;
}

static int read_all(tally_sinks_client_t *client, size_t *count,
                    tally_error_t *err) {
  if (connect_again(client, err) != 0 || list(client, err) != 0)
    return -1;
  for (size_t i = 0; i < client->sinks_count; i++) {
    int status =
        read_sink(client, &client->sinks[i], &client->readings[*count], err);
    if (status < 0)
      return -1;
    if (status == 0)
      client->list_ns = 0; /* something has changed */
    *count += (size_t)status;
  }
  return 0;
}

int tally_sinks_client_read(tally_sinks_client_t *client,
                            const tally_sink_reading_t **readings,
                            size_t *count, tally_error_t *err) {
  *count = 0;
  if (read_all(client, count, err) != 0) {
    hang_up(client);
    return -1;
  }
  *readings = client->readings;
  return 0;
}
