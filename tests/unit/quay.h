/* SPDX-License-Identifier: MIT */
#ifndef TALLY_TESTS_QUAY_H
#define TALLY_TESTS_QUAY_H

/*
 * A Docker Engine that does what a test tells it to, on a unix socket in a
 * directory of its own. It has containers, remembers its latest events as a
 * real one does, and answers /_ping, /version, /events, the list and inspect;
 * a hook can take over any request and say what no honest daemon would say.
 *
 * All functions may be called from the test's thread while it serves.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUAY_REMEMBERS 256 /* events, like a real one */

typedef struct quay_s quay_t;

/* Answers a request itself and returns true, or returns false. May block: it
 * has a thread of its own, and quay_close() shuts its socket down. */
typedef bool (*quay_hook_t)(quay_t *quay, const char *request, int fd,
                            void *data);

quay_t *quay_open(void);
void quay_close(quay_t *quay);
const char *quay_endpoint(const quay_t *quay); /* "unix:///…" */
const char *quay_directory(const quay_t *quay);

/* Before anybody connects. NULL: no such field or header. */
void quay_set_api(quay_t *quay, const char *header, const char *version,
                  const char *minimum);
void quay_set_hook(quay_t *quay, quay_hook_t hook, void *data);

/* The id of container number `n`; static. */
const char *quay_id(unsigned n);

/* Something happens to container `n`: create, start, die, destroy, pause, …;
 * anything else is just an event. `quietly`: without an event. */
void quay_happen(quay_t *quay, unsigned n, const char *action);
void quay_happen_quietly(quay_t *quay, unsigned n, const char *action);

/* From its next event on the container has a TTY. */
void quay_set_tty(quay_t *quay, unsigned n);
/* Of the logs of all containers; "10m", "": they are not rotated. */
void quay_set_log_max(quay_t *quay, const char *size);

/* Bytes to all who listen to events, cut into pieces of `piece` bytes. */
void quay_say(quay_t *quay, const void *bytes, size_t len, size_t piece);

/* Ends the streams of events. */
void quay_hang_up(quay_t *quay);
/* The daemon is killed: nobody answers. And comes back, without memory. */
void quay_go(quay_t *quay);
void quay_return(quay_t *quay);

unsigned quay_listeners(quay_t *quay); /* streams that are open */
unsigned quay_requests(quay_t *quay,
                       const char *part); /* with it in the path */
/* Of them, those without a point behind it. */
unsigned quay_whole_seconds(quay_t *quay, const char *part);

/* For hooks: a complete answer; and the beginning of one without an end. */
void quay_answer(int fd, int status, const char *body);
void quay_write(int fd, const void *bytes, size_t len);
#define QUAY_STREAM_HEADER                                                     \
  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"                      \
  "Connection: close\r\n\r\n"

#endif
