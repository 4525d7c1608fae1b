/* SPDX-License-Identifier: MIT */
#include "write_table_format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UP "\033[%zuA"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"
#define BOLD "\033[1m"
#define DIM "\033[2m"
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

#define NAME_WIDTH_MIN 12
#define PRIORITY_LAST 5 /* of the column that is dropped first */
#define LINES_AROUND 3  /* the line above, the titles, the cursor's own */

/* ---- numbers ------------------------------------------------------------- */

/* At most five characters: "0", "812", "9.8K", "153M", "1.2T". */
static void format_bytes(char *text, size_t size, double bytes) {
  static const char units[] = "\0KMGTPE";
  size_t unit = 0;
  if (isnan(bytes)) {
    snprintf(text, size, "-");
    return;
  }
  while (bytes >= 999.5 && unit + 2 < sizeof(units)) {
    bytes /= 1024;
    unit++;
  }
  if (unit == 0)
    snprintf(text, size, "%.0f", bytes);
  else
    snprintf(text, size, "%.*f%c", bytes < 9.95 ? 1 : 0, bytes, units[unit]);
}

/* "12s", "3m20s", "4h05m", "12d3h": the two largest units. */
static void format_duration(char *text, size_t size, double seconds) {
  if (isnan(seconds) || seconds < 0) {
    snprintf(text, size, "-");
    return;
  }
  unsigned long s = (unsigned long)fmin(seconds, 86400.0 * 99999);
  unsigned long m = s / 60, h = m / 60, d = h / 24;
  if (s < 60)
    snprintf(text, size, "%lus", s);
  else if (m < 60)
    snprintf(text, size, "%lum%02lus", m, s % 60);
  else if (h < 24)
    snprintf(text, size, "%luh%02lum", h, m % 60);
  else
    snprintf(text, size, "%lud%luh", d, h % 24);
}

/* ---- columns ------------------------------------------------------------- */

/* Names come from images, labels and foreign daemons: an escape sequence in one
 * of them must not reach the terminal. One '?' per character that is not
 * printable ASCII. */
static void sanitise(char *text, size_t size, const char *hostile) {
  size_t len = 0;
  for (const char *p = hostile; *p != '\0' && len + 1 < size; p++) {
    unsigned char c = (unsigned char)*p;
    if ((c & 0xc0) == 0x80 && p != hostile && (p[-1] & 0x80) != 0)
      continue; /* the rest of a character */
    text[len++] = c >= ' ' && c < 0x7f ? (char)c : '?';
  }
  text[len] = '\0';
}

static bool has_ended(const write_table_row_t *row) {
  return row->state == TALLY_CONTAINER_EXITED ||
         row->state == TALLY_CONTAINER_DEAD;
}

static void cell_name(char *text, size_t size, const write_table_row_t *row) {
  sanitise(text, size, row->name);
}

static void cell_state(char *text, size_t size, const write_table_row_t *row) {
  const char *health =
      row->state == TALLY_CONTAINER_RUNNING && row->health != TALLY_HEALTH_NONE
          ? tally_health_name(row->health)
          : "";
  snprintf(text, size, "%s%s%s", tally_container_state_name(row->state),
           health[0] != '\0' ? " " : "", health);
}

static void cell_cpu(char *text, size_t size, const write_table_row_t *row) {
  if (isnan(row->cpu_percent))
    snprintf(text, size, "-");
  else
    snprintf(text, size, "%.1f", row->cpu_percent);
}

static void cell_memory(char *text, size_t size, const write_table_row_t *row) {
  format_bytes(text, size, row->memory_used);
}

static void cell_limit(char *text, size_t size, const write_table_row_t *row) {
  format_bytes(text, size, row->memory_limit);
}

static void cell_net_rx(char *text, size_t size, const write_table_row_t *row) {
  format_bytes(text, size, row->net_rx);
}

static void cell_net_tx(char *text, size_t size, const write_table_row_t *row) {
  format_bytes(text, size, row->net_tx);
}

static void cell_disk_read(char *text, size_t size,
                           const write_table_row_t *row) {
  format_bytes(text, size, row->disk_read);
}

static void cell_disk_write(char *text, size_t size,
                            const write_table_row_t *row) {
  format_bytes(text, size, row->disk_write);
}

static void cell_tasks(char *text, size_t size, const write_table_row_t *row) {
  if (isnan(row->tasks))
    snprintf(text, size, "-");
  else
    snprintf(text, size, "%.0f", row->tasks);
}

static void cell_uptime(char *text, size_t size, const write_table_row_t *row) {
  if (has_ended(row) && !isnan(row->exit_code))
    snprintf(text, size, "exit %.0f", row->exit_code);
  else
    format_duration(text, size, row->uptime);
}

typedef struct column_s {
  const char *title;
  size_t width;      /* at least; the first two grow with what is in them */
  unsigned priority; /* narrow terminals lose the highest number first */
  bool left;         /* aligned to the left */
  void (*cell)(char *text, size_t size, const write_table_row_t *row);
} column_t;

enum { COLUMN_NAME = 0, COLUMN_STATE, COLUMNS = 11 };

static const column_t columns[COLUMNS] = {
    {"CONTAINER", NAME_WIDTH_MIN, 0, true, cell_name},
    {"STATE", 9, 1, true, cell_state},
    {"CPU %", 6, 0, false, cell_cpu},
    {"MEMORY", 6, 0, false, cell_memory},
    {"LIMIT", 5, 5, false, cell_limit},
    {"RX/s", 5, 2, false, cell_net_rx},
    {"TX/s", 5, 2, false, cell_net_tx},
    {"READ/s", 6, 2, false, cell_disk_read},
    {"WRITE/s", 7, 2, false, cell_disk_write},
    {"PIDS", 5, 3, false, cell_tasks},
    {"UP", 8, 4, false, cell_uptime},
};

/* Which columns are shown, and how wide. 0: not. */
typedef struct layout_s {
  size_t width[COLUMNS];
  size_t gap; /* blanks between two of them */
} layout_t;

static size_t layout_width(const layout_t *layout) {
  size_t width = 0;
  for (size_t i = 0; i < COLUMNS; i++)
    width +=
        layout->width[i] > 0 ? layout->width[i] + (i > 0 ? layout->gap : 0) : 0;
  return width;
}

static size_t longest_cell(const write_table_view_t *view,
                           const column_t *column) {
  size_t longest = column->width;
  for (size_t i = 0; i < view->count; i++) {
    char text[256];
    column->cell(text, sizeof(text), &view->rows[i]);
    size_t len = strlen(text);
    if (len > longest)
      longest = len;
  }
  return longest;
}

/* Gives a column what it would like to have, if there is room. */
static void widen(layout_t *layout, const write_table_view_t *view,
                  size_t column) {
  size_t used = layout_width(layout);
  if (layout->width[column] == 0 || used >= view->width)
    return;
  size_t wish = longest_cell(view, &columns[column]) - layout->width[column];
  size_t room = view->width - used;
  layout->width[column] += wish < room ? wish : room;
}

static layout_t layout_for(const write_table_view_t *view) {
  layout_t layout = {.gap = 2};
  for (size_t i = 0; i < COLUMNS; i++)
    layout.width[i] = columns[i].width;
  if (layout_width(&layout) > view->width)
    layout.gap = 1;
  for (unsigned drop = PRIORITY_LAST;
       drop > 0 && layout_width(&layout) > view->width; drop--)
    for (size_t i = 0; i < COLUMNS; i++)
      if (columns[i].priority == drop)
        layout.width[i] = 0;
  widen(&layout, view, COLUMN_STATE);
  widen(&layout, view, COLUMN_NAME);
  return layout;
}

/* ---- lines --------------------------------------------------------------- */

static void emphasise(const write_table_view_t *view, tally_buffer_t *out,
                      const char *sequence) {
  if (view->ansi)
    tally_buffer_append_str(out, sequence);
}

/* What stood there before goes first: behind a line that is as wide as the
 * terminal the sequence would take its last character away. */
static void begin_line(const write_table_view_t *view, tally_buffer_t *out) {
  emphasise(view, out, CLEAR_LINE);
}

/* A text that is cut shows that it is: "a-very-long-n~"; of "running healthy"
 * the second word says it all. */
static void append_cell(tally_buffer_t *out, const column_t *column,
                        size_t width, const char *text) {
  size_t len = strlen(text);
  const char *blank = strchr(text, ' ');
  if (len > width && column == &columns[COLUMN_STATE] && blank != NULL) {
    text = blank + 1;
    len = strlen(text);
  }
  if (len > width && width > 0)
    tally_buffer_printf(out, "%.*s~", (int)width - 1, text);
  else if (column->left)
    tally_buffer_printf(out, "%-*s", (int)width, text);
  else
    tally_buffer_printf(out, "%*s", (int)width, text);
}

static void append_gap(const layout_t *layout, size_t column,
                       tally_buffer_t *out) {
  if (column > 0)
    tally_buffer_printf(out, "%*s", (int)layout->gap, "");
}

static void append_titles(const write_table_view_t *view,
                          const layout_t *layout, tally_buffer_t *out) {
  begin_line(view, out);
  emphasise(view, out, BOLD);
  for (size_t i = 0; i < COLUMNS; i++) {
    if (layout->width[i] == 0)
      continue;
    append_gap(layout, i, out);
    append_cell(out, &columns[i], layout->width[i], columns[i].title);
  }
  emphasise(view, out, PLAIN);
  tally_buffer_append_str(out, "\n");
}

/* What an eye should rest on, and what it may pass over. */
static const char *emphasis_of(const write_table_row_t *row) {
  if (row->health == TALLY_HEALTH_UNHEALTHY &&
      row->state == TALLY_CONTAINER_RUNNING)
    return RED;
  switch (row->state) {
  case TALLY_CONTAINER_DEAD:
    return RED;
  case TALLY_CONTAINER_PAUSED:
  case TALLY_CONTAINER_RESTARTING:
  case TALLY_CONTAINER_REMOVING:
    return YELLOW;
  case TALLY_CONTAINER_RUNNING:
    return "";
  default:
    return DIM;
  }
}

static void append_row(const write_table_view_t *view, const layout_t *layout,
                       const write_table_row_t *row, tally_buffer_t *out) {
  const char *emphasis = emphasis_of(row);
  begin_line(view, out);
  emphasise(view, out, emphasis);
  for (size_t i = 0; i < COLUMNS; i++) {
    if (layout->width[i] == 0)
      continue;
    char text[256];
    columns[i].cell(text, sizeof(text), row);
    append_gap(layout, i, out);
    append_cell(out, &columns[i], layout->width[i], text);
  }
  if (emphasis[0] != '\0')
    emphasise(view, out, PLAIN);
  tally_buffer_append_str(out, "\n");
}

/* "host   12:34:56   7 containers, 5 running   <message>" */
static void append_header(const write_table_view_t *view, tally_buffer_t *out) {
  size_t running = 0;
  for (size_t i = 0; i < view->count; i++)
    running += view->rows[i].state == TALLY_CONTAINER_RUNNING;

  char host[128], left[512], message[256] = "";
  sanitise(host, sizeof(host), view->host);
  if (view->message != NULL)
    sanitise(message, sizeof(message), view->message);
  snprintf(left, sizeof(left), "%s  %s  %zu container%s, %zu running", host,
           view->time, view->count, view->count == 1 ? "" : "s", running);

  size_t len = strlen(left);
  size_t cut = len < view->width ? len : view->width;
  begin_line(view, out);
  emphasise(view, out, BOLD);
  tally_buffer_printf(out, "%.*s", (int)cut, left);
  emphasise(view, out, PLAIN);
  if (message[0] != '\0' && cut + 2 < view->width) {
    emphasise(view, out, YELLOW);
    tally_buffer_printf(out, "  %.*s", (int)(view->width - cut - 2), message);
    emphasise(view, out, PLAIN);
  }
  tally_buffer_append_str(out, "\n");
}

static int compare_rows(const void *a, const void *b) {
  const write_table_row_t *x = a, *y = b;
  /* as it is shown, so that equal-looking rows do not dance */
  double x_cpu = isnan(x->cpu_percent) ? -1 : round(x->cpu_percent * 10);
  double y_cpu = isnan(y->cpu_percent) ? -1 : round(y->cpu_percent * 10);
  if (x_cpu != y_cpu)
    return x_cpu > y_cpu ? -1 : 1;
  return strcmp(x->name, y->name);
}

size_t write_table_format(const write_table_view_t *view, tally_buffer_t *out) {
  qsort(view->rows, view->count, sizeof(*view->rows), compare_rows);
  size_t shown = view->count;
  if (view->height > 0 && shown + LINES_AROUND > view->height)
    shown = view->height > LINES_AROUND + 1
                ? view->height - LINES_AROUND - 1 /* "… and N more" */
                : 0;

  layout_t layout = layout_for(view);
  if (view->ansi && view->before > 0)
    tally_buffer_printf(out, UP, view->before);
  append_header(view, out);
  append_titles(view, &layout, out);
  for (size_t i = 0; i < shown; i++)
    append_row(view, &layout, &view->rows[i], out);
  if (shown < view->count) {
    begin_line(view, out);
    tally_buffer_printf(out, "… and %zu more", view->count - shown);
    tally_buffer_append_str(out, "\n");
  }
  emphasise(view, out, CLEAR_BELOW);
  return 2 + shown + (shown < view->count); /* header and titles */
}
