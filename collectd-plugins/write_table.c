/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "daemon/utils_cache.h"
#include "utils/common/common.h"

#include "plugin_util.h"

#include <poll.h>
#include <sys/ioctl.h>

#include "core/file.h"
#include "write_table_model.h"

#define PLUGIN_NAME "write_table"

#define TABLE_BYTES_MAX (4 * 1024 * 1024)
#define DEFAULT_WIDTH 120 /* of what is not a terminal */
/* The values of one interval come one by one: the table is drawn when they
 * have paused for so long, and at any rate after the longer time. */
#define PAUSE MS_TO_CDTIME_T(200)
#define PATIENCE MS_TO_CDTIME_T(1000)
#define TERMINAL_POLL_MS 200

/*
 * A table of the containers on a terminal or in a file, drawn anew whenever
 * values have come.
 *
 * write() may run in several threads of the daemon at once: it only puts
 * numbers into the model, under the lock. A thread of our own draws, and does
 * the slow part, writing to a terminal, without the lock.
 */
typedef struct write_table_s {
  /* config */
  char *file; /* NULL: standard output */

  /* runtime */
  pthread_t thread;
  bool thread_runs;
  bool is_drawn; /* at least once */
  size_t lines;  /* of the table that stands on the terminal */
  pthread_mutex_t lock;
  pthread_cond_t news;
  /* guarded by lock */
  write_table_model_t *model;
  cdtime_t first_change, last_change; /* not drawn yet; 0: none */
  bool stop;
} write_table_t;

static write_table_t table = {.lock = PTHREAD_MUTEX_INITIALIZER,
                              .news = PTHREAD_COND_INITIALIZER};

/* ---- drawing ------------------------------------------------------------- */

static bool must_stop(void) {
  pthread_mutex_lock(&table.lock);
  bool stop = table.stop;
  pthread_mutex_unlock(&table.lock);
  return stop;
}

/* A terminal that was stopped (Ctrl-S) takes nothing: wait for it, but not
 * beyond our own end. */
static void write_out(int fd, const char *text, size_t len) {
  while (len > 0 && !must_stop()) {
    struct pollfd pfd = {.fd = fd, .events = POLLOUT};
    int ready = poll(&pfd, 1, TERMINAL_POLL_MS);
    if (ready < 0 && errno != EINTR)
      return;
    if (ready <= 0)
      continue;
    ssize_t n = write(fd, text, len < PIPE_BUF ? len : PIPE_BUF);
    if (n < 0 && errno != EINTR && errno != EAGAIN)
      return;
    if (n > 0) {
      text += n;
      len -= (size_t)n;
    }
  }
}

/* What the output is decides how the table looks there. */
static void set_size(write_table_view_t *view, int fd) {
  const char *no_color = getenv("NO_COLOR"); /* https://no-color.org */
  struct winsize size;
  view->width = DEFAULT_WIDTH;
  view->height = 0;
  view->ansi = false;
  if (!isatty(fd))
    return;
  view->ansi = no_color == NULL || no_color[0] == '\0';
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    view->width = size.ws_col;
    view->height = size.ws_row;
  }
}

/* Takes the rows and all there is to say out of the model. */
static write_table_view_t take_view(char *time_text, size_t time_size,
                                    char *message, size_t message_size) {
  write_table_view_t view = {
      .host = hostname_g, .time = time_text, .message = message};
  time_t now = time(NULL);
  struct tm tm;
  strftime(time_text, time_size, "%H:%M:%S", localtime_r(&now, &tm));
  pthread_mutex_lock(&table.lock);
  view.rows = write_table_model_rows(table.model, cdtime(), &view.count);
  write_table_model_message(table.model, message, message_size);
  pthread_mutex_unlock(&table.lock);
  return view;
}

static void draw_on(write_table_view_t *view, int fd) {
  tally_buffer_t out;
  tally_buffer_init(&out, TABLE_BYTES_MAX);
  set_size(view, fd);
  view->before = table.lines; /* what stands above them stays */
  table.lines = write_table_format(view, &out);
  if (!view->ansi)
    tally_buffer_append_str(&out, "\n"); /* between this block and the next */
  write_out(fd, out.data, out.len);
  tally_buffer_clear(&out);
}

/* A regular file holds one table, always whole. */
static void draw_into_file(write_table_view_t *view, const char *path) {
  tally_error_t err = {0};
  tally_buffer_t out;
  tally_buffer_init(&out, TABLE_BYTES_MAX);
  view->width = DEFAULT_WIDTH;
  write_table_format(view, &out);
  if (tally_file_replace(path, out.data, out.len, 0644, &err) != 0 &&
      !table.is_drawn)
    ERROR(PLUGIN_NAME " plugin: %s", err.message);
  tally_buffer_clear(&out);
}

static void draw(void) {
  char time_text[32], message[256];
  write_table_view_t view =
      take_view(time_text, sizeof(time_text), message, sizeof(message));
  struct stat st;
  if (table.file == NULL) {
    draw_on(&view, STDOUT_FILENO);
  } else if (stat(table.file, &st) != 0 || S_ISREG(st.st_mode)) {
    draw_into_file(&view, table.file);
  } else {
    int fd = open(table.file, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
      draw_on(&view, fd);
      close(fd);
    }
  }
  table.is_drawn = true;
  free(view.rows);
}

static void wait_until_locked(cdtime_t time) {
  struct timespec ts = CDTIME_T_TO_TIMESPEC(time);
  pthread_cond_timedwait(&table.news, &table.lock, &ts);
}

/* When the next table is due. Without news there is one per interval, so that
 * containers of which nothing is heard any more vanish. */
static cdtime_t due_locked(cdtime_t last_drawn, cdtime_t interval) {
  if (table.first_change == 0)
    return last_drawn + interval;
  cdtime_t pause = table.last_change + PAUSE;
  cdtime_t patience = table.first_change + PATIENCE;
  return pause < patience ? pause : patience;
}

static void *draw_thread(void *arg) {
  cdtime_t interval = plugin_get_interval();
  cdtime_t last_drawn = 0; /* a first table at once: it says what is missing */
  pthread_mutex_lock(&table.lock);
  while (!table.stop) {
    cdtime_t due = due_locked(last_drawn, interval);
    cdtime_t now = cdtime();
    if (now < due) {
      wait_until_locked(due);
      continue;
    }
    table.first_change = table.last_change = 0;
    last_drawn = now;
    pthread_mutex_unlock(&table.lock);
    draw();
    pthread_mutex_lock(&table.lock);
  }
  pthread_mutex_unlock(&table.lock);
  return NULL;
}

/* ---- callbacks ----------------------------------------------------------- */

static int on_write(const data_set_t *ds, const value_list_t *vl,
                    user_data_t *user_data) {
  if (!write_table_model_wants(vl))
    return 0;
  gauge_t *rates = uc_get_rate(ds, vl);
  if (rates == NULL)
    return 0;
  pthread_mutex_lock(&table.lock);
  if (write_table_model_update(table.model, ds, vl, rates)) {
    bool first = table.first_change == 0;
    table.last_change = cdtime();
    if (first) {
      table.first_change = table.last_change;
      pthread_cond_signal(&table.news);
    }
  }
  pthread_mutex_unlock(&table.lock);
  free(rates);
  return 0;
}

static const plugin_option_t options[] = {
    {"File", plugin_config_string, offsetof(write_table_t, file)},
    {NULL, NULL, 0},
};

static int on_config(oconfig_item_t *block) {
  return plugin_config_block(PLUGIN_NAME, block, options, &table);
}

static int on_init(void) {
  table.model = write_table_model_create(hostname_g);
  if (table.model == NULL) {
    ERROR(PLUGIN_NAME " plugin: out of memory");
    return -1;
  }
  table.stop = table.is_drawn = false;
  table.lines = 0;
  int status = plugin_thread_create(&table.thread, draw_thread, NULL, "table");
  if (status != 0) {
    ERROR(PLUGIN_NAME " plugin: no thread: %s", STRERROR(status));
    return -1;
  }
  table.thread_runs = true;
  return plugin_register_write(PLUGIN_NAME, on_write, NULL);
}

static int on_shutdown(void) {
  pthread_mutex_lock(&table.lock);
  table.stop = true;
  pthread_cond_signal(&table.news);
  pthread_mutex_unlock(&table.lock);
  if (table.thread_runs)
    pthread_join(table.thread, NULL);
  table.thread_runs = false;
  write_table_model_destroy(table.model);
  table.model = NULL;
  sfree(table.file);
  return 0;
}

void module_register(void) {
  plugin_register_complex_config(PLUGIN_NAME, on_config);
  plugin_register_init(PLUGIN_NAME, on_init);
  plugin_register_shutdown(PLUGIN_NAME, on_shutdown);
}
