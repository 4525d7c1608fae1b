/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "logs/feed.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

/* ---- records ------------------------------------------------------------- */

/* Text that may need several records. */
typedef struct {
  const char *text;
  size_t len;
  uint64_t time_ns;
  tally_log_voice_t voice;
  bool begins, ends; /* a line; both, unless it comes in parts */
} passage_t;

static bool has_parcel(tally_log_feed_t *f) {
  if (f->parcel == NULL)
    f->parcel = tally_log_parcel_take(&f->common->pool);
  return f->parcel != NULL;
}

static void drop_parcel(tally_log_feed_t *f) {
  tally_log_parcel_give(&f->common->pool, f->parcel);
  f->parcel = NULL;
}

/* How much of it goes into the next record. */
static tally_log_text_t next_piece(const tally_log_feed_t *f,
                                   const passage_t *p, size_t done,
                                   unsigned *pieces) {
  tally_log_text_t piece = {.text = p->text + done,
                            .len = p->len - done,
                            .time_ns = p->time_ns,
                            .voice = p->voice,
                            .last = true,
                            .instance = atomic_load(&f->common->instance)};
  bool whole = p->begins && p->ends && done == 0;
  size_t fits =
      tally_log_layout_fit(f->route.layout, &f->speaker, &piece, f->sink->room);
  if (whole && fits == piece.len)
    return piece;
  piece.part = ++*pieces;
  fits =
      tally_log_layout_fit(f->route.layout, &f->speaker, &piece, f->sink->room);
  piece.last = p->ends && fits == piece.len;
  piece.len = fits;
  return piece;
}

/* Makes the records of a passage; `write` false only counts them. -1: no
 * memory, and nothing has changed. */
static int make_records(tally_log_feed_t *f, const passage_t *p,
                        unsigned *pieces, bool write) {
  unsigned before = *pieces;
  size_t records = tally_log_parcel_count(f->parcel), done = 0;
  if (p->begins)
    *pieces = 0;
  do {
    tally_log_text_t piece = next_piece(f, p, done, pieces);
    if (write &&
        (tally_log_layout_write(f->route.layout, &f->speaker, &piece,
                                tally_log_parcel_begin(f->parcel)) != 0 ||
         tally_log_parcel_end(f->parcel, p->time_ns) != 0)) {
      tally_log_parcel_abandon(f->parcel, records);
      *pieces = before;
      return -1;
    }
    done += piece.len;
  } while (done < p->len);
  return 0;
}

/* ---- the outbox ---------------------------------------------------------- */

static void not_later(uint64_t *open_ns, uint64_t time_ns) {
  if (time_ns != 0 && (*open_ns == 0 || time_ns < *open_ns))
    *open_ns = time_ns;
}

/* Reading has to begin again with what is held back. */
static tally_log_mark_t mark_to_note(const tally_log_feed_t *f) {
  tally_log_mark_t mark = f->mark;
  mark.position.open_ns = f->open_ns;
  for (int s = 0; s < TALLY_LOG_STREAMS; s++)
    if (f->streams[s].join.lines > 0)
      not_later(&mark.position.open_ns, f->streams[s].join.time_ns);
  return mark;
}

static bool put(tally_log_feed_t *f) {
  tally_log_mark_t mark = mark_to_note(f);
  if (tally_log_parcel_put(f->parcel, f->sink->outbox, f->id, &mark) != 0)
    return false;
  drop_parcel(f);
  f->moved = false;
  return true;
}

static bool has_waiting(const tally_log_feed_t *f) {
  return tally_log_parcel_count(f->parcel) > 0;
}

/* A parcel to which records can be added. */
static bool has_room(tally_log_feed_t *f) {
  if (tally_log_parcel_count(f->parcel) > 0 &&
      tally_log_parcel_is_full(f->parcel) && !put(f))
    return false;
  return has_parcel(f);
}

/* ---- lines --------------------------------------------------------------- */

static void pass(tally_log_feed_t *f, const tally_log_line_t *line) {
  tally_log_mark_advance(&f->mark, line);
  f->moved = true;
}

static passage_t passage_of(const tally_log_line_t *line) {
  return (passage_t){
      .text = line->text,
      .len = line->len,
      .time_ns = line->time_ns != 0 ? line->time_ns : tally_clock_realtime_ns(),
      .voice = line->stream == TALLY_LOG_STDERR ? TALLY_LOG_VOICE_STDERR
                                                : TALLY_LOG_VOICE_STDOUT,
      .begins = line->part <= 1,
      .ends = line->last};
}

/* What a join holds becomes a record. */
static int release_held(tally_log_feed_t *f, int s) {
  tally_log_feed_stream_t *stream = &f->streams[s];
  if (stream->join.lines == 0)
    return 0;
  passage_t p = passage_of(&stream->held);
  p.text = stream->join.text.data;
  p.len = stream->join.text.len;
  if (stream->join.time_ns != 0)
    p.time_ns = stream->join.time_ns;
  if (!has_parcel(f) || make_records(f, &p, &stream->pieces, true) != 0)
    return -1;
  pass(f, &stream->held);
  tally_log_join_drop(&stream->join);
  return 0;
}

static void hold(tally_log_feed_stream_t *stream,
                 const tally_log_line_t *line) {
  stream->held = *line;
  stream->held.text = NULL;
}

/* Joined with others, or alone. */
static int take(tally_log_feed_t *f, const tally_log_line_t *line) {
  tally_log_feed_stream_t *stream = &f->streams[line->stream];
  bool whole = line->part == 0;
  if (f->route.join != NULL) {
    if (!whole ||
        tally_log_join_completes(&stream->join, line->text, line->len)) {
      if (release_held(f, line->stream) != 0)
        return -1;
    }
    if (whole &&
        tally_log_join_add(&stream->join, line->text, line->len, line->time_ns,
                           tally_clock_monotonic_ns()) == 0) {
      hold(stream, line);
      return 0;
    }
  }
  passage_t p = passage_of(line);
  if (make_records(f, &p, &stream->pieces, true) != 0)
    return -1;
  pass(f, line);
  return 0;
}

/* What the sink has already is not taken twice. Parts still count. */
static bool is_known(tally_log_feed_t *f, const tally_log_line_t *line) {
  tally_log_feed_stream_t *stream = &f->streams[line->stream];
  if (!stream->behind)
    return false;
  stream->behind = tally_log_mark_covers(&f->mark, line);
  if (stream->behind && line->part > 0) {
    passage_t p = passage_of(line);
    make_records(f, &p, &stream->pieces, false);
  }
  return stream->behind;
}

static bool offer_one(tally_log_feed_t *f, const tally_log_line_t *line) {
  if (!has_room(f))
    return false;
  if (!is_known(f, line)) {
    if (!f->route.streams[line->stream])
      pass(f, line);
    else if (take(f, line) != 0)
      return false;
  }
  f->open_ns = line->after.open_ns;
  return true;
}

size_t tally_log_feed_offer(tally_log_feed_t *f, const tally_log_line_t *lines,
                            size_t count) {
  size_t done = f->ahead < count ? f->ahead : count;
  if (has_waiting(f) && !put(f))
    return done;
  while (done < count && offer_one(f, &lines[done]))
    done++;
  if (has_waiting(f))
    put(f);
  else
    drop_parcel(f);
  return done;
}

void tally_log_feed_settle(tally_log_feed_t *f, size_t offered, size_t done,
                           size_t taken) {
  f->ahead = (f->ahead > offered ? f->ahead : done) - taken;
}

/* ---- sentences ----------------------------------------------------------- */

bool tally_log_feed_tell(tally_log_feed_t *f, const tally_event_t *event,
                         const char *text) {
  if (tally_log_mark_knows(&f->mark, event))
    return true;
  passage_t p = {.text = text,
                 .len = strlen(text),
                 .time_ns = event->time_ns != 0 ? event->time_ns
                                                : tally_clock_realtime_ns(),
                 .voice = TALLY_LOG_VOICE_AGENT,
                 .begins = true,
                 .ends = true};
  unsigned pieces = 0;
  if (!has_room(f) || make_records(f, &p, &pieces, true) != 0)
    return false;
  tally_log_mark_tell(&f->mark, event);
  f->moved = true;
  put(f);
  return true;
}

/* ---- waiting ------------------------------------------------------------- */

bool tally_log_feed_flush(tally_log_feed_t *f, bool finish) {
  uint64_t now = tally_clock_monotonic_ns();
  bool held = false;
  for (int s = 0; s < TALLY_LOG_STREAMS; s++) {
    const tally_log_join_t *join = &f->streams[s].join;
    if (join->lines > 0 && (finish || now >= join->due_ns))
      held |= release_held(f, s) != 0;
  }
  if ((has_waiting(f) || (finish && f->moved)) && !put(f))
    return false;
  return !held;
}

void tally_log_feed_drained(tally_log_feed_t *f, uint64_t run_ns) {
  if (f->mark.drained_ns == run_ns)
    return;
  f->mark.drained_ns = run_ns;
  f->moved = true;
}

/* ---- life ---------------------------------------------------------------- */

int tally_log_feed_init(tally_log_feed_t *f, tally_log_feed_common_t *common,
                        const tally_log_route_t *route,
                        const tally_container_t *container,
                        tally_error_t *err) {
  *f = (tally_log_feed_t){.common = common, .route = *route};
  memcpy(f->id, container->id, sizeof(f->id));
  for (int s = 0; s < TALLY_LOG_STREAMS; s++)
    tally_log_join_init(&f->streams[s].join, route->join);
  f->route.target = strdup(route->target);
  if (f->route.target == NULL)
    return tally_error_set(err, ENOMEM, "container %s", container->name);
  return tally_log_speaker_init(&f->speaker, container, route->labels,
                                common->host, err);
}

void tally_log_feed_clear(tally_log_feed_t *f) {
  drop_parcel(f);
  for (int s = 0; s < TALLY_LOG_STREAMS; s++)
    tally_log_join_clear(&f->streams[s].join);
  tally_log_speaker_clear(&f->speaker);
  free((char *)f->route.target);
  f->route.target = NULL;
}

void tally_log_feed_connect(tally_log_feed_t *f, tally_log_sink_t *sink,
                            const tally_log_position_t *start) {
  char text[TALLY_OUTBOX_NOTE_TEXT_MAX + 1];
  f->sink = sink;
  if (!tally_outbox_note(sink->outbox, f->id, text) ||
      tally_log_mark_parse(text, &f->mark) != 0)
    f->mark = (tally_log_mark_t){.position = *start};
  f->open_ns = f->mark.position.open_ns;
}

void tally_log_feed_rewind(tally_log_feed_t *f) {
  f->reading = true;
  f->ahead = 0;
  f->open_ns = f->mark.position.open_ns = mark_to_note(f).position.open_ns;
  for (int s = 0; s < TALLY_LOG_STREAMS; s++) {
    tally_log_feed_stream_t *stream = &f->streams[s];
    stream->behind = true;
    stream->pieces = 0;
    if (stream->join.lines > 0)
      tally_log_join_drop(&stream->join);
  }
}
