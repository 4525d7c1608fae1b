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

/* true: in this operation, or already before it. */
static bool dies(world_t *world) {
  if (world->dies_in > 0 && --world->dies_in == 0)
    world->dead = true;
  errno = EIO;
  return world->dead;
}

static int open_file(void *data, int directory, const char *name, int flags,
                     mode_t mode) {
  world_t *world = data;
  if (dies(world))
    return -1;
  if (world->disk_full) {
    errno = ENOSPC;
    return -1;
  }
  return openat(directory, name, flags, mode);
}

static ssize_t write_file(void *data, int fd, const void *bytes, size_t len,
                          off_t offset) {
  world_t *world = data;
  bool was_alive = !world->dead;
  if (dies(world)) {
    if (was_alive)
      (void)!pwrite(fd, bytes, world_below(world, len), offset);
    errno = EIO;
    return -1;
  }
  if (world->disk_full) {
    if (!world->writes_short || len < 2 || world_chance(world, 50)) {
      errno = ENOSPC;
      return -1;
    }
    len = 1 + world_below(world, len - 1);
  }
  return pwrite(fd, bytes, len, offset);
}

static int truncate_file(void *data, int fd, off_t size) {
  return dies(data) ? -1 : ftruncate(fd, size);
}

static int sync_file(void *data, int fd) { return 0; }

const tally_hooks_t world_hooks = {
    .realtime_ns = realtime_ns,
    .monotonic_ns = monotonic_ns,
    .random = random_number,
    .open = open_file,
    .write = write_file,
    .truncate = truncate_file,
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

void world_sync(world_t *world) {
  uint64_t id;
  off_t size;
  int fd;
  while (world->store.spool != NULL &&
         (fd = tally_spool_unsynced(world->store.spool, &id, &size)) >= 0) {
    close(fd);
    tally_spool_synced(world->store.spool, id, size, 0);
  }
}

static uint64_t count_records(int fd) {
  struct stat st;
  assert_int_equal(fstat(fd, &st), 0);
  tally_cursor_t cursor;
  tally_cursor_init(&cursor, fd, TALLY_SEGMENT_HEADER, st.st_size);
  tally_stored_t stored;
  tally_step_t step;
  uint64_t count = 0, whole = 0;
  while ((step = tally_cursor_step(&cursor, &stored)) == TALLY_STEP_RECORD ||
         step == TALLY_STEP_NOTE) {
    count += step == TALLY_STEP_RECORD;
    whole = cursor.open ? whole : count;
  }
  tally_cursor_clear(&cursor);
  return whole;
}

static void cut_file(world_t *world, int dir, const char *name) {
  int fd = openat(dir, name, O_RDWR);
  struct stat st;
  assert_int_equal(fstat(fd, &st), 0);
  uint64_t before = strstr(name, ".seg") != NULL ? count_records(fd) : 0;
  if (world_chance(world, 40) && st.st_size > 0)
    assert_int_equal(
        ftruncate(fd, (off_t)world_below(world, (uint64_t)st.st_size)), 0);
  else if (world_chance(world, 20)) /* blocks that were never written */
    assert_int_equal(ftruncate(fd, st.st_size + 100), 0);
  /* (Such blocks may also complete what was torn.) */
  uint64_t after = before > 0 ? count_records(fd) : 0;
  world->forgotten += before > after ? before - after : 0;
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

int world_setup(void **state) {
  world_t *world = calloc(1, sizeof(*world));
  if (world == NULL)
    return -1;
  world_create(world, 7);
  *state = world;
  return 0;
}

int world_teardown(void **state) {
  world_destroy(*state);
  free(*state);
  return 0;
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
  world->counted_full += stats.lost[TALLY_LOSS_SPOOL_FULL];
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
  world->dies_in = 0;
  add_up(world);
  uint64_t queued = tally_store_queued(&world->store);
  uint64_t on_disk =
      world->store.spool != NULL ? world->store.spool->records : 0;
  world->forgotten += queued - (on_disk < queued ? on_disk : queued);
  tally_store_close(&world->store);
  world->open = world->dead = false;
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
    missing += world->accepted[i] == WORLD_ACCEPTED && world->received[i] == 0;
  return missing;
}

uint64_t world_duplicates(const world_t *world) {
  uint64_t duplicates = 0;
  for (uint32_t i = 0; i < world->put; i++)
    duplicates += world->received[i] > 1 ? world->received[i] - 1 : 0;
  return duplicates;
}
