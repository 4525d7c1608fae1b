/* SPDX-License-Identifier: MIT */
#ifndef TALLY_TESTS_HARBOUR_H
#define TALLY_TESTS_HARBOUR_H

/*
 * An HTTP server on a loopback port of its own that says what a test tells it
 * to: for each request, the first rule whose text is in it answers. Requests
 * are kept whole. All functions may be called while it serves.
 */

#include <stdbool.h>

typedef struct harbour_s harbour_t;

harbour_t *harbour_open(void);
void harbour_close(harbour_t *harbour); /* also of connections that hang */
const char *harbour_url(const harbour_t *harbour); /* "http://127.0.0.1:1234" */

/* `part` is looked for in the request line, headers and body. `times` requests
 * are answered so (-1: all), then the rule is passed over. `status` 0: never
 * answered; -1: hung up. `headers`: lines with \r\n, or "". */
void harbour_answer(harbour_t *harbour, const char *part, int times, int status,
                    const char *headers, const char *body);
/* The same, but `say` looks at each request and returns the status, and *body,
 * which is freed. Called by the server's threads, one request at a time. */
typedef int (*harbour_say_t)(const char *request, char **body, void *data);
void harbour_answer_by(harbour_t *harbour, const char *part, harbour_say_t say,
                       void *data);
/* Takes away all rules; without one the answer is 404. */
void harbour_forget(harbour_t *harbour);

unsigned harbour_requests(harbour_t *harbour, const char *part);
unsigned harbour_connections(harbour_t *harbour); /* so far */
/* Number `i` of those with the part in it; NULL. Valid until the close. */
const char *harbour_request(harbour_t *harbour, const char *part, unsigned i);
/* Waits until there are so many. */
void harbour_await(harbour_t *harbour, const char *part, unsigned count);

#endif
