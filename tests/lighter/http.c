/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "http.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

ssize_t http_head_length(const char *text, size_t len) {
  const char *end = memmem(text, len, "\r\n\r\n", 4);
  size_t head = end != NULL ? (size_t)(end - text) + 4 : len;
  if (head > HTTP_HEAD_MAX)
    return -1;
  return end != NULL ? (ssize_t)head : 0;
}

/* Cuts the line that begins at *p and moves on; NULL at the blank line. */
static char *next_line(char **p) {
  char *line = *p, *end = strstr(line, "\r\n");
  if (end == NULL || end == line)
    return NULL;
  *end = '\0';
  *p = end + 2;
  return line;
}

static unsigned parse_request_line(char *line, http_request_t *request) {
  char *rest = line;
  request->method = strsep(&rest, " ");
  request->path = strsep(&rest, " ");
  if (rest == NULL || request->path[0] != '/')
    return 400;
  if (strcmp(rest, "HTTP/1.1") != 0)
    return 505;
  request->keep_alive = true;
  request->query = strchr(request->path, '?');
  if (request->query != NULL)
    *request->query++ = '\0';
  else
    request->query = request->path + strlen(request->path);
  return 0;
}

static char *trim(char *text) {
  text += strspn(text, " \t");
  size_t len = strlen(text);
  while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
    text[--len] = '\0';
  return text;
}

static unsigned parse_header(char *line, http_request_t *request) {
  char *colon = strchr(line, ':');
  if (colon == NULL || request->headers_count == HTTP_HEADERS_MAX)
    return 400;
  *colon = '\0';
  for (char *p = line; *p != '\0'; p++)
    *p = (char)tolower((unsigned char)*p);
  request->headers[request->headers_count++] =
      (http_header_t){.name = line, .value = trim(colon + 1)};
  return 0;
}

/* What of the headers is HTTP's own business. */
static unsigned understand(http_request_t *request) {
  const char *length = http_header(request, "content-length");
  if (length != NULL) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(length, &end, 10);
    if (!isdigit((unsigned char)*length) || *end != '\0')
      return 400;
    if (errno != 0 || value > HTTP_BODY_MAX)
      return 413;
    request->body_len = (size_t)value;
  } else if (http_header(request, "transfer-encoding") != NULL) {
    return 411;
  }
  const char *connection = http_header(request, "connection");
  if (connection != NULL && strcasecmp(connection, "close") == 0)
    request->keep_alive = false;
  const char *expect = http_header(request, "expect");
  request->expects_continue =
      expect != NULL && strcasecmp(expect, "100-continue") == 0;
  return 0;
}

unsigned http_parse_head(char *head, http_request_t *request) {
  *request = (http_request_t){0};
  char *p = head, *line = next_line(&p);
  if (line == NULL)
    return 400;
  unsigned status = parse_request_line(line, request);
  while (status == 0 && (line = next_line(&p)) != NULL)
    status = parse_header(line, request);
  return status != 0 ? status : understand(request);
}

const char *http_header(const http_request_t *request, const char *name) {
  for (size_t i = 0; i < request->headers_count; i++)
    if (strcmp(request->headers[i].name, name) == 0)
      return request->headers[i].value;
  return NULL;
}
