/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "logs/file_journal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "core/file.h"
#include "core/hash.h"

#define LINE_SIZE 128

void tally_file_journal_init(tally_file_journal_t *journal, const char *path) {
  *journal = (tally_file_journal_t){.path = path, .fd = -1};
  char line[LINE_SIZE];
  if (path == NULL || tally_file_read(path, line, sizeof(line), NULL) < 0)
    return;
  tally_file_journal_t j = *journal;
  if (sscanf(line, "%16" SCNx64 " %16" SCNx64 " %16" SCNx64 " %16" SCNx64,
             &j.device, &j.inode, &j.offset, &j.first) == 4)
    *journal = j;
}

void tally_file_journal_clear(tally_file_journal_t *journal) {
  if (journal->fd >= 0)
    close(journal->fd);
  journal->fd = -1;
}

static void save(tally_file_journal_t *journal) {
  if (journal->fd < 0)
    journal->fd = tally_file_raise(
        open(journal->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (journal->fd < 0)
    return;
  char line[LINE_SIZE]; /* of one length, so that it replaces itself */
  int len = snprintf(
      line, sizeof(line),
      "%016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %016" PRIx64 "\n",
      journal->device, journal->inode, journal->offset, journal->first);
  if (pwrite(journal->fd, line, (size_t)len, 0) != len)
    tally_file_journal_clear(journal); /* the next one opens it anew */
}

void tally_file_journal_note(tally_file_journal_t *journal, dev_t device,
                             ino_t inode, off_t offset,
                             const tally_record_t *first) {
  journal->device = device;
  journal->inode = inode;
  journal->offset = (uint64_t)offset;
  journal->first = tally_file_journal_hash(first);
  if (journal->path != NULL)
    save(journal);
}

uint64_t tally_file_journal_hash(const tally_record_t *record) {
  uint64_t hash = tally_hash(record->key, record->key_len);
  hash = tally_hash_add(hash, &record->time_ns, sizeof(record->time_ns));
  hash = tally_hash_add(hash, record->data, record->len);
  return hash != 0 ? hash : 1;
}
