/* SPDX-License-Identifier: MIT */
/* Registrations, callbacks, contexts, and the daemon's small services. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "mock.h"
#include "mock_private.h"

typedef struct registration_s {
  mock_kind_t kind;
  char *name;
  void (*callback)(void); /* cast back to what its kind says */
  bool has_data;          /* the callback takes user data */
  user_data_t data;
} registration_t;

static char node_name[] = "node";
char *hostname_g = node_name;
cdtime_t interval_g = TIME_T_TO_CDTIME_T_STATIC(10);
int timeout_g = 2;

/* Only ever touched by the thread of the test, like the daemon's main. */
static registration_t *registrations;
static size_t registrations_count;

/* ---- contexts ------------------------------------------------------------ */

static __thread plugin_ctx_t context;

plugin_ctx_t plugin_get_ctx(void) { return context; }

plugin_ctx_t plugin_set_ctx(plugin_ctx_t ctx) {
  plugin_ctx_t old = context;
  context = ctx;
  return old;
}

bool mock_has_context(void) { return context.interval != 0; }

cdtime_t plugin_get_interval(void) {
  if (!mock_has_context())
    mock_complain("Unable to determine Interval: no context in this thread");
  return context.interval != 0 ? context.interval : interval_g;
}

typedef struct {
  void *(*routine)(void *);
  void *arg;
  plugin_ctx_t ctx;
} thread_start_t;

static void *start_thread(void *arg) {
  thread_start_t start = *(thread_start_t *)arg;
  free(arg);
  plugin_set_ctx(start.ctx);
  return start.routine(start.arg);
}

int plugin_thread_create(pthread_t *thread, void *(*start_routine)(void *),
                         void *arg, char const *name) {
  if (name != NULL && strlen(name) > 15)
    mock_complain("thread name `%s' is longer than 15 characters", name);
  thread_start_t *start = malloc(sizeof(*start));
  if (start == NULL)
    return ENOMEM;
  *start = (thread_start_t){start_routine, arg, context};
  return pthread_create(thread, NULL, start_thread, start);
}

/* ---- registrations ------------------------------------------------------- */

static registration_t *find(mock_kind_t kind, const char *name) {
  for (size_t i = 0; i < registrations_count; i++)
    if (registrations[i].kind == kind &&
        strcasecmp(registrations[i].name, name) == 0)
      return &registrations[i];
  return NULL;
}

static int add(mock_kind_t kind, const char *name, void (*callback)(void),
               const user_data_t *data) {
  if (find(kind, name) != NULL)
    mock_complain("`%s' is registered twice", name);
  registrations = realloc(registrations,
                          (registrations_count + 1) * sizeof(*registrations));
  if (registrations == NULL)
    mock_die("out of memory");
  registration_t *r = &registrations[registrations_count++];
  *r = (registration_t){.kind = kind, .name = strdup(name)};
  r->callback = callback;
  if (data != NULL)
    r->data = *data;
  return 0;
}

static void drop(registration_t *r) {
  if (r->data.free_func != NULL)
    r->data.free_func(r->data.data);
  free(r->name);
}

static int remove_named(mock_kind_t kind, const char *name) {
  registration_t *r = find(kind, name);
  if (r == NULL)
    return ENOENT;
  drop(r);
  size_t i = (size_t)(r - registrations);
  memmove(r, r + 1, (--registrations_count - i) * sizeof(*r));
  return 0;
}

size_t mock_registered(mock_kind_t kind) {
  size_t count = 0;
  for (size_t i = 0; i < registrations_count; i++)
    count += registrations[i].kind == kind;
  return count;
}

typedef void (*any_t)(void);

int plugin_register_complex_config(const char *type,
                                   int (*callback)(oconfig_item_t *)) {
  return add(MOCK_CONFIG, type, (any_t)callback, NULL);
}

int plugin_register_init(const char *name, plugin_init_cb callback) {
  return add(MOCK_INIT, name, (any_t)callback, NULL);
}

int plugin_register_read(const char *name, int (*callback)(void)) {
  return add(MOCK_READ, name, (any_t)callback, NULL);
}

int plugin_register_complex_read(const char *group, const char *name,
                                 plugin_read_cb callback, cdtime_t interval,
                                 user_data_t const *user_data) {
  int status = add(MOCK_READ, name, (any_t)callback, user_data);
  registrations[registrations_count - 1].has_data = true;
  return status;
}

int plugin_register_write(const char *name, plugin_write_cb callback,
                          user_data_t const *user_data) {
  return add(MOCK_WRITE, name, (any_t)callback, user_data);
}

int plugin_register_flush(const char *name, plugin_flush_cb callback,
                          user_data_t const *user_data) {
  return add(MOCK_FLUSH, name, (any_t)callback, user_data);
}

int plugin_register_notification(const char *name,
                                 plugin_notification_cb callback,
                                 user_data_t const *user_data) {
  return add(MOCK_NOTIFICATION, name, (any_t)callback, user_data);
}

int plugin_register_missing(const char *name, plugin_missing_cb callback,
                            user_data_t const *user_data) {
  return add(MOCK_MISSING, name, (any_t)callback, user_data);
}

int plugin_register_shutdown(const char *name, plugin_shutdown_cb callback) {
  return add(MOCK_SHUTDOWN, name, (any_t)callback, NULL);
}

int plugin_unregister_read(const char *name) {
  return remove_named(MOCK_READ, name);
}

int plugin_unregister_write(const char *name) {
  return remove_named(MOCK_WRITE, name);
}

int plugin_unregister_flush(const char *name) {
  return remove_named(MOCK_FLUSH, name);
}

int plugin_unregister_notification(const char *name) {
  return remove_named(MOCK_NOTIFICATION, name);
}

int plugin_unregister_missing(const char *name) {
  return remove_named(MOCK_MISSING, name);
}

/* ---- life ---------------------------------------------------------------- */

void mock_load(void) {
  const char *stock = getenv("COLLECTD_TYPESDB");
  const char *ours = getenv("TALLY_TYPESDB");
  const char *srcdir = getenv("TALLY_SRCDIR");
  char path[PATH_MAX];
  snprintf(path, sizeof(path), "%s/types.db", srcdir != NULL ? srcdir : ".");
  mock_types_read(stock != NULL ? stock : "/usr/share/collectd/types.db");
  mock_types_read(ours != NULL ? ours : path);
  module_register();
}

/* As collectd does: every callback runs in the context of its plugin. */
static void enter(const registration_t *r) {
  plugin_set_ctx((plugin_ctx_t){.name = r->name, .interval = interval_g});
}

static void leave(void) { plugin_set_ctx((plugin_ctx_t){0}); }

static int run_config(oconfig_item_t *block) {
  if (strcasecmp(block->key, "Plugin") != 0 || block->values_num != 1 ||
      block->values[0].type != OCONFIG_TYPE_STRING)
    mock_die("configuration: <Plugin NAME> expected, not %s", block->key);
  registration_t *r = find(MOCK_CONFIG, block->values[0].value.string);
  if (r == NULL)
    return -1;
  enter(r);
  int status = ((int (*)(oconfig_item_t *))r->callback)(block);
  leave();
  return status;
}

int mock_config(const char *text) {
  oconfig_item_t *root = mock_config_parse(text);
  int status = 0;
  for (int i = 0; i < root->children_num && status == 0; i++)
    status = run_config(&root->children[i]);
  oconfig_free(root);
  return status;
}

/* `argument` is the value list or notification of the kinds that have one. */
static int call(registration_t *r, const void *argument) {
  switch (r->kind) {
  case MOCK_READ:
    return r->has_data ? ((plugin_read_cb)r->callback)(&r->data)
                       : ((int (*)(void))r->callback)();
  case MOCK_WRITE: {
    const value_list_t *vl = argument;
    return ((plugin_write_cb)r->callback)(plugin_get_ds(vl->type), vl,
                                          &r->data);
  }
  case MOCK_FLUSH:
    return ((plugin_flush_cb)r->callback)(0, NULL, &r->data);
  case MOCK_NOTIFICATION:
    return ((plugin_notification_cb)r->callback)(argument, &r->data);
  case MOCK_MISSING:
    return ((plugin_missing_cb)r->callback)(argument, &r->data);
  default:
    return ((int (*)(void))r->callback)();
  }
}

static int call_all(mock_kind_t kind, const void *argument) {
  int status = 0;
  /* by index: a callback may register more */
  for (size_t i = 0; i < registrations_count; i++) {
    if (registrations[i].kind != kind)
      continue;
    registration_t r = registrations[i];
    enter(&r);
    int result = call(&r, argument);
    leave();
    if (status == 0)
      status = result;
  }
  return status;
}

int mock_init(void) { return call_all(MOCK_INIT, NULL); }
int mock_read(void) { return call_all(MOCK_READ, NULL); }
int mock_flush(void) { return call_all(MOCK_FLUSH, NULL); }

int mock_write(const value_list_t *vl) {
  const data_set_t *ds = plugin_get_ds(vl->type);
  if (ds == NULL || ds->ds_num != vl->values_len)
    mock_die("type `%s' with %zu values is not in types.db", vl->type,
             vl->values_len);
  mock_cache_update(ds, vl);
  return call_all(MOCK_WRITE, vl);
}

int mock_notify(const notification_t *n) {
  return call_all(MOCK_NOTIFICATION, n);
}

int mock_missing(const value_list_t *vl) { return call_all(MOCK_MISSING, vl); }

static void drop_all(mock_kind_t kind) {
  for (size_t i = 0; i < registrations_count; i++)
    if (registrations[i].kind == kind) {
      drop(&registrations[i]);
      memmove(&registrations[i], &registrations[i + 1],
              (--registrations_count - i) * sizeof(registrations[i]));
      i--;
    }
}

void mock_unload(void) {
  drop_all(MOCK_READ);
  call_all(MOCK_FLUSH, NULL);
  call_all(MOCK_SHUTDOWN, NULL);
  for (mock_kind_t kind = 0; kind < MOCK_KINDS; kind++)
    drop_all(kind);
  free(registrations);
  registrations = NULL;
  mock_record_clear();
  mock_cache_clear();
  mock_types_clear();
}

/* ---- small services ------------------------------------------------------ */

cdtime_t cdtime(void) {
  struct timespec ts;
  clock_gettime(CLOCK_REALTIME, &ts);
  return TIMESPEC_TO_CDTIME_T(&ts);
}

int rfc3339nano(char *buffer, size_t buffer_size, cdtime_t t) {
  struct timespec ts = CDTIME_T_TO_TIMESPEC(t);
  struct tm tm;
  gmtime_r(&ts.tv_sec, &tm);
  size_t len = strftime(buffer, buffer_size, "%Y-%m-%dT%H:%M:%S", &tm);
  snprintf(buffer + len, buffer_size - len, ".%09ldZ", ts.tv_nsec);
  return 0;
}

char *sstrncpy(char *dest, const char *src, size_t n) {
  snprintf(dest, n, "%s", src);
  return dest;
}

int ssnprintf(char *str, size_t size, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  int n = vsnprintf(str, size, format, ap);
  va_end(ap);
  return n;
}

char *sstrerror(int errnum, char *buf, size_t buflen) {
  snprintf(buf, buflen, "%s", strerror(errnum));
  return buf;
}

/* The daemon drops a leading slash and turns the others into '_'. */
int escape_slashes(char *buffer, size_t buffer_size) {
  if (buffer[0] == '/' && buffer[1] != '\0')
    memmove(buffer, buffer + 1, strlen(buffer));
  for (char *p = buffer; *p != '\0'; p++)
    if (*p == '/')
      *p = '_';
  return 0;
}

int notification_init(notification_t *n, int severity, const char *message,
                      const char *host, const char *plugin,
                      const char *plugin_instance, const char *type,
                      const char *type_instance) {
  *n = (notification_t){.severity = severity};
  sstrncpy(n->message, message != NULL ? message : "", sizeof(n->message));
  sstrncpy(n->host, host != NULL ? host : "", sizeof(n->host));
  sstrncpy(n->plugin, plugin != NULL ? plugin : "", sizeof(n->plugin));
  sstrncpy(n->plugin_instance, plugin_instance != NULL ? plugin_instance : "",
           sizeof(n->plugin_instance));
  sstrncpy(n->type, type != NULL ? type : "", sizeof(n->type));
  sstrncpy(n->type_instance, type_instance != NULL ? type_instance : "",
           sizeof(n->type_instance));
  return 0;
}
