/* SPDX-License-Identifier: MIT */
/* The files of a spool. The first two bytes of the input say how much of it is
 * the segment, the next two how much are its marks; the rest is the file of
 * notes. Whatever they are, the spool opens, its counts agree, a second start
 * finds the same, and so does one after all segments have been dropped, as far
 * as notes go. */
#include "config.h"

#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "delivery/spool.h"

#define NAME "0000000000000001"

static char directory[64];

static void remove_all(void) {
  char path[128];
  snprintf(path, sizeof(path), "%s/" NAME ".seg", directory);
  unlink(path);
  snprintf(path, sizeof(path), "%s/" NAME ".ack", directory);
  unlink(path);
  snprintf(path, sizeof(path), "%s/notes", directory);
  unlink(path);
  rmdir(directory);
}

static void write_file(const char *name, const uint8_t *data, size_t size) {
  char path[128];
  snprintf(path, sizeof(path), "%s/%s", directory, name);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  FUZZ_REQUIRE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
  close(fd);
}

static void prepare(void) {
  const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
  snprintf(directory, sizeof(directory), "%s/fuzz-spool-XXXXXX", parent);
  FUZZ_REQUIRE(mkdtemp(directory) != NULL);
  atexit(remove_all);
}

/* Returns how many records came out. */
static uint64_t read_all(tally_spool_t *spool) {
  uint64_t count = 0, before = 0;
  tally_spool_read_t read;
  while (spool->unread > 0 && tally_spool_read_begin(spool, &read)) {
    tally_spool_read_run(&read, 4096);
    FUZZ_REQUIRE(tally_spool_read_end(spool, &read));
    tally_item_t *item;
    TAILQ_FOREACH(item, &read.items, link) {
      FUZZ_REQUIRE(item->seq > before);
      before = item->seq;
      count++;
    }
    tally_items_clear(&read.items);
  }
  return count;
}

typedef struct found_s {
  bool opened;
  uint64_t records;
  uint64_t notes, texts; /* sums, in which the order of the table is lost */
} found_t;

static uint64_t hash(const char *text) {
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  for (; *text != '\0'; text++)
    h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
  return h;
}

static found_t start(bool drop) {
  static const tally_spool_options_t options = {
      .path = directory, .bytes = 1 << 20, .segment_bytes = 1 << 16};
  tally_spool_t spool;
  found_t found = {0};
  if (tally_spool_open(&spool, &options, &tally_hooks_system, NULL) != 0)
    return found;
  found.opened = true;
  found.records = spool.recovered - spool.lost[TALLY_LOSS_DAMAGED];
  FUZZ_REQUIRE(spool.unread == found.records && spool.records == found.records);
  for (const tally_note_t *note = spool.notes; note != NULL;
       note = note->hh.next) {
    if (note->forgotten)
      continue;
    found.notes++;
    found.texts += hash(note->name) * 3 + hash(note->text);
  }
  FUZZ_REQUIRE(read_all(&spool) == found.records && spool.unread == 0);
  if (drop)
    tally_spool_expire(&spool, UINT64_MAX);
  tally_spool_close(&spool);
  return found;
}

static size_t take_length(const uint8_t **data, size_t *size) {
  if (*size < 2)
    return 0;
  size_t len = (size_t)(*data)[0] << 8 | (*data)[1];
  *data += 2;
  *size -= 2;
  return len;
}

/* As much of it as there is. */
static void take_file(const char *name, const uint8_t **data, size_t *size,
                      size_t len) {
  if (len > *size)
    len = *size;
  write_file(name, *data, len);
  *data += len;
  *size -= len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (directory[0] == '\0')
    prepare();
  size_t segment = take_length(&data, &size);
  size_t marks = take_length(&data, &size);
  take_file(NAME ".seg", &data, &size, segment);
  take_file(NAME ".ack", &data, &size, marks);
  take_file("notes", &data, &size, size);
  found_t first = start(false), again = start(true);
  FUZZ_REQUIRE(again.opened == first.opened && again.records == first.records);
  FUZZ_REQUIRE(again.notes == first.notes && again.texts == first.texts);
  if (!first.opened)
    return 0;
  found_t rest = start(false);
  FUZZ_REQUIRE(rest.notes == first.notes && rest.texts == first.texts);
  return 0;
}
