/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/ledger_private.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "docker/container_private.h"

/*
 * The file: JSON texts, one a line. Later lines supersede earlier ones.
 *
 *   {"tallyman-events":1}                                     first line
 *   {"begin":NS,"cursor":NS,"primed":BOOL}
 *   {"seen":["HASH",…]}
 *   {"describe":"ID","name":"…","image":"…","labels":{…}}
 *   {"report":"ID","running":BOOL,"start":NS,"die":NS,"gone":BOOL,
 *    "made":"csd"}                                made up: create, start, die
 *   {"forget":"ID"}
 *
 * The line of an event is that of a report, of its container or of none, with
 * "at":NS and "event":"HASH".
 */

#define FORMAT_VERSION 1
#define RETRY_NS (10 * TALLY_NS_PER_S)

/* ---- writing ------------------------------------------------------------- */

static void begin_line(tally_ledger_t *ledger) {
  tally_buffer_reset(&ledger->line);
}

/* Puts the line behind those that wait to be written. */
static void end_line(tally_ledger_t *ledger) {
  tally_journal_format(&ledger->text, ledger->line.data);
}

static const char *boolean(bool value) { return value ? "true" : "false"; }

static void put_report(tally_buffer_t *line, const tally_report_t *report) {
  tally_buffer_printf(
      line,
      "\"report\":\"%s\",\"running\":%s,\"start\":%" PRIu64 ",\"die\":%" PRIu64
      ",\"gone\":%s,\"made\":\"%s%s%s\"",
      report->id, boolean(report->running), report->start_ns, report->die_ns,
      boolean(report->gone), report->create_made ? "c" : "",
      report->start_made ? "s" : "", report->die_made ? "d" : "");
}

static void report_line(tally_ledger_t *ledger, const tally_report_t *report) {
  begin_line(ledger);
  tally_buffer_append_str(&ledger->line, "{");
  put_report(&ledger->line, report);
  tally_buffer_append_str(&ledger->line, "}");
  end_line(ledger);
}

static int put_labels(tally_buffer_t *line, const tally_container_t *c) {
  for (size_t i = 0; i < c->labels_count; i++)
    if (tally_buffer_append_str(line, i > 0 ? "," : "") != 0 ||
        tally_json_quote(line, c->labels[i].key) != 0 ||
        tally_buffer_append_str(line, ":") != 0 ||
        tally_json_quote(line, c->labels[i].value) != 0)
      return -1;
  return tally_buffer_append_str(line, "}}");
}

static void description_line(tally_ledger_t *ledger,
                             const tally_report_t *report) {
  const tally_container_t *c = report->container;
  tally_buffer_t *line = &ledger->line;
  begin_line(ledger);
  if (tally_buffer_printf(line, "{\"describe\":\"%s\",\"name\":", report->id) !=
          0 ||
      tally_json_quote(line, c->name) != 0 ||
      tally_buffer_append_str(line, ",\"image\":") != 0 ||
      tally_json_quote(line, c->image) != 0 ||
      tally_buffer_append_str(line, ",\"labels\":{") != 0 ||
      put_labels(line, c) != 0)
    return; /* labels of a megabyte: it will go without a description */
  end_line(ledger);
}

static void progress_line(tally_ledger_t *ledger) {
  begin_line(ledger);
  tally_buffer_printf(
      &ledger->line,
      "{\"begin\":%" PRIu64 ",\"cursor\":%" PRIu64 ",\"primed\":%s}",
      ledger->begin_ns, ledger->cursor_ns, boolean(ledger->primed));
  end_line(ledger);
}

static void seen_line(tally_ledger_t *ledger) {
  const tally_seen_t *seen = &ledger->seen;
  const char *separator = "";
  begin_line(ledger);
  tally_buffer_append_str(&ledger->line, "{\"seen\":[");
  for (size_t i = 0; i < TALLY_SEEN_MAX; i++) {
    uint64_t hash = seen->hashes[(seen->next + i) % TALLY_SEEN_MAX];
    if (hash == 0)
      continue;
    tally_buffer_printf(&ledger->line, "%s\"%016" PRIx64 "\"", separator, hash);
    separator = ",";
  }
  tally_buffer_append_str(&ledger->line, "]}");
  end_line(ledger);
}

static void failed(tally_ledger_t *ledger, const tally_error_t *err) {
  ledger->retry_ns = tally_clock_monotonic_ns() + RETRY_NS;
  if (!ledger->write_failed)
    tally_log(TALLY_LOG_WARNING,
              "ledger of events: %s; events may be repeated after a restart",
              err->message);
  ledger->write_failed = true;
}

/* Everything that is known, in as few lines as possible. */
static int rewrite(tally_ledger_t *ledger, tally_error_t *err) {
  tally_buffer_reset(&ledger->text);
  begin_line(ledger);
  tally_buffer_printf(&ledger->line, "{\"tallyman-events\":%d}",
                      FORMAT_VERSION);
  end_line(ledger);
  progress_line(ledger);
  seen_line(ledger);
  for (size_t i = 0; i < ledger->reports.count; i++) {
    const tally_report_t *report = ledger->reports.items[i];
    if (report->container != NULL)
      description_line(ledger, report);
    report_line(ledger, report);
  }
  int status = tally_journal_rewrite(&ledger->journal, &ledger->text, err);
  tally_buffer_clear(&ledger->text); /* it can be large, and rarely is */
  return status;
}

/* Writes the lines that wait. */
static void flush(tally_ledger_t *ledger) {
  tally_error_t err = {0};
  if (ledger->write_failed || tally_journal_is_long(&ledger->journal)) {
    tally_buffer_reset(&ledger->text); /* a rewrite contains them */
    if (ledger->write_failed && tally_clock_monotonic_ns() < ledger->retry_ns)
      return;
    if (rewrite(ledger, &err) != 0)
      failed(ledger, &err);
    else
      ledger->write_failed = false;
    return;
  }
  if (tally_journal_append(&ledger->journal, &ledger->text, &err) != 0)
    failed(ledger, &err);
  tally_buffer_reset(&ledger->text);
}

void tally_ledger_store_event(tally_ledger_t *ledger,
                              const tally_event_record_t *record,
                              const tally_report_t *report) {
  if (!ledger->durable)
    return;
  begin_line(ledger);
  tally_buffer_printf(&ledger->line,
                      "{\"at\":%" PRIu64 ",\"event\":\"%016" PRIx64 "\"",
                      record->event.time_ns, record->hash);
  if (report != NULL) {
    tally_buffer_append_str(&ledger->line, ",");
    put_report(&ledger->line, report);
  }
  tally_buffer_append_str(&ledger->line, "}");
  end_line(ledger);
  flush(ledger);
}

void tally_ledger_store_report(tally_ledger_t *ledger,
                               const tally_report_t *report) {
  if (!ledger->durable)
    return;
  report_line(ledger, report);
  flush(ledger);
}

/* Not written at once: alone, a description would make a container known of
 * which nothing has been told yet. */
void tally_ledger_store_description(tally_ledger_t *ledger,
                                    const tally_report_t *report) {
  if (ledger->durable)
    description_line(ledger, report);
}

void tally_ledger_store_removal(tally_ledger_t *ledger, const char *id) {
  if (!ledger->durable)
    return;
  begin_line(ledger);
  tally_buffer_printf(&ledger->line, "{\"forget\":\"%s\"}", id);
  end_line(ledger);
  flush(ledger);
}

void tally_ledger_store_progress(tally_ledger_t *ledger) {
  if (!ledger->durable)
    return;
  progress_line(ledger);
  flush(ledger);
}

/* ---- reading ------------------------------------------------------------- */

static uint64_t number_at(const tally_json_t *json, const char *key,
                          uint64_t fallback) {
  int64_t value = tally_json_int(tally_json_get(json, key), -1);
  return value >= 0 ? (uint64_t)value : fallback;
}

static bool boolean_at(const tally_json_t *json, const char *key) {
  return tally_json_bool(tally_json_get(json, key), false);
}

static int load_hash(tally_ledger_t *ledger, const char *text) {
  char *end;
  uint64_t hash = text != NULL ? strtoull(text, &end, 16) : 0;
  if (hash == 0 || *end != '\0')
    return -1;
  tally_seen_add(&ledger->seen, hash);
  return 0;
}

static int load_seen(tally_ledger_t *ledger, const tally_json_t *hashes) {
  for (size_t i = 0; i < tally_json_count(hashes); i++)
    if (load_hash(ledger, tally_json_string(tally_json_at(hashes, i, NULL))) !=
        0)
      return -1;
  return 0;
}

static int load_progress(tally_ledger_t *ledger, const tally_json_t *json) {
  ledger->begin_ns = number_at(json, "begin", 0);
  uint64_t cursor_ns = number_at(json, "cursor", 0);
  if (cursor_ns > ledger->cursor_ns)
    ledger->cursor_ns = cursor_ns;
  ledger->primed = boolean_at(json, "primed");
  return 0;
}

static int load_description(tally_ledger_t *ledger, const tally_json_t *json,
                            const char *id) {
  const tally_json_t *labels = tally_json_get(json, "labels");
  size_t count = tally_json_count(labels);
  tally_pair_t *pairs = calloc(count + 1, sizeof(*pairs));
  tally_report_t *report = tally_ledger_add(ledger, id);
  if (pairs == NULL || report == NULL) {
    free(pairs);
    return -1;
  }
  tally_container_t draft = {
      .name = tally_json_string(tally_json_get(json, "name")),
      .image = tally_json_string(tally_json_get(json, "image")),
      .labels = pairs,
      .labels_count = count,
  };
  memcpy(draft.id, id, strlen(id) + 1);
  for (size_t i = 0; i < count; i++) {
    const tally_json_t *label = tally_json_at(labels, i, &pairs[i].key);
    pairs[i].value = tally_json_string(label);
  }
  tally_container_unref(report->container);
  report->container = tally_container_pack(&draft, NULL);
  free(pairs);
  return 0;
}

static int load_report(tally_ledger_t *ledger, const tally_json_t *json,
                       const char *id) {
  const char *made = tally_json_string(tally_json_get(json, "made"));
  tally_report_t *report = tally_ledger_add(ledger, id);
  if (report == NULL || made == NULL)
    return -1;
  report->running = boolean_at(json, "running");
  report->gone = boolean_at(json, "gone");
  report->start_ns = number_at(json, "start", 0);
  report->die_ns = number_at(json, "die", 0);
  report->create_made = strchr(made, 'c') != NULL;
  report->start_made = strchr(made, 's') != NULL;
  report->die_made = strchr(made, 'd') != NULL;
  return 0;
}

static int load_event(tally_ledger_t *ledger, const tally_json_t *json,
                      const tally_json_t *event) {
  uint64_t at = number_at(json, "at", 0);
  if (at == 0 || load_hash(ledger, tally_json_string(event)) != 0)
    return -1;
  if (at > ledger->cursor_ns)
    ledger->cursor_ns = at;
  return 0;
}

static int load_object(tally_ledger_t *ledger, const tally_json_t *json) {
  const tally_json_t *member;
  if ((member = tally_json_get(json, "tallyman-events")) != NULL)
    return tally_json_int(member, 0) == FORMAT_VERSION ? 0 : -1;
  if (tally_json_get(json, "begin") != NULL)
    return load_progress(ledger, json);
  if ((member = tally_json_get(json, "seen")) != NULL)
    return load_seen(ledger, member);

  member = tally_json_get(json, "event");
  if (member != NULL && load_event(ledger, json, member) != 0)
    return -1;
  static const char *const keys[] = {"describe", "report", "forget"};
  const char *id = NULL;
  size_t kind;
  for (kind = 0; kind < sizeof(keys) / sizeof(keys[0]) && id == NULL; kind++)
    id = tally_json_string(tally_json_get(json, keys[kind]));
  if (id == NULL)
    return member != NULL ? 0 : -1;
  if (!tally_container_id_is_valid(id))
    return -1;
  switch (kind) { /* one further than the key that was found */
  case 1:
    return load_description(ledger, json, id);
  case 2:
    return load_report(ledger, json, id);
  default:
    tally_ledger_remove(ledger, tally_ledger_find(ledger, id));
    return 0;
  }
}

static int load_line(const char *line, size_t len, void *data) {
  tally_json_t *json = tally_json_parse(line, len, NULL);
  if (json == NULL)
    return -1;
  int status = load_object(data, json);
  tally_json_destroy(json);
  return status;
}

/* Back to a new ledger, after half of a corrupt file was read. */
static void forget_all(tally_ledger_t *ledger) {
  tally_ledger_remove_all(ledger);
  ledger->seen = (tally_seen_t){0};
  ledger->begin_ns = ledger->cursor_ns = 0;
  ledger->primed = false;
}

static int set_aside(tally_ledger_t *ledger, const char *path,
                     const tally_error_t *why, tally_error_t *err) {
  char *aside;
  if (asprintf(&aside, "%s.corrupt", path) < 0)
    return tally_error_set(err, ENOMEM, "`%s'", path);
  int status = rename(path, aside);
  int code = errno;
  tally_log(TALLY_LOG_WARNING,
            "ledger of events is corrupt: %s; it is kept as `%s' and begun "
            "anew",
            why->message, aside);
  free(aside);
  forget_all(ledger);
  return status == 0 ? 0 : tally_error_set(err, code, "rename `%s'", path);
}

int tally_ledger_load(tally_ledger_t *ledger, const char *path,
                      tally_error_t *err) {
  tally_error_t why = {0};
  int status =
      tally_journal_load(&ledger->journal, path, load_line, ledger, &why);
  if (status < 0 && why.code == EILSEQ) {
    if (set_aside(ledger, path, &why, err) != 0)
      return -1;
  } else if (status < 0) {
    if (err != NULL)
      *err = why;
    return -1;
  }
  ledger->durable = true;
  ledger->resume_ns = ledger->cursor_ns;
  return rewrite(ledger, err);
}
