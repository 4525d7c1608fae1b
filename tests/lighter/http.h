/* SPDX-License-Identifier: MIT */
#ifndef LIGHTER_HTTP_H
#define LIGHTER_HTTP_H

/* A request of HTTP/1.1, as bytes arrived: nothing is decoded, so that a
 * signature can be checked against it. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define HTTP_HEAD_MAX 65536       /* bytes */
#define HTTP_BODY_MAX (16U << 20) /* bytes */
#define HTTP_HEADERS_MAX 64

typedef struct http_header_s {
  char *name;  /* in lower case */
  char *value; /* without the blanks around it */
} http_header_t;

typedef struct http_request_s {
  char *method, *path;
  char *query; /* behind the '?'; "" */
  http_header_t headers[HTTP_HEADERS_MAX];
  size_t headers_count;
  size_t body_len;
  bool keep_alive;
  bool expects_continue;
  const char *body; /* set by whoever has read it */
} http_request_t;

/* How many bytes the head has, its blank line included; 0: there are more to
 * come; -1: longer than HTTP_HEAD_MAX. */
ssize_t http_head_length(const char *text, size_t len);

/* Takes the head apart in place: `request` points into `head`, which ends with
 * NUL. 0, or the status that refuses it. */
unsigned http_parse_head(char *head, http_request_t *request);

/* By its name in lower case; NULL: there is none. */
const char *http_header(const http_request_t *request, const char *name);

#endif
