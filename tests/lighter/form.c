/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "form.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "core/buffer.h"

#define GZIP_WINDOW (15 + 16)

/* What inflate() gives is appended until it ends; -1: it is no gzip, or too
 * much. */
static int inflate_all(z_stream *stream, tally_buffer_t *out) {
  char piece[65536];
  int status;
  do {
    stream->next_out = (unsigned char *)piece;
    stream->avail_out = sizeof(piece);
    status = inflate(stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END)
      return -1;
    if (tally_buffer_append(out, piece, sizeof(piece) - stream->avail_out) != 0)
      return -1;
  } while (status != Z_STREAM_END);
  return 0;
}

static int gunzip(const http_request_t *request, tally_buffer_t *out) {
  z_stream stream = {.next_in = (unsigned char *)request->body,
                     .avail_in = (unsigned)request->body_len};
  if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
    return -1;
  int status = inflate_all(&stream, out);
  inflateEnd(&stream);
  return status;
}

char *form_body(const http_request_t *request) {
  const char *encoding = http_header(request, "content-encoding");
  tally_autobuffer tally_buffer_t text;
  tally_buffer_init(&text, FORM_MAX);
  int status =
      encoding != NULL && strcmp(encoding, "gzip") == 0
          ? gunzip(request, &text)
          : tally_buffer_append(&text, request->body, request->body_len);
  return status == 0 ? strndup(text.data, text.len) : NULL;
}

static int digit(char c) {
  static const char digits[] = "0123456789abcdef";
  const char *p = c != '\0' ? strchr(digits, c | 0x20) : NULL;
  return p != NULL ? (int)(p - digits) : -1;
}

static void decode(char *text) {
  char *to = text;
  for (const char *p = text; *p != '\0'; p++) {
    int high, low;
    if (*p == '%' && (high = digit(p[1])) >= 0 && (low = digit(p[2])) >= 0) {
      *to++ = (char)(high << 4 | low);
      p += 2;
    } else {
      *to++ = *p == '+' ? ' ' : *p;
    }
  }
  *to = '\0';
}

char *form_get(const char *form, const char *name) {
  size_t len = strlen(name);
  for (const char *p = form; *p != '\0';) {
    size_t pair = strcspn(p, "&");
    if (strncmp(p, name, len) == 0 && p[len] == '=') {
      char *value = strndup(p + len + 1, pair - len - 1);
      if (value != NULL)
        decode(value);
      return value;
    }
    p += pair + (p[pair] == '&');
  }
  return NULL;
}

void form_each(char *form,
               void (*each)(const char *name, const char *value, void *data),
               void *data) {
  char *pair;
  while ((pair = strsep(&form, "&")) != NULL) {
    char *value = strchr(pair, '=');
    if (value == NULL)
      continue;
    *value++ = '\0';
    decode(pair);
    decode(value);
    each(pair, value, data);
  }
}
