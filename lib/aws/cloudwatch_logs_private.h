/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_CLOUDWATCH_LOGS_PRIVATE_H
#define TALLY_AWS_CLOUDWATCH_LOGS_PRIVATE_H

/*
 * What the files of cloudwatch_logs share.
 *
 *   cloudwatch_logs.c         the destination: opened, released
 *   cloudwatch_logs_send.c    a batch: stream by stream, call by call
 *   cloudwatch_logs_events.c  which events make one call, as JSON
 *   cloudwatch_logs_put.c     one call of PutLogEvents, until it has an end
 *   cloudwatch_logs_make.c    streams and groups that are missing
 *   cloudwatch_logs_answer.c  what the service says
 *   cloudwatch_logs_tokens.c  what it wants to hear in the next call
 */

#include <stdatomic.h>

#include "aws/cloudwatch_logs.h"

#define TALLY_LOGS_GROUP_MAX 512
#define TALLY_LOGS_STREAM_MAX 512
#define TALLY_LOGS_EVENTS_MAX 10000
#define TALLY_LOGS_CALL_BYTES 1048576
#define TALLY_LOGS_EVENT_BYTES 26 /* that each event counts beside its text */

/* Of a call. Quoted, a byte has six at most; around a message there are 45, and
 * no event counts less than 27. */
#define TALLY_LOGS_BODY_MAX (8 * TALLY_LOGS_CALL_BYTES)

/* ---- events -------------------------------------------------------------- */

typedef struct tally_logs_event_s {
  const tally_record_t *record;
  uint64_t time_ms; /* since 1970 */
  size_t bad;       /* bytes of the record that are not UTF-8 */
  size_t size;      /* as the service counts */
} tally_logs_event_t;

/* The name of the stream that a key stands for. */
void tally_logs_stream_name(const char *key, size_t key_len,
                            char name[TALLY_LOGS_STREAM_MAX + 1]);

size_t tally_logs_record_size(const tally_record_t *record);
/* `now_ns`: for those that do not say when they happened. */
tally_logs_event_t tally_logs_event(const tally_record_t *record,
                                    uint64_t now_ns);
/* By key, then by time; events of the same millisecond as the records stand. */
void tally_logs_sort(tally_logs_event_t *events, size_t count);
/* Of sorted events: how many have the first one's key. */
size_t tally_logs_same_key(const tally_logs_event_t *events, size_t count);
/* Of sorted events of one key: how many fit into one call. */
size_t tally_logs_fit(const tally_logs_event_t *events, size_t count);

/* Appends the body of PutLogEvents, up to the end of its events. -1: no memory.
 */
int tally_logs_quote_events(tally_buffer_t *body, const char *group,
                            const char *stream,
                            const tally_logs_event_t *events, size_t count);

/* ---- answers ------------------------------------------------------------- */

#define TALLY_LOGS_TOKEN_MAX 256 /* with its NUL; they have about 56 digits */

typedef struct tally_logs_answer_s {
  /* Of the events of the call, [0, too_old) and [too_new, …) were refused. */
  size_t too_old, too_new;
  char token[TALLY_LOGS_TOKEN_MAX]; /* for the next call; "": none */
} tally_logs_answer_t;

/* What PutLogEvents says to `count` events; accepted or, for the token's sake,
 * refused. -1: it is no answer of this service. */
int tally_logs_answer_read(tally_logs_answer_t *answer, const char *body,
                           size_t len, size_t count);

/* ---- tokens -------------------------------------------------------------- */

/* Of the streams that were spoken to last. One thread. */
typedef struct tally_logs_token_s tally_logs_token_t;
typedef struct tally_logs_tokens_s {
  tally_logs_token_t *first; /* a hash table, the oldest first */
  size_t count;
  bool wanted; /* the service has asked for one */
} tally_logs_tokens_t;

#define TALLY_LOGS_TOKENS_MAX 4096 /* streams */

/* "": none is known, or they are not wanted. Valid until the next call. */
const char *tally_logs_token(tally_logs_tokens_t *tokens, const char *stream);
/* Keeps it, if they are wanted; "" forgets the stream's. */
void tally_logs_token_keep(tally_logs_tokens_t *tokens, const char *stream,
                           const char *token);
void tally_logs_tokens_clear(tally_logs_tokens_t *tokens);

/* ---- the destination ----------------------------------------------------- */

typedef struct tally_logs_counters_s {
  _Atomic uint64_t calls, events, bytes, throttled, too_old, too_new, bad,
      replaced, streams_made;
} tally_logs_counters_t;

typedef struct tally_logs_s {
  tally_aws_client_t *client;
  char group[TALLY_LOGS_GROUP_MAX + 1];
  char title[256]; /* of the group, for messages */
  bool create_group;
  unsigned retention_days;
  bool retention_owed;     /* by a group that was made */
  tally_error_t complaint; /* about that; not said yet */
  uint64_t send_ns;        /* no call is begun later than this in a batch */
  tally_logs_tokens_t tokens;
  tally_buffer_t body; /* of the call under way */
  tally_logs_counters_t counters;
} tally_logs_t;

/* As tally_destination_t.send; `data` is a tally_logs_t. */
int tally_logs_send(void *data, const tally_record_t *records, size_t count,
                    tally_fate_t *fates, tally_answer_t *answer,
                    tally_error_t *err);

/* How a call ended. */
typedef enum tally_logs_end_e {
  TALLY_LOGS_TAKEN,
  TALLY_LOGS_BAD_DATA,  /* refused because of what it carries */
  TALLY_LOGS_THROTTLED, /* the stream, or the account: it does not say */
  TALLY_LOGS_STREAM,    /* something about the stream: it waits alone */
  TALLY_LOGS_ALL,       /* something else: everything waits */
} tally_logs_end_t;

/* What a call says of itself, most of it when it failed. */
typedef struct tally_logs_failure_s {
  int status; /* of HTTP; 0: no answer */
  int retry_after_s;
  bool uncertain;
} tally_logs_failure_t;

/* Sends `body` to "Logs_20140328.OPERATION"; *answer must be cleared. On
 * failure *failure and *err, which names group and operation. */
tally_logs_end_t tally_logs_call(tally_logs_t *logs, const char *operation,
                                 const tally_buffer_t *body,
                                 tally_aws_answer_t *answer,
                                 tally_logs_failure_t *failure,
                                 tally_error_t *err);

/* Puts events that fit into a call. TAKEN fills in *answer, everything else
 * *failure and *err. */
tally_logs_end_t tally_logs_put(tally_logs_t *logs, const char *stream,
                                const tally_logs_event_t *events, size_t count,
                                tally_logs_answer_t *answer,
                                tally_logs_failure_t *failure,
                                tally_error_t *err);

/* Makes the stream, and the group if it is missing and wanted. TAKEN: the
 * stream is there now. */
tally_logs_end_t tally_logs_make_stream(tally_logs_t *logs, const char *stream,
                                        tally_logs_failure_t *failure,
                                        tally_error_t *err);

#endif
