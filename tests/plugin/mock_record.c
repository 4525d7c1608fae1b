/* SPDX-License-Identifier: MIT */
/* Records values, notifications and log lines, and checks them as the daemon
 * would. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include <setjmp.h>

#include <cmocka.h>

#include "mock.h"
#include "mock_private.h"

#define NAME_SIZE (6 * DATA_MAX_NAME_LEN)

typedef struct log_line_s {
  int severity;
  char *text;
} log_line_t;

/* The newest time of each name, as in the daemon's cache. */
typedef struct last_time_s {
  char name[NAME_SIZE];
  cdtime_t time;
} last_time_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static struct {
  value_list_t **values; /* pointers, so that queries survive growth */
  size_t values_count;
  notification_t **notifications;
  size_t notifications_count;
  log_line_t *logs;
  size_t logs_count;
  last_time_t *times;
  size_t times_count;
  char complaint[1024];
} record; /* guarded by lock */

static void *grow(void *array, size_t count, size_t size) {
  void *grown = realloc(array, (count + 1) * size);
  if (grown == NULL)
    mock_die("out of memory");
  return grown;
}

/* ---- complaints and log -------------------------------------------------- */

void mock_die(const char *format, ...) {
  char text[1024];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof(text), format, ap);
  va_end(ap);
  fail_msg("%s", text);
  abort();
}

static void complain_locked(const char *format, va_list ap) {
  if (record.complaint[0] == '\0')
    vsnprintf(record.complaint, sizeof(record.complaint), format, ap);
}

void mock_complain(const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  pthread_mutex_lock(&lock);
  complain_locked(format, ap);
  pthread_mutex_unlock(&lock);
  va_end(ap);
}

const char *mock_complaint(void) {
  return record.complaint[0] != '\0' ? record.complaint : NULL;
}

void mock_assert_content(void) {
  if (mock_complaint() != NULL)
    mock_die("collectd complains: %s", mock_complaint());
}

static void add_log(int severity, const char *prefix, const char *format,
                    va_list ap) {
  char text[1024]; /* the daemon cuts lines here, too */
  size_t len = (size_t)snprintf(text, sizeof(text), "%s", prefix);
  vsnprintf(text + len, sizeof(text) - len, format, ap);
  pthread_mutex_lock(&lock);
  record.logs = grow(record.logs, record.logs_count, sizeof(*record.logs));
  record.logs[record.logs_count++] = (log_line_t){severity, strdup(text)};
  pthread_mutex_unlock(&lock);
  if (getenv("MOCK_VERBOSE") != NULL)
    fprintf(stderr, "# <%d> %s\n", severity, text);
}

void plugin_log(int level, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  add_log(level, "", format, ap);
  va_end(ap);
}

void daemon_log(int level, const char *format, ...) {
  char prefix[DATA_MAX_NAME_LEN + 16] = "";
  const char *name = plugin_get_ctx().name;
  if (name != NULL)
    snprintf(prefix, sizeof(prefix), "%s plugin: ", name);
  va_list ap;
  va_start(ap, format);
  add_log(level, prefix, format, ap);
  va_end(ap);
}

size_t mock_logged(int severity, const char *part) {
  size_t count = 0;
  pthread_mutex_lock(&lock);
  for (size_t i = 0; i < record.logs_count; i++)
    count += (severity == 0 || record.logs[i].severity == severity) &&
             (part == NULL || strstr(record.logs[i].text, part) != NULL);
  pthread_mutex_unlock(&lock);
  return count;
}

const char *mock_log_line(size_t i) {
  return i < record.logs_count ? record.logs[i].text : NULL;
}

/* ---- value lists --------------------------------------------------------- */

void mock_name(const value_list_t *vl, char *name, size_t size) {
  FORMAT_VL(name, (int)size, vl);
}

int format_name(char *ret, int ret_len, const char *hostname,
                const char *plugin, const char *plugin_instance,
                const char *type, const char *type_instance) {
  bool has_plugin = plugin_instance != NULL && plugin_instance[0] != '\0';
  bool has_type = type_instance != NULL && type_instance[0] != '\0';
  int len = snprintf(ret, (size_t)ret_len, "%s/%s%s%s/%s%s%s", hostname, plugin,
                     has_plugin ? "-" : "", has_plugin ? plugin_instance : "",
                     type, has_type ? "-" : "", has_type ? type_instance : "");
  return len < 0 || len >= ret_len ? ENOBUFS : 0;
}

static bool is_terminated(const char *field) {
  return memchr(field, '\0', DATA_MAX_NAME_LEN) != NULL;
}

/* What the daemon checks before it accepts a value list. */
static void check_value_list(const value_list_t *vl) {
  if (!is_terminated(vl->host) || !is_terminated(vl->plugin) ||
      !is_terminated(vl->plugin_instance) || !is_terminated(vl->type) ||
      !is_terminated(vl->type_instance)) {
    mock_complain("a field of a value list has no end");
    return;
  }
  const data_set_t *ds = plugin_get_ds(vl->type);
  if (ds == NULL)
    mock_complain("type `%s' is not in types.db", vl->type);
  else if (ds->ds_num != vl->values_len)
    mock_complain("type `%s' has %zu data sources, not %zu", vl->type,
                  ds->ds_num, vl->values_len);
  if (vl->plugin[0] == '\0')
    mock_complain("a value list of type `%s' names no plugin", vl->type);
  if (vl->interval == 0 && !mock_has_context())
    mock_complain("a thread without a context dispatched type `%s'", vl->type);
}

static void check_time_locked(const char *name, cdtime_t time) {
  for (size_t i = 0; i < record.times_count; i++) {
    last_time_t *last = &record.times[i];
    if (strcmp(last->name, name) != 0)
      continue;
    if (time <= last->time && record.complaint[0] == '\0')
      snprintf(record.complaint, sizeof(record.complaint),
               "value too old: %s: %.3f is not after %.3f", name,
               CDTIME_T_TO_DOUBLE(time), CDTIME_T_TO_DOUBLE(last->time));
    last->time = time;
    return;
  }
  record.times = grow(record.times, record.times_count, sizeof(*record.times));
  last_time_t *last = &record.times[record.times_count++];
  sstrncpy(last->name, name, sizeof(last->name));
  last->time = time;
}

int plugin_dispatch_values(value_list_t const *vl) {
  check_value_list(vl);
  value_list_t *copy = malloc(sizeof(*copy));
  if (copy == NULL)
    mock_die("out of memory");
  *copy = *vl;
  copy->values = calloc(vl->values_len, sizeof(*vl->values));
  memcpy(copy->values, vl->values, vl->values_len * sizeof(*vl->values));
  copy->meta = meta_data_clone(vl->meta);
  if (copy->host[0] == '\0')
    sstrncpy(copy->host, hostname_g, sizeof(copy->host));
  if (copy->time == 0)
    copy->time = cdtime();
  if (copy->interval == 0)
    copy->interval = plugin_get_interval();
  /* as the daemon does to keep names unambiguous */
  escape_slashes(copy->host, sizeof(copy->host));
  escape_slashes(copy->plugin, sizeof(copy->plugin));
  escape_slashes(copy->plugin_instance, sizeof(copy->plugin_instance));
  escape_slashes(copy->type, sizeof(copy->type));
  escape_slashes(copy->type_instance, sizeof(copy->type_instance));

  char name[NAME_SIZE];
  mock_name(copy, name, sizeof(name));
  pthread_mutex_lock(&lock);
  check_time_locked(name, copy->time);
  record.values =
      grow(record.values, record.values_count, sizeof(*record.values));
  record.values[record.values_count++] = copy;
  pthread_mutex_unlock(&lock);
  return 0;
}

size_t mock_values(void) {
  pthread_mutex_lock(&lock);
  size_t count = record.values_count;
  pthread_mutex_unlock(&lock);
  return count;
}

const value_list_t *mock_value(size_t i) {
  pthread_mutex_lock(&lock);
  const value_list_t *vl = i < record.values_count ? record.values[i] : NULL;
  pthread_mutex_unlock(&lock);
  return vl;
}

const value_list_t *mock_find(const char *name) {
  for (size_t i = mock_values(); i-- > 0;) {
    char found[NAME_SIZE];
    mock_name(mock_value(i), found, sizeof(found));
    if (strcmp(found, name) == 0)
      return mock_value(i);
  }
  return NULL;
}

size_t mock_count(const char *prefix) {
  size_t count = 0;
  for (size_t i = 0; i < mock_values(); i++) {
    char found[NAME_SIZE];
    mock_name(mock_value(i), found, sizeof(found));
    count += strncmp(found, prefix, strlen(prefix)) == 0;
  }
  return count;
}

static value_t number(const char *name, const char *source, int type) {
  const value_list_t *vl = mock_find(name);
  if (vl == NULL)
    mock_die("no value list %s was dispatched", name);
  const data_set_t *ds = plugin_get_ds(vl->type);
  for (size_t i = 0; ds != NULL && i < ds->ds_num; i++) {
    if (strcmp(ds->ds[i].name, source) != 0)
      continue;
    if (ds->ds[i].type != type)
      mock_die("%s of %s is a %s", source, name,
               DS_TYPE_TO_STRING(ds->ds[i].type));
    return vl->values[i];
  }
  mock_die("%s has no data source %s", name, source);
}

gauge_t mock_gauge(const char *name, const char *source) {
  return number(name, source, DS_TYPE_GAUGE).gauge;
}

derive_t mock_derive(const char *name, const char *source) {
  return number(name, source, DS_TYPE_DERIVE).derive;
}

/* ---- notifications ------------------------------------------------------- */

int plugin_dispatch_notification(const notification_t *n) {
  if (n->severity != NOTIF_FAILURE && n->severity != NOTIF_WARNING &&
      n->severity != NOTIF_OKAY)
    mock_complain("a notification has severity %d", n->severity);
  if (!is_terminated(n->host) || !is_terminated(n->plugin) ||
      !is_terminated(n->plugin_instance) || !is_terminated(n->type) ||
      !is_terminated(n->type_instance) ||
      memchr(n->message, '\0', sizeof(n->message)) == NULL)
    mock_die("a field of a notification has no end");

  notification_t *copy = malloc(sizeof(*copy));
  if (copy == NULL)
    mock_die("out of memory");
  *copy = *n;
  copy->meta = NULL;
  plugin_notification_meta_copy(copy, n);
  pthread_mutex_lock(&lock);
  record.notifications = grow(record.notifications, record.notifications_count,
                              sizeof(*record.notifications));
  record.notifications[record.notifications_count++] = copy;
  pthread_cond_broadcast(&news);
  pthread_mutex_unlock(&lock);
  return 0;
}

size_t mock_notifications(void) {
  pthread_mutex_lock(&lock);
  size_t count = record.notifications_count;
  pthread_mutex_unlock(&lock);
  return count;
}

const notification_t *mock_notification(size_t i) {
  pthread_mutex_lock(&lock);
  const notification_t *n =
      i < record.notifications_count ? record.notifications[i] : NULL;
  pthread_mutex_unlock(&lock);
  return n;
}

bool mock_wait_notifications(size_t count, int timeout_ms) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += timeout_ms / 1000;
  until.tv_nsec += (timeout_ms % 1000) * 1000000L;
  if (until.tv_nsec >= 1000000000L) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000L;
  }
  pthread_mutex_lock(&lock);
  int status = 0;
  while (record.notifications_count < count && status == 0)
    status = pthread_cond_timedwait(&news, &lock, &until);
  bool enough = record.notifications_count >= count;
  pthread_mutex_unlock(&lock);
  return enough;
}

/* ---- the clean slate ----------------------------------------------------- */

void mock_forget(void) {
  pthread_mutex_lock(&lock);
  for (size_t i = 0; i < record.values_count; i++) {
    meta_data_destroy(record.values[i]->meta);
    free(record.values[i]->values);
    free(record.values[i]);
  }
  for (size_t i = 0; i < record.notifications_count; i++) {
    plugin_notification_meta_free(record.notifications[i]->meta);
    free(record.notifications[i]);
  }
  for (size_t i = 0; i < record.logs_count; i++)
    free(record.logs[i].text);
  record.values_count = record.notifications_count = record.logs_count = 0;
  pthread_mutex_unlock(&lock);
}

void mock_record_clear(void) {
  mock_forget();
  pthread_mutex_lock(&lock);
  free(record.values);
  free(record.notifications);
  free(record.logs);
  free(record.times);
  memset(&record, 0, sizeof(record));
  pthread_mutex_unlock(&lock);
}
