/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "delivery_world.h"

#define REFUSED_EVERY 97 /* such records are never taken */

/* ---- the machine --------------------------------------------------------- */

uint64_t world_random(world_t *world) {
  world->random += UINT64_C(0x9e3779b97f4a7c15);
  uint64_t z = world->random;
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static uint64_t realtime_ns(void *data) { return ((world_t *)data)->real; }
static uint64_t monotonic_ns(void *data) { return ((world_t *)data)->mono; }
static uint64_t random_number(void *data) { return world_random(data); }

static int open_file(void *data, int directory, const char *name, int flags,
                     mode_t mode) {
  if (((world_t *)data)->disk_full) {
    errno = ENOSPC;
    return -1;
  }
  return openat(directory, name, flags, mode);
}

static ssize_t write_file(void *data, int fd, const void *bytes, size_t len,
                          off_t offset) {
  world_t *world = data;
  if (world->disk_full) {
    if (!world->writes_short || len < 2 || world_chance(world, 50)) {
      errno = ENOSPC;
      return -1;
    }
    len = 1 + world_below(world, len - 1);
  }
  return pwrite(fd, bytes, len, offset);
}

static int sync_file(void *data, int fd) { return 0; }

const tally_hooks_t world_hooks = {
    .realtime_ns = realtime_ns,
    .monotonic_ns = monotonic_ns,
    .random = random_number,
    .open = open_file,
    .write = write_file,
    .sync = sync_file,
};

/* Calls back for each file of the spool. */
static void each_file(world_t *world,
                      void (*on_file)(world_t *, int, const char *)) {
  DIR *dir = opendir(world->spool);
  if (dir == NULL)
    return;
  const struct dirent *entry;
  while ((entry = readdir(dir)) != NULL)
    if (entry->d_name[0] != '.')
      on_file(world, dirfd(dir), entry->d_name);
  closedir(dir);
}

static void remove_file(world_t *world, int dir, const char *name) {
  assert_int_equal(unlinkat(dir, name, 0), 0);
}

static uint64_t count_records(int fd) {
  struct stat st;
  assert_int_equal(fstat(fd, &st), 0);
  tally_cursor_t cursor;
  tally_cursor_init(&cursor, fd, TALLY_SEGMENT_HEADER, st.st_size);
  tally_stored_t stored;
  uint64_t count = 0;
  while (tally_cursor_step(&cursor, &stored) == TALLY_STEP_RECORD)
    count++;
  tally_cursor_clear(&cursor);
  return count;
}

static void cut_file(world_t *world, int dir, const char *name) {
  int fd = openat(dir, name, O_RDWR);
  struct stat st;
  assert_int_equal(fstat(fd, &st), 0);
  bool records = strstr(name, ".seg") != NULL;
  if (records)
    world->forgotten += count_records(fd);
  if (world_chance(world, 40) && st.st_size > 0)
    assert_int_equal(
        ftruncate(fd, (off_t)world_below(world, (uint64_t)st.st_size)), 0);
  else if (world_chance(world, 20)) /* blocks that were never written */
    assert_int_equal(ftruncate(fd, st.st_size + 100), 0);
  if (records)
    world->forgotten -= count_records(fd);
  close(fd);
}

void world_cut_files(world_t *world) { each_file(world, cut_file); }

/* ---- the world ----------------------------------------------------------- */

void world_create(world_t *world, uint64_t seed) {
  memset(world, 0, sizeof(*world));
  tree_create(&world->tree);
  snprintf(world->spool, sizeof(world->spool), "%s/spool", world->tree.root);
  world_reset(world, seed);
}

void world_reset(world_t *world, uint64_t seed) {
  tree_t tree = world->tree;
  char spool[sizeof(world->spool)];
  memcpy(spool, world->spool, sizeof(spool));
  each_file(world, remove_file);
  memset(world, 0, sizeof(*world));
  world->tree = tree;
  memcpy(world->spool, spool, sizeof(spool));
  world->random = seed;
  world->mono = 1000 * TALLY_NS_PER_S;
  world->real = UINT64_C(1700000000) * TALLY_NS_PER_S;
}

void world_destroy(world_t *world) {
  if (world->open)
    world_kill(world);
  tree_destroy(&world->tree);
}

static int unused_send(void *data, const tally_record_t *records, size_t count,
                       tally_fate_t *fates, tally_answer_t *answer,
                       tally_error_t *err) {
  fail_msg("the world sends by itself");
  return -1;
}

void world_start(world_t *world, const tally_outbox_options_t *options) {
  tally_hooks_t hooks = world_hooks;
  hooks.data = world;
  tally_destination_t destination = {.send = unused_send};
  tally_error_t err = {0};
  if (tally_store_open(&world->store, options, &destination, &hooks, &err) != 0)
    fail_msg("%s", err.message);
  world->open = true;
}

static void add_up(world_t *world) {
  tally_outbox_stats_t stats;
  tally_store_stats(&world->store, &stats);
  for (size_t i = TALLY_LOSS_ACCEPTED; i < TALLY_LOSSES; i++)
    world->counted_lost += stats.lost[i];
  world->counted_duplicates += stats.possible_duplicates;
}

void world_end(world_t *world) {
  tally_store_save(&world->store);
  world_check(world);
  add_up(world);
  tally_store_close(&world->store);
  world->open = false;
}

void world_kill(world_t *world) {
  add_up(world);
  uint64_t queued = tally_store_queued(&world->store);
  uint64_t on_disk =
      world->store.spool != NULL ? world->store.spool->records : 0;
  world->forgotten += queued - (on_disk < queued ? on_disk : queued);
  tally_store_close(&world->store);
  world->open = false;
}

/* ---- records ------------------------------------------------------------- */

void world_put(world_t *world, size_t count, size_t longest) {
  static char text[65536];
  tally_record_t records[16] = {0};
  tally_loss_t verdicts[16];
  char keys[16][8];
  uint32_t numbers[16];
  for (size_t i = 0; i < count; i++) {
    uint32_t number = world->put++;
    assert_true(number < WORLD_RECORDS);
    world->key[number] = (unsigned char)world_below(world, WORLD_KEYS);
    numbers[i] = number;
    int key_len = snprintf(keys[i], sizeof(keys[i]), "k%u", world->key[number]);
    char *data = text + i * 4096;
    memcpy(data, &number, sizeof(number));
    records[i] =
        (tally_record_t){.key = keys[i],
                         .key_len = (size_t)key_len,
                         .data = data,
                         .len = sizeof(number) + world_below(world, longest),
                         .time_ns = number};
  }
  size_t accepted = tally_store_put(&world->store, records, count, verdicts);
  for (size_t i = 0; i < count; i++) {
    world->accepted[numbers[i]] = verdicts[i] == TALLY_LOSS_NONE;
    accepted -= verdicts[i] == TALLY_LOSS_NONE;
  }
  assert_int_equal(accepted, 0);
}

static uint32_t number_of(const tally_record_t *record) {
  uint32_t number;
  assert_true(record->len >= sizeof(number));
  memcpy(&number, record->data, sizeof(number));
  assert_true(number < WORLD_RECORDS);
  assert_int_equal(record->time_ns, number);
  return number;
}

static void receive(world_t *world, const tally_record_t *record) {
  uint32_t number = number_of(record);
  unsigned key = world->key[number];
  assert_true(world->accepted[number]);
  if (world->received[number]++ > 0)
    return;
  world->in_order_checked++;
  if (number < world->next[key])
    world->out_of_order++;
  world->next[key] = number + 1;
}

/* ---- sending ------------------------------------------------------------- */

static bool is_refused(const tally_record_t *record) {
  return number_of(record) % REFUSED_EVERY == REFUSED_EVERY - 1;
}

/* What a destination that keeps order does: nothing of a key is taken behind
 * something of it that was not. */
static void receive_some(world_t *world, tally_batch_t *batch, unsigned percent,
                         bool answer) {
  bool stopped[WORLD_KEYS] = {false};
  for (size_t i = 0; i < batch->count; i++) {
    const tally_record_t *record = &batch->records[i];
    bool *stop = &stopped[world->key[number_of(record)]];
    tally_fate_t fate = TALLY_FATE_RETRY;
    bool taken = false;
    if (!*stop && is_refused(record)) {
      fate = TALLY_FATE_REFUSED;
    } else if (!*stop && world_chance(world, percent)) {
      taken = true;
      fate = world_chance(world, 90) ? TALLY_FATE_SENT : TALLY_FATE_UNSURE;
    }
    if (taken)
      receive(world, record);
    /* Who does not know whether it was taken sends nothing behind it. */
    *stop |= fate == TALLY_FATE_RETRY || fate == TALLY_FATE_UNSURE;
    if (answer)
      batch->fates[i] = fate;
  }
}

bool world_send(world_t *world, world_mood_t mood, bool hurry) {
  if (!tally_store_take(&world->store, hurry))
    return false;
  tally_batch_t *batch = &world->store.batch;
  tally_answer_t answer = {0};
  tally_error_t err = {0};
  int status = 0;
  switch (mood) {
  case MOOD_DEAD:
    for (size_t i = 0; i < batch->count; i++)
      batch->fates[i] = TALLY_FATE_RETRY;
    status = tally_error_set(&err, ECONNREFUSED, "destination");
    break;
  case MOOD_HUNG:
    receive_some(world, batch, 70, false);
    status = tally_error_set(&err, ETIMEDOUT, "destination");
    break;
  case MOOD_PARTIAL:
    receive_some(world, batch, 60, true);
    answer.status = 429;
    break;
  default:
    for (size_t i = 0; i < batch->count; i++) {
      bool refused = is_refused(&batch->records[i]);
      batch->fates[i] = refused ? TALLY_FATE_REFUSED : TALLY_FATE_SENT;
      if (!refused)
        receive(world, &batch->records[i]);
    }
  }
  tally_store_settle(&world->store, status, &answer, &err, 1);
  return true;
}

void world_kill_while_sending(world_t *world) {
  if (tally_store_take(&world->store, true))
    receive_some(world, &world->store.batch, 70, false);
  world_kill(world);
}

bool world_read(world_t *world) {
  tally_spool_read_t read;
  if (!tally_store_read_begin(&world->store, &read))
    return false;
  tally_store_read_run(&read);
  if (world_chance(world, 20)) /* producers go on meanwhile */
    world_put(world, 1, 40);
  tally_store_read_end(&world->store, &read);
  return true;
}

void world_drain(world_t *world) {
  world->disk_full = false;
  for (unsigned i = 0; tally_store_queued(&world->store) > 0; i++) {
    assert_true(i < 100000);
    tally_store_tend(&world->store);
    bool moved = world_read(world);
    moved |= world_send(world, MOOD_GOOD, true);
    if (!moved && tally_store_queued(&world->store) > 0) {
      uint64_t due = tally_store_due(&world->store, true);
      assert_true(due != TALLY_NEVER);
      world->mono = due > world->mono ? due : world->mono + 1;
    }
    world_check(world);
  }
}

/* ---- what must hold ------------------------------------------------------ */

void world_check(world_t *world) {
  const tally_outbox_options_t *options = &world->store.options;
  tally_outbox_stats_t s;
  tally_store_stats(&world->store, &s);
  uint64_t lost = 0;
  for (size_t i = TALLY_LOSS_ACCEPTED; i < TALLY_LOSSES; i++)
    lost += s.lost[i];
  assert_int_equal(s.accepted + s.recovered, s.sent + lost + s.queued);
  assert_true(s.memory_records <= options->memory_records + 64);
  if (options->spool != NULL)
    assert_true(s.spooled_bytes <=
                options->spool_bytes + options->spool_bytes / 4 + 4096);
}

uint64_t world_missing(const world_t *world) {
  uint64_t missing = 0;
  for (uint32_t i = 0; i < world->put; i++)
    missing += world->accepted[i] && world->received[i] == 0;
  return missing;
}

uint64_t world_duplicates(const world_t *world) {
  uint64_t duplicates = 0;
  for (uint32_t i = 0; i < world->put; i++)
    duplicates += world->received[i] > 1 ? world->received[i] - 1 : 0;
  return duplicates;
}
