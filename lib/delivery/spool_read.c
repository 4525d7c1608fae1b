/* SPDX-License-Identifier: MIT */
#include "config.h"

/* Records come back in the order of their numbers. Segments follow each other,
 * but those that were written at the end of a process, from memory, hold
 * records that belong between those of others. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/file.h"
#include "delivery/spool_private.h"

/* The segment with the next record, and where another one has to take over. */
static tally_segment_t *next_segment(const tally_spool_t *spool,
                                     uint64_t *limit) {
  tally_segment_t *first = NULL, *segment;
  *limit = UINT64_MAX;
  TAILQ_FOREACH(segment, &spool->segments, link) {
    if (segment->unread == 0)
      continue;
    if (first == NULL || segment->next_seq < first->next_seq) {
      if (first != NULL)
        *limit = first->next_seq;
      first = segment;
    } else if (segment->next_seq < *limit) {
      *limit = segment->next_seq;
    }
  }
  return first;
}

bool tally_spool_read_begin(tally_spool_t *spool, tally_spool_read_t *read) {
  *read = (tally_spool_read_t){0};
  TAILQ_INIT(&read->items);
  tally_segment_t *segment;
  while ((segment = next_segment(spool, &read->limit)) != NULL) {
    if (segment->fd < 0) {
      char name[TALLY_SPOOL_NAME_LEN];
      tally_segment_name(name, segment->id, "seg");
      segment->fd = tally_file_raise(
          openat(spool->directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    }
    if (segment->fd >= 0)
      break;
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
        tally_spool_drop(spool, segment, TALLY_LOSS_DAMAGED) != 0)
      return false; /* that passes */
  }
  if (segment == NULL)
    return false;
  segment->pinned = true;
  read->segment = segment;
  read->first = segment->read_index;
  read->next_seq = segment->next_seq;
  tally_cursor_init(&read->cursor, segment->fd, segment->read_at,
                    segment->size);
  read->cursor.seq = segment->next_seq - 1;
  return true;
}

static tally_item_t *create_item(const tally_spool_read_t *read,
                                 const tally_record_t *record) {
  return read->pool != NULL ? tally_pool_create_item(read->pool, record)
                            : tally_item_create(record);
}

void tally_spool_read_run(tally_spool_read_t *read, size_t bytes) {
  tally_cursor_t *cursor = &read->cursor;
  off_t begin = cursor->at;
  while ((size_t)(cursor->at - begin) < bytes) {
    off_t at = cursor->at;
    uint64_t seq = cursor->seq;
    tally_stored_t stored;
    tally_step_t step = tally_cursor_step(cursor, &stored);
    read->torn = step == TALLY_STEP_TORN;
    if (step == TALLY_STEP_END || step == TALLY_STEP_TORN)
      break;
    if (step != TALLY_STEP_RECORD) {
      read->steps++;
      continue;
    }
    tally_item_t *item = NULL;
    if (stored.seq >= read->limit) {
      read->next_seq = stored.seq;
    } else if ((item = create_item(read, &stored.record)) != NULL) {
      item->seq = stored.seq;
      item->accepted_ns = stored.accepted_ns;
      item->segment = read->segment->id;
      item->index = read->first + read->steps++;
      TAILQ_INSERT_TAIL(&read->items, item, link);
      read->next_seq = stored.seq + 1;
      continue;
    }
    cursor->at = at; /* later */
    cursor->seq = seq;
    break;
  }
  read->bytes = (size_t)(cursor->at - begin);
  tally_cursor_clear(cursor);
}

/* Nothing more can be read from here. */
static void give_up(tally_spool_t *spool, tally_segment_t *segment) {
  if (segment == spool->current)
    spool->current = NULL;
  spool->lost[TALLY_LOSS_DAMAGED] += segment->unread;
  spool->unread -= segment->unread;
  spool->records -= segment->unread;
  segment->done_entries += segment->unread;
  segment->unread = 0;
}

/* Those up to `end` were sound when the spool was opened, but are not any more,
 * unless they are done. */
static void lose(tally_spool_t *spool, tally_segment_t *segment, uint32_t index,
                 uint32_t end) {
  for (; index < end; index++) {
    if (tally_segment_is_done(segment, index))
      continue;
    tally_segment_set_done(segment, index);
    segment->unread--;
    spool->unread--;
    spool->records--;
    spool->lost[TALLY_LOSS_DAMAGED]++;
  }
}

static void pass(tally_spool_t *spool, tally_segment_t *segment,
                 tally_spool_read_t *read) {
  uint32_t index = read->first;
  for (tally_item_t *item = TAILQ_FIRST(&read->items), *next; item != NULL;
       item = next) {
    next = TAILQ_NEXT(item, link);
    lose(spool, segment, index, item->index);
    index = item->index + 1;
    segment->oldest_ns = item->accepted_ns;
    if (!tally_segment_is_done(segment, item->index)) {
      segment->unread--;
      spool->unread--;
    } else { /* by an earlier process */
      TAILQ_REMOVE(&read->items, item, link);
      free(item);
    }
  }
  lose(spool, segment, index, segment->read_index);
}

bool tally_spool_read_end(tally_spool_t *spool, tally_spool_read_t *read) {
  tally_segment_t *segment = read->segment;
  segment->pinned = false;
  if (segment->gone) { /* all of it has been counted as lost */
    tally_items_clear(&read->items);
    tally_segment_free(segment);
    return true;
  }
  bool progress =
      read->steps > 0 || read->torn || read->next_seq != segment->next_seq;
  segment->read_at += (off_t)read->bytes;
  segment->read_index += read->steps;
  segment->next_seq = read->next_seq;
  pass(spool, segment, read);
  if (read->torn)
    give_up(spool, segment);
  spool->unread_bytes -=
      read->bytes < spool->unread_bytes ? read->bytes : spool->unread_bytes;
  if (spool->unread == 0)
    spool->unread_bytes = 0;
  bool unsynced =
      spool->sync != TALLY_SYNC_NEVER && segment->synced < segment->size;
  if (segment->unread == 0 && segment != spool->current && !unsynced) {
    close(segment->fd);
    segment->fd = -1;
  }
  return progress;
}

bool tally_spool_unread(tally_spool_t *spool, const tally_item_t *item) {
  tally_segment_t *segment = tally_spool_find(spool, item->segment);
  if (segment == NULL)
    return false;
  segment->unread++;
  spool->unread++;
  return true;
}

void tally_spool_adopt(tally_spool_t *spool, tally_item_t **items,
                       size_t count) {
  tally_segment_t *segment = spool->current;
  uint32_t first = segment->entries - (uint32_t)count;
  for (size_t i = 0; i < count; i++) {
    items[i]->segment = segment->id;
    items[i]->index = first + (uint32_t)i;
  }
  uint64_t bytes = (uint64_t)(segment->size - segment->read_at);
  segment->read_at = segment->size;
  segment->read_index = segment->entries;
  segment->next_seq = items[count - 1]->seq + 1;
  segment->unread -= (uint32_t)count;
  spool->unread -= count;
  spool->unread_bytes -=
      bytes < spool->unread_bytes ? bytes : spool->unread_bytes;
}

uint64_t tally_spool_oldest(const tally_spool_t *spool) {
  uint64_t oldest = UINT64_MAX;
  const tally_segment_t *segment;
  TAILQ_FOREACH(segment, &spool->segments, link) {
    if (segment->unread > 0 && segment->oldest_ns < oldest)
      oldest = segment->oldest_ns;
  }
  return oldest;
}
