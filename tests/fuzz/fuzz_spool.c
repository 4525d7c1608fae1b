/* SPDX-License-Identifier: MIT */
/* The files of a spool. The first two bytes of the input say how much of it is
 * the segment; the rest is what lies beside it. Whatever they are, the spool
 * opens, its counts agree, and a second start finds the same. */
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

static uint64_t start(uint64_t *recovered) {
  static const tally_spool_options_t options = {
      .path = directory, .bytes = 1 << 20, .segment_bytes = 1 << 16};
  tally_spool_t spool;
  *recovered = 0;
  if (tally_spool_open(&spool, &options, &tally_hooks_system, NULL) != 0)
    return 0;
  *recovered = spool.recovered - spool.lost[TALLY_LOSS_DAMAGED];
  FUZZ_REQUIRE(spool.unread == *recovered && spool.records == *recovered);
  uint64_t count = read_all(&spool);
  FUZZ_REQUIRE(count == *recovered && spool.unread == 0);
  tally_spool_close(&spool);
  return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (directory[0] == '\0')
    prepare();
  if (size < 2)
    return 0;
  size_t records = (size_t)data[0] << 8 | data[1];
  data += 2;
  size -= 2;
  if (records > size)
    records = size;
  write_file(NAME ".seg", data, records);
  write_file(NAME ".ack", data + records, size - records);
  uint64_t recovered, again;
  uint64_t count = start(&recovered);
  FUZZ_REQUIRE(start(&again) == count && again == recovered);
  return 0;
}
