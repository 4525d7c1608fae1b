/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/file.h"

#define CHECKSUM_LEN 9 /* eight hexadecimal digits and a blank */
#define FILE_MODE 0640 /* names of containers and their labels */

/* FNV-1a: against torn and damaged lines, not against people. */
static uint32_t checksum(const char *line, size_t len) {
  uint32_t sum = UINT32_C(0x811c9dc5);
  for (size_t i = 0; i < len; i++)
    sum = (sum ^ (unsigned char)line[i]) * UINT32_C(0x01000193);
  return sum;
}

static bool checksum_fits(const char *text, size_t len) {
  char expected[CHECKSUM_LEN + 1];
  if (len < CHECKSUM_LEN)
    return false;
  snprintf(expected, sizeof(expected), "%08x ",
           checksum(text + CHECKSUM_LEN, len - CHECKSUM_LEN));
  return memcmp(text, expected, CHECKSUM_LEN) == 0;
}

static int parse(tally_journal_t *journal, const char *text, size_t len,
                 int (*on_line)(const char *line, size_t len, void *data),
                 void *data, tally_error_t *err) {
  size_t number = 0;
  const char *end;
  for (const char *line = text; line < text + len; line = end + 1) {
    number++;
    end = memchr(line, '\n', (size_t)(text + len - line));
    if (end == NULL)
      return 1; /* torn: its event will come again */
    size_t line_len = (size_t)(end - line);
    if (!checksum_fits(line, line_len) ||
        on_line(line + CHECKSUM_LEN, line_len - CHECKSUM_LEN, data) != 0)
      return tally_error_set(err, EILSEQ, "`%s', line %zu", journal->path,
                             number);
  }
  return 1;
}

int tally_journal_load(tally_journal_t *journal, const char *path,
                       int (*on_line)(const char *line, size_t len, void *data),
                       void *data, tally_error_t *err) {
  *journal = (tally_journal_t){.fd = -1, .path = strdup(path)};
  if (journal->path == NULL)
    return tally_error_set(err, ENOMEM, "`%s'", path);

  struct stat st;
  if (stat(path, &st) != 0)
    return errno == ENOENT ? 0 : tally_error_set(err, errno, "`%s'", path);
  if (!S_ISREG(st.st_mode) || st.st_size > TALLY_JOURNAL_MAX)
    return tally_error_set(err, EILSEQ, "`%s'", path);

  size_t size = (size_t)st.st_size + 1;
  tally_autofree char *text = malloc(size);
  if (text == NULL)
    return tally_error_set(err, ENOMEM, "`%s'", path);
  ssize_t len = tally_file_read(path, text, size, err);
  if (len < 0)
    return -1;
  return parse(journal, text, (size_t)len, on_line, data, err);
}

int tally_journal_format(tally_buffer_t *text, const char *line) {
  return tally_buffer_printf(text, "%08x %s\n", checksum(line, strlen(line)),
                             line);
}

int tally_journal_rewrite(tally_journal_t *journal, const tally_buffer_t *text,
                          tally_error_t *err) {
  if (journal->fd >= 0)
    close(journal->fd);
  journal->fd = -1;
  if (tally_file_replace(journal->path, text->data, text->len, FILE_MODE,
                         err) != 0)
    return -1;
  journal->fd = open(journal->path, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (journal->fd < 0)
    return tally_error_set(err, errno, "open `%s'", journal->path);
  journal->size = journal->base_size = text->len;
  return 0;
}

int tally_journal_append(tally_journal_t *journal, const tally_buffer_t *text,
                         tally_error_t *err) {
  if (journal->fd < 0)
    return tally_error_set(err, EBADF, "`%s'", journal->path);
  ssize_t n;
  do
    n = write(journal->fd, text->data, text->len);
  while (n < 0 && errno == EINTR);
  if (n == (ssize_t)text->len) {
    journal->size += text->len;
    return 0;
  }
  int code = n < 0 ? errno : ENOSPC;
  close(journal->fd); /* nothing may follow half a line */
  journal->fd = -1;
  return tally_error_set(err, code, "write `%s'", journal->path);
}

bool tally_journal_is_long(const tally_journal_t *journal) {
  return journal->size > 2 * journal->base_size + 256 * 1024;
}

void tally_journal_close(tally_journal_t *journal) {
  if (journal->fd >= 0)
    close(journal->fd);
  free(journal->path);
  *journal = (tally_journal_t){.fd = -1};
}
