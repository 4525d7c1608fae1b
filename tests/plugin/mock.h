/* SPDX-License-Identifier: MIT */
#ifndef TALLY_TESTS_MOCK_H
#define TALLY_TESTS_MOCK_H

/*
 * A collectd daemon for the tests of plugins: it implements the functions that
 * our plugins import from the daemon, records what they do, and is as strict as
 * the real one, or stricter. What the daemon would refuse or warn about (a type
 * that types.db does not know, a wrong number of values, a value that is not
 * newer than the last one, a name registered twice, a thread without a context
 * that wants an interval, …) is a *complaint*; a test ends with
 * mock_assert_content().
 *
 *   mock_load();                         module_register()
 *   mock_config("<Plugin docker_stats>\n …\n</Plugin>\n");
 *   mock_init();
 *   mock_read();
 *   mock_gauge("node/docker-web/container_cpu", "percent");
 *   mock_unload();                       shutdown, then forgets everything
 *
 * A test program links the plugin's own source files, the mock and
 * libtallyman_testing.la. hostname_g is "node", interval_g 10 s.
 * Recording is thread safe; pointers that queries return are valid until
 * mock_forget() or mock_unload().
 *
 * Include after collectd's headers.
 */

/* ---- life ---------------------------------------------------------------- */

/* Reads the stock types.db (environment: COLLECTD_TYPESDB) and ours
 * (TALLY_TYPESDB, or TALLY_SRCDIR/types.db), then calls module_register(). */
void mock_load(void);
/* Stops as the daemon does: shutdown callbacks first, then the free functions
 * of what was registered. Afterwards mock_load() may be called again. */
void mock_unload(void);

/* Hands each <Plugin NAME> block of `text` to the configuration callback of
 * that name. Returns the first non-zero result (the daemon would refuse to
 * start), also for a plugin without a callback. Fails the test if `text` is not
 * well formed. */
int mock_config(const char *text);
/* Call every callback of that kind in the order of registration, and return the
 * first result that is not zero. */
int mock_init(void);
int mock_read(void);
int mock_flush(void);
/* The data set is looked up as the daemon does. */
int mock_write(const value_list_t *vl);
int mock_notify(const notification_t *n);
int mock_missing(const value_list_t *vl);

typedef enum mock_kind_e {
  MOCK_CONFIG = 0,
  MOCK_INIT,
  MOCK_READ,
  MOCK_WRITE,
  MOCK_FLUSH,
  MOCK_NOTIFICATION,
  MOCK_MISSING,
  MOCK_SHUTDOWN,
  MOCK_KINDS
} mock_kind_t;
/* How many callbacks of a kind are registered at present. */
size_t mock_registered(mock_kind_t kind);

/* ---- what was recorded --------------------------------------------------- */

/* The first complaint, or NULL. */
const char *mock_complaint(void);
/* Fails the test with it, if there is one. */
void mock_assert_content(void);
/* Drops recorded values, notifications and log lines; registrations, and the
 * times that new values must exceed, stay. */
void mock_forget(void);

/* Log lines of a severity (0: any) that contain `part` (NULL: any). */
size_t mock_logged(int severity, const char *part);
/* Text of line number `i`, or NULL. */
const char *mock_log_line(size_t i);

/* Dispatched value lists in their order. */
size_t mock_values(void);
const value_list_t *mock_value(size_t i);
/* "host/plugin[-instance]/type[-instance]" of a value list. */
void mock_name(const value_list_t *vl, char *name, size_t size);
/* The last value list of that name, or NULL. */
const value_list_t *mock_find(const char *name);
/* How many have names that begin with `prefix`. */
size_t mock_count(const char *prefix);
/* One number of the last value list of that name. Fails the test if there is
 * none or the data source does not exist or is of another kind. */
gauge_t mock_gauge(const char *name, const char *source);
derive_t mock_derive(const char *name, const char *source);
/* String from the meta data of the last value list of that name, or NULL. */
const char *mock_meta(const char *name, const char *key);

/* Dispatched notifications in their order. */
size_t mock_notifications(void);
const notification_t *mock_notification(size_t i);
/* String from the meta data of a notification, or NULL. */
const char *mock_notification_meta(const notification_t *n, const char *key);
/* Waits until at least `count` were dispatched; false after `timeout_ms`. */
bool mock_wait_notifications(size_t count, int timeout_ms);

#endif
