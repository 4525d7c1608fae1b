/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws/secret.h"

#include <stdlib.h>
#include <string.h>

void tally_secret_wipe(void *data, size_t len) { explicit_bzero(data, len); }

char *tally_secret_copy(const char *text) {
  return text != NULL ? strdup(text) : NULL;
}

void tally_secret_free(char *text) {
  if (text == NULL)
    return;
  tally_secret_wipe(text, strlen(text));
  free(text);
}

int tally_secret_buffer_init(tally_buffer_t *buffer, size_t size) {
  tally_buffer_init(buffer, size);
  char *data = calloc(1, size + 1);
  if (data == NULL)
    return -1;
  buffer->data = data;
  buffer->size = size + 1;
  return 0;
}

void tally_secret_buffer_clear(tally_buffer_t *buffer) {
  if (buffer->size > 0)
    tally_secret_wipe(buffer->data, buffer->size);
  tally_buffer_clear(buffer);
}

bool tally_secret_take(char *target, size_t size, const char *text) {
  *target = '\0';
  size_t len = text != NULL ? strlen(text) : 0;
  if (len == 0 || len >= size)
    return false;
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
      return false;
  memcpy(target, text, len + 1);
  return true;
}
