/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DELIVERY_DELIVERY_H
#define TALLY_DELIVERY_DELIVERY_H

/*
 * The outbox: what stands between those who have records and one destination
 * that takes them over a network.
 *
 *   producers ─ put ─► memory ─┬──────────────────┬─► batch ─► send() ─► fates
 *                              └─► spool on disk ─┘     ▲                  │
 *                                                       └── what failed ◄──┘
 *
 * The promise: a record that was accepted is sent at least once, or counted as
 * lost with the reason, and
 *
 *   accepted + recovered = sent + lost after it was accepted + queued
 *
 * at every moment (tally_outbox_stats_t). Records of one key are sent in the
 * order in which they were put. A record comes twice only if the answer to a
 * call was never seen, or if the process was killed before it could note the
 * answer.
 *
 * Every outbox has a thread of its own ("tally-outbox"), so a destination that
 * is dead or slow delays nobody else.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/* ---- records ------------------------------------------------------------- */

#define TALLY_OUTBOX_KEY_MAX 1024 /* bytes */

/* Bytes, borrowed for the time of the call. */
typedef struct tally_record_s {
  const char *key; /* order is kept among equal keys; may be empty */
  size_t key_len;
  const char *data;
  size_t len;
  uint64_t time_ns; /* what the record says of itself; handed through */
} tally_record_t;

/* Why a record is not, or not any more, on its way. */
typedef enum tally_loss_e {
  TALLY_LOSS_NONE = 0, /* accepted */
  /* never accepted; put says so */
  TALLY_LOSS_TOO_LARGE, /* longer than the destination takes */
  TALLY_LOSS_NO_ROOM,   /* memory is full and there is no spool to take it */
  TALLY_LOSS_CLOSED,    /* the outbox is being shut down */
  /* accepted before */
  TALLY_LOSS_SPOOL_FULL, /* the oldest made room for newer ones */
  TALLY_LOSS_AGE,        /* waited longer than max_age_ns */
  TALLY_LOSS_REFUSED,    /* the destination will never take it */
  TALLY_LOSS_DAMAGED,    /* cannot be read from the spool */
  TALLY_LOSS_SHUTDOWN,   /* shut down with nowhere to keep it */
  TALLY_LOSSES
} tally_loss_t;

#define TALLY_LOSS_ACCEPTED TALLY_LOSS_SPOOL_FULL /* the first of those */

/* "no_room", …: one word, static. */
const char *tally_loss_name(tally_loss_t loss);

/* ---- the destination ----------------------------------------------------- */

/* What became of one record of a batch. */
typedef enum tally_fate_e {
  TALLY_FATE_UNSURE, /* the answer was never seen: tried again, may come twice;
                        every fate is this until send() says otherwise */
  TALLY_FATE_SENT,
  TALLY_FATE_RETRY,   /* certainly not taken: tried again */
  TALLY_FATE_REFUSED, /* never will be taken: dropped, and counted */
} tally_fate_t;

/* What send() may say beside fates; zero when it is called. */
typedef struct tally_answer_s {
  unsigned status;         /* the number of the failure: an HTTP status, or
                              1000 + errno; 0: none, or that of *err */
  uint64_t retry_after_ns; /* do not come back earlier */
  uint64_t repeated;       /* records that are SENT, perhaps twice: on its way
                              the call was made once more */
} tally_answer_t;

/*
 * `data` is handed to each function. All but `cancel` are called by the
 * outbox's thread alone; `size` and `group` also by producers, at the same
 * time, and so may only look at what does not change.
 */
typedef struct tally_destination_s {
  void *data;

  /*
   * Sends `count` records (1 to batch_records), in this order, and sets
   * fates[i] of each. Has to come back in bounded time (its own time limits).
   *
   *   0   the call was answered: what was not taken waits, group by group
   *  -1   the call failed as a whole, *err says why: the whole outbox waits
   *
   * Whoever wants order keeps it: where a record is not SENT, no later record
   * of the same key in the batch may have been taken.
   *
   * *err may also be filled in with 0, to say why some were not taken.
   */
  int (*send)(void *data, const tally_record_t *records, size_t count,
              tally_fate_t *fates, tally_answer_t *answer, tally_error_t *err);

  /* What a record adds to the size of a batch, as the destination counts it.
   * NULL: key and data. */
  size_t (*size)(void *data, const tally_record_t *record);

  /* Keys that are throttled together (a shard): a number for each such group.
   * NULL: every key is a group of its own. Must not change for a key while
   * records of it wait. */
  uint64_t (*group)(void *data, const char *key, size_t key_len);

  /* Makes a running send() come back soon. From another thread. May be NULL. */
  void (*cancel)(void *data);

  /* Called once, when nothing above will be called any more. May be NULL. */
  void (*release)(void *data);
} tally_destination_t;

/* ---- making one ---------------------------------------------------------- */

/* When what was written to the spool is flushed to the disk. The end of the
 * process, also by kill -9, never loses what was written; this is about the end
 * of the machine. */
typedef enum tally_sync_e {
  TALLY_SYNC_NEVER,  /* when the kernel does */
  TALLY_SYNC_SECOND, /* once a second, by a thread ("tally-sync") */
  TALLY_SYNC_ALWAYS, /* before put returns, which then waits for the disk */
} tally_sync_t;

/* What is 0 or NULL takes the default in brackets. */
typedef struct tally_outbox_options_s {
  const char *name; /* for messages: "write_kinesis-metrics" [outbox] */

  size_t memory_bytes;   /* records in memory, overhead included, together
                            with what they left behind for the next ones,
                            which a quiet outbox gives back within two
                            minutes [16 MiB] */
  size_t memory_records; /* [100 000] */
  size_t record_bytes;   /* the largest record as `size` counts it [1 MiB];
                            and no record may need more than half of the
                            memory or a quarter of the spool */

  size_t batch_records; /* [500] */
  size_t batch_bytes;   /* as `size` counts [4 MiB] */
  uint64_t linger_ns;   /* how long a record waits for company [1 s] */

  uint64_t backoff_base_ns; /* first wait: random up to this [250 ms] */
  uint64_t backoff_cap_ns;  /* doubled up to this [30 s] */
  uint64_t max_age_ns;      /* after this a record is dropped [7 days] */

  /* The spool: a directory of its own, absolute path, made with mode 0700. It
   * belongs to one outbox of one process at a time (flock). NULL: none. */
  const char *spool;
  uint64_t spool_bytes;   /* of all its files [256 MiB] */
  uint64_t segment_bytes; /* of one file [4 MiB]; at most spool_bytes / 8 */
  tally_sync_t sync;
  bool durable; /* everything goes through the spool: what was accepted is
                   there after kill -9, unless the spool had to drop it for
                   want of room. Otherwise the spool takes what memory
                   has no room for, and what is left at the end */
} tally_outbox_options_t;

/* For who knows his destination's limits: what is larger, or was left to the
 * default, becomes `most`. */
static inline void tally_outbox_limit(size_t *option, size_t most) {
  if (*option == 0 || *option > most)
    *option = most;
}

typedef struct tally_outbox_s tally_outbox_t;

/*
 * Reads what an earlier process left in the spool, repairs what a crash has
 * torn, and starts the thread. Copies options and destination. Takes as long
 * as reading the spool does.
 *
 * NULL and *err: the spool belongs to somebody else (EBUSY), cannot be opened,
 * or is no directory of ours; no memory; no thread. `release` is not called
 * then. A disk that is full or read-only is no error: records stay in memory
 * until it is not.
 */
tally_outbox_t *tally_outbox_create(const tally_outbox_options_t *options,
                                    const tally_destination_t *destination,
                                    tally_error_t *err);

/* ---- putting ------------------------------------------------------------- */

/*
 * Takes a copy. TALLY_LOSS_NONE: accepted. Any thread; waits for no network,
 * only for an append to a file, and for the disk itself under
 * TALLY_SYNC_ALWAYS.
 */
tally_loss_t tally_outbox_put(tally_outbox_t *outbox,
                              const tally_record_t *record);

/* The same for many at once, with one write to the spool for all of them;
 * returns how many were accepted. `verdicts` may be NULL. */
size_t tally_outbox_put_all(tally_outbox_t *outbox,
                            const tally_record_t *records, size_t count,
                            tally_loss_t *verdicts);

/*
 * Notes: small texts by name, kept in the spool beside the records, so that
 * somebody who reads from a source that he can read again knows how far he
 * came. A note and the records put with it are one step: whatever happens to
 * the process, either the next one finds the note and the records (or they were
 * sent, or counted as lost), or neither. While the disk takes nothing, records
 * and notes wait in memory, and no note is ever written before the records that
 * were put before it; a process that is killed meanwhile leaves older notes
 * behind, and its successor puts records again that may have been sent. When
 * the disk takes something again, what is still in memory is written first.
 *
 * A note stays until it is replaced or forgotten, however old it is and
 * whatever becomes of the records.
 *
 * They need a spool and `durable`. Names (1 byte at least) and texts are
 * bounded, and have no NUL in them.
 */
#define TALLY_OUTBOX_NOTE_NAME_MAX 128 /* bytes */
#define TALLY_OUTBOX_NOTE_TEXT_MAX 256
#define TALLY_OUTBOX_NOTES_MAX 16384 /* names */

/*
 * Puts all of the records and the note, or nothing. `text` NULL forgets the
 * note; `count` may be 0. Any thread; but those who put notes of one name take
 * turns.
 *
 * Nothing older is dropped to make room for them, unlike for other records. A
 * group of records should be small (hundreds of kilobytes): what is larger than
 * a quarter of spool or memory may never find room.
 *
 *  0   taken; records that can never be taken (too large) are counted as lost,
 *      with their verdict
 * -1   there is no room at present (that is not counted as a loss, and there
 *      are no verdicts); or the outbox is closed, has no spool or is not
 *      durable, or name or text are too long
 */
int tally_outbox_put_noted(tally_outbox_t *outbox,
                           const tally_record_t *records, size_t count,
                           tally_loss_t *verdicts, const char *name,
                           const char *text);

/* The newest text of that name, this process's or an earlier one's; false:
 * none. */
bool tally_outbox_note(tally_outbox_t *outbox, const char *name,
                       char text[TALLY_OUTBOX_NOTE_TEXT_MAX + 1]);

/* Calls back for each note, with the outbox's lock held: no function of it may
 * be called from there. */
void tally_outbox_notes(tally_outbox_t *outbox,
                        void (*each)(const char *name, const char *text,
                                     void *data),
                        void *data);

/* Stops lingering until as many records as are waiting now have been sent or
 * lost, and waits for that, `timeout_ms` at most (0: does not wait). true: they
 * have. Any thread. */
bool tally_outbox_flush(tally_outbox_t *outbox, int timeout_ms);

/* ---- looking ------------------------------------------------------------- */

typedef struct tally_outbox_stats_s {
  /* records, since the outbox was made */
  uint64_t accepted;
  uint64_t recovered; /* found in the spool at the start */
  uint64_t sent;
  uint64_t failed;              /* fates that were not SENT */
  uint64_t retried;             /* records that were put into another batch */
  uint64_t possible_duplicates; /* UNSURE and repeated ones, and recovered ones
                                   that the earlier process had begun to send */
  uint64_t lost[TALLY_LOSSES];

  /* now */
  uint64_t queued;         /* records: in memory, in the spool, in a call */
  uint64_t memory_records; /* of them in memory */
  uint64_t memory_bytes;   /* that these take */
  uint64_t spooled;        /* records in the spool that still matter */
  uint64_t spooled_bytes;  /* of its files */
  uint64_t oldest_age_ns;  /* of what waits; 0: nothing waits */
  bool spool_broken;       /* cannot be written at the moment */

  /* calls */
  uint64_t calls, calls_failed;
  uint64_t call_ns;      /* all calls together */
  uint64_t last_call_ns; /* the last one */
  uint64_t worst_call_ns;
  uint64_t latency_ns;       /* from accepted to sent, of the batches of late */
  unsigned last_error;       /* HTTP status, or 1000 + errno; 0: none yet */
  char last_error_text[512]; /* whatever fits into a tally_error_t */
} tally_outbox_stats_t;

/* Never waits for a call. Any thread. */
void tally_outbox_stats(tally_outbox_t *outbox, tally_outbox_stats_t *stats);

/* Records that were lost for any reason, accepted or not. */
uint64_t tally_outbox_lost(const tally_outbox_stats_t *stats);

/*
 * The same as collectd shows it: the sources of two data sets of types.db, in
 * their order. Ages and latencies are in seconds.
 */
typedef enum tally_outbox_set_e {
  TALLY_OUTBOX_SET_MAIN,   /* "tallyman_outbox": how it is doing; the subagent
                              reads this one */
  TALLY_OUTBOX_SET_LOSSES, /* "tallyman_losses": why records were lost, and
                              what may have come twice */
  TALLY_OUTBOX_SETS
} tally_outbox_set_t;

const char *tally_outbox_set_type(tally_outbox_set_t set);
/* Fills at most `size` values and returns how many there are. */
size_t tally_outbox_values(const tally_outbox_stats_t *stats,
                           tally_outbox_set_t set, double *values, size_t size);
/* The name of source number `i`, NULL behind the last. */
const char *tally_outbox_value_name(tally_outbox_set_t set, size_t i);

/* ---- the end ------------------------------------------------------------- */

/*
 * Takes no more records, sends what it can in `timeout_ms`, cancels the running
 * call, and puts the rest into the spool, where the next outbox finds it; what
 * cannot be kept is counted (TALLY_LOSS_SHUTDOWN). If the last call has failed
 * as a whole and the spool has room for everything, no more is tried. `last`
 * (or NULL) receives the final numbers.
 *
 * A send() that does not come back even a second after it was cancelled keeps
 * what it needs and gives it back when it returns; nobody waits for it.
 *
 * Nobody may use the outbox any more. NULL is allowed.
 */
void tally_outbox_destroy(tally_outbox_t *outbox, int timeout_ms,
                          tally_outbox_stats_t *last);

#endif
