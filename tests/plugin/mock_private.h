/* SPDX-License-Identifier: MIT */
#ifndef TALLY_TESTS_MOCK_PRIVATE_H
#define TALLY_TESTS_MOCK_PRIVATE_H

/* What the files of the mock share. Include after collectd's headers. */

void mock_complain(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Fails the test at once. */
void mock_die(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/* A thread without a context gets no interval from the real daemon. */
bool mock_has_context(void);

/* A clean slate: values, times, notifications, logs, complaints. */
void mock_record_clear(void);

/* Remembers a value list, so that its rates can be asked for. */
void mock_cache_update(const data_set_t *ds, const value_list_t *vl);
void mock_cache_clear(void);

/* Adds the data sets of a types.db. */
void mock_types_read(const char *path);
void mock_types_clear(void);

/* Parses text in collectd's configuration language into a root item (key NULL)
 * whose children are the top level. Free with oconfig_free. */
oconfig_item_t *mock_config_parse(const char *text);

#endif
