/* SPDX-License-Identifier: MIT */
#ifndef WRITE_TABLE_MODEL_H
#define WRITE_TABLE_MODEL_H

/*
 * What the value lists say of each container, put together again. Knows nothing
 * but what collectd dispatches, so the table proves it.
 *
 * Not thread safe: the plugin holds a lock. Include after collectd's headers.
 */

#include "write_table_format.h"

typedef struct write_table_model_s write_table_model_t;

/* `host`: the node's own name; copied. NULL: out of memory. */
write_table_model_t *write_table_model_create(const char *host);
void write_table_model_destroy(write_table_model_t *model);

/* Takes what a value list says; those of no interest are passed over. `rates`
 * are the values as collectd's cache has them (gauges as they are, counters per
 * second). True: something in the table may have changed. */
bool write_table_model_update(write_table_model_t *model, const data_set_t *ds,
                              const value_list_t *vl, const gauge_t *rates);
/* Whether `rates` of this value list would be looked at at all. */
bool write_table_model_wants(const value_list_t *vl);

/* The rows as of `now`, in a new array for the caller to free; containers of
 * which nothing was heard for two intervals are forgotten first. NULL and
 * *count 0: there are none (or no memory). */
write_table_row_t *write_table_model_rows(write_table_model_t *model,
                                          cdtime_t now, size_t *count);

/* What is wrong with the Docker daemons, or "". */
void write_table_model_message(const write_table_model_t *model, char *text,
                               size_t size);

#endif
