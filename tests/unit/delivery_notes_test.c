/* SPDX-License-Identifier: MIT */
/* Notes: lib/delivery/notes.c, spool_notes*.c, store_notes.c. What happens to
 * them under everything at once is delivery_property_test's. */
#include "config.h"

#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/clock.h"
#include "delivery_world.h"

typedef struct scene_s {
  world_t world;
  tally_outbox_options_t options;
} scene_t;

static int set_up(void **state) {
  scene_t *scene = calloc(1, sizeof(*scene));
  world_create(&scene->world, 3);
  scene->options = (tally_outbox_options_t){.spool = scene->world.spool,
                                            .durable = true,
                                            .spool_bytes = 1 << 16,
                                            .segment_bytes = 400};
  world_start(&scene->world, &scene->options);
  *state = scene;
  return 0;
}

static int tear_down(void **state) {
  scene_t *scene = *state;
  world_destroy(&scene->world);
  free(scene);
  return 0;
}

static void kill_and_start(scene_t *scene) {
  world_kill(&scene->world);
  scene->world.real += TALLY_NS_PER_S;
  world_start(&scene->world, &scene->options);
}

/* Puts `count` records and the note. */
static int put(scene_t *scene, size_t count, const char *name,
               const char *text) {
  static char bytes[8][20];
  tally_record_t records[8] = {0};
  world_t *world = &scene->world;
  for (size_t i = 0; i < count; i++) {
    uint32_t number = world->put++;
    memcpy(bytes[i], &number, sizeof(number));
    world->accepted[number] = WORLD_PERHAPS;
    records[i] = (tally_record_t){
        .data = bytes[i], .len = sizeof(bytes[i]), .time_ns = number};
  }
  return tally_store_put_noted(&world->store, records, count, NULL, name, text);
}

static void assert_note(scene_t *scene, const char *name, const char *text) {
  const char *found = tally_store_note(&scene->world.store, name);
  if (text == NULL)
    assert_null(found);
  else
    assert_string_equal(found != NULL ? found : "(none)", text);
}

static uint64_t queued(scene_t *scene) {
  return tally_store_queued(&scene->world.store);
}

static const char *path_of(scene_t *scene, const char *name) {
  static char path[512];
  snprintf(path, sizeof(path), "%s/%s", scene->world.spool, name);
  return path;
}

/* How many segments there are; `name` (or NULL) receives that of the last. */
static unsigned segments(scene_t *scene, char name[64]) {
  DIR *dir = opendir(scene->world.spool);
  assert_non_null(dir);
  unsigned count = 0;
  const struct dirent *entry;
  while ((entry = readdir(dir)) != NULL) {
    if (strstr(entry->d_name, ".seg") == NULL)
      continue;
    count++;
    if (name != NULL)
      snprintf(name, 64, "%.63s", entry->d_name);
  }
  closedir(dir);
  return count;
}

/* ---- they stay ----------------------------------------------------------- */

static void test_stay(void **state) {
  scene_t *scene = *state;
  assert_int_equal(put(scene, 0, "quiet", "from the beginning"), 0);
  char text[16];
  for (unsigned i = 0; i < 60; i++) {
    snprintf(text, sizeof(text), "%u", i);
    assert_int_equal(put(scene, 3, "busy", text), 0);
    world_drain(&scene->world);
    if (i % 7 == 0)
      kill_and_start(scene);
    assert_note(scene, "quiet", "from the beginning");
    assert_note(scene, "busy", text);
  }
  /* And keep nothing for ever. */
  tally_spool_commit_marks(scene->world.store.spool);
  assert_true(segments(scene, NULL) <= 2);
  assert_int_equal(access(path_of(scene, "notes"), R_OK), 0);
}

/* Records may keep the segment with an old note longer than that with the news
 * that it is forgotten. */
static void test_forgotten_do_not_come_back(void **state) {
  scene_t *scene = *state;
  assert_int_equal(put(scene, 4, "a", "old"), 0); /* stays unsent */
  assert_int_equal(put(scene, 0, "a", NULL), 0);
  assert_int_equal(put(scene, 0, "b", "x"), 0);
  assert_note(scene, "a", NULL);
  kill_and_start(scene);
  assert_note(scene, "a", NULL);
  for (unsigned i = 0; i < 20; i++)
    assert_int_equal(put(scene, 0, "b", i % 2 == 0 ? "even" : NULL), 0);
  tally_spool_seal(scene->world.store.spool);
  tally_spool_commit_marks(scene->world.store.spool);
  assert_int_equal(segments(scene, NULL), 1); /* that of the records */
  kill_and_start(scene);
  assert_note(scene, "a", NULL);
  assert_note(scene, "b", NULL);
  assert_int_equal(queued(scene), 4);
  assert_int_equal(put(scene, 0, "a", "new"), 0);
  kill_and_start(scene);
  assert_note(scene, "a", "new");
}

/* Records grow old, notes do not. */
static void test_no_age(void **state) {
  scene_t *scene = *state;
  assert_int_equal(put(scene, 5, "a", "1"), 0);
  uint64_t month = 30 * 24 * 3600 * TALLY_NS_PER_S;
  scene->world.mono += month;
  scene->world.real += month;
  tally_store_tend(&scene->world.store);
  tally_outbox_stats_t stats;
  tally_store_stats(&scene->world.store, &stats);
  assert_int_equal(stats.lost[TALLY_LOSS_AGE], 5);
  assert_int_equal(segments(scene, NULL), 0);
  assert_note(scene, "a", "1");
  kill_and_start(scene);
  assert_note(scene, "a", "1");
}

/* What is not on the disk yet is not relied on. */
static void test_synced_first(void **state) {
  scene_t *scene = *state;
  world_kill(&scene->world);
  scene->options.sync = TALLY_SYNC_SECOND;
  world_start(&scene->world, &scene->options);
  assert_int_equal(put(scene, 0, "a", "1"), 0);
  tally_spool_seal(scene->world.store.spool);
  tally_spool_commit_marks(scene->world.store.spool);
  assert_int_equal(segments(scene, NULL), 1);
  assert_int_equal(access(path_of(scene, "notes"), R_OK), -1);
  world_sync(&scene->world);
  tally_spool_commit_marks(scene->world.store.spool);
  assert_int_equal(segments(scene, NULL), 0);
  kill_and_start(scene);
  assert_note(scene, "a", "1");
}

static void add_up(const char *name, const char *text, void *data) {
  strcat(strcat(strcat(strcat(data, name), "="), text), " ");
}

static void test_each(void **state) {
  scene_t *scene = *state;
  assert_int_equal(put(scene, 0, "a", "1"), 0);
  assert_int_equal(put(scene, 0, "b", "2"), 0);
  assert_int_equal(put(scene, 0, "c", "3"), 0);
  assert_int_equal(put(scene, 0, "b", NULL), 0);
  char text[100] = "";
  tally_store_notes(&scene->world.store, add_up, text);
  assert_string_equal(text, "a=1 c=3 ");
  scene->world.disk_full = true;
  assert_int_equal(put(scene, 0, "a", "4"), 0);
  assert_int_equal(put(scene, 0, "c", NULL), 0);
  text[0] = '\0';
  tally_store_notes(&scene->world.store, add_up, text);
  assert_string_equal(text, "a=4 ");
}

/* ---- all or nothing ------------------------------------------------------ */

static void test_torn(void **state) {
  scene_t *scene = *state;
  world_kill(&scene->world);
  scene->options.segment_bytes = 4000;
  world_start(&scene->world, &scene->options);
  char segment[64];
  assert_int_equal(put(scene, 2, "a", "first"), 0);
  assert_int_equal(segments(scene, segment), 1);
  struct stat st;
  assert_int_equal(stat(path_of(scene, segment), &st), 0);
  off_t first = st.st_size;
  assert_int_equal(put(scene, 3, "a", "second"), 0);
  world_kill(&scene->world);
  assert_int_equal(stat(path_of(scene, segment), &st), 0);
  for (off_t size = st.st_size - 1; size >= first; size--) {
    assert_int_equal(truncate(path_of(scene, segment), size), 0);
    scene->world.real += TALLY_NS_PER_S;
    world_start(&scene->world, &scene->options);
    assert_note(scene, "a", "first");
    assert_int_equal(queued(scene), 2);
    struct stat now;
    assert_int_equal(stat(path_of(scene, segment), &now), 0);
    assert_int_equal(now.st_size, first);
    world_kill(&scene->world);
  }
  world_start(&scene->world, &scene->options);
}

static void test_no_room(void **state) {
  scene_t *scene = *state;
  world_kill(&scene->world);
  scene->options.spool_bytes = 4000;
  world_start(&scene->world, &scene->options);
  char text[16];
  unsigned taken = 0;
  for (;; taken++) {
    snprintf(text, sizeof(text), "%u", taken);
    if (put(scene, 2, "a", text) != 0)
      break;
  }
  assert_true(taken > 10);
  tally_outbox_stats_t stats;
  tally_store_stats(&scene->world.store, &stats);
  assert_int_equal(stats.accepted, 2 * taken);
  assert_int_equal(stats.queued, 2 * taken);
  assert_int_equal(tally_outbox_lost(&stats), 0);
  snprintf(text, sizeof(text), "%u", taken - 1);
  assert_note(scene, "a", text);
  kill_and_start(scene);
  assert_note(scene, "a", text);
  assert_int_equal(put(scene, 2, "a", "x"), -1);
  world_drain(&scene->world);
  assert_int_equal(put(scene, 2, "a", "x"), 0);
}

static void test_refusals(void **state) {
  scene_t *scene = *state;
  char longest[TALLY_OUTBOX_NOTE_TEXT_MAX + 2];
  memset(longest, 'x', sizeof(longest));
  longest[sizeof(longest) - 1] = '\0';
  assert_int_equal(put(scene, 1, "a", longest), -1);
  assert_int_equal(put(scene, 1, longest, "1"), -1);
  assert_int_equal(put(scene, 1, "", "1"), -1);
  longest[TALLY_OUTBOX_NOTE_TEXT_MAX] = '\0';
  assert_int_equal(put(scene, 1, "a", longest), 0);
  longest[TALLY_OUTBOX_NOTE_NAME_MAX] = '\0';
  assert_int_equal(put(scene, 1, longest, "1"), 0);
  kill_and_start(scene);
  assert_note(scene, longest, "1");
  longest[TALLY_OUTBOX_NOTE_NAME_MAX] = 'x';
  assert_note(scene, "a", longest);
  assert_int_equal(queued(scene), 2);

  world_kill(&scene->world);
  scene->options.durable = false;
  world_start(&scene->world, &scene->options);
  assert_int_equal(put(scene, 1, "a", "1"), -1);
  tally_store_save(&scene->world.store);
  assert_int_equal(put(scene, 1, "a", "1"), -1);
}

/* One that nobody can take does not hold up the others. */
static void test_too_large(void **state) {
  scene_t *scene = *state;
  static char bytes[1 << 16];
  tally_record_t records[3] = {{.data = bytes, .len = 10},
                               {.data = bytes, .len = sizeof(bytes)},
                               {.data = bytes, .len = 10}};
  tally_loss_t verdicts[3];
  assert_int_equal(tally_store_put_noted(&scene->world.store, records, 3,
                                         verdicts, "a", "1"),
                   0);
  assert_int_equal(verdicts[0], TALLY_LOSS_NONE);
  assert_int_equal(verdicts[1], TALLY_LOSS_TOO_LARGE);
  assert_int_equal(verdicts[2], TALLY_LOSS_NONE);
  tally_outbox_stats_t stats;
  tally_store_stats(&scene->world.store, &stats);
  assert_int_equal(stats.accepted, 2);
  assert_int_equal(stats.lost[TALLY_LOSS_TOO_LARGE], 1);
  assert_note(scene, "a", "1");
}

/* ---- when the disk takes nothing ----------------------------------------- */

static void test_wait_for_the_disk(void **state) {
  scene_t *scene = *state;
  world_t *world = &scene->world;
  assert_int_equal(put(scene, 2, "a", "1"), 0);
  world->disk_full = true;
  assert_int_equal(put(scene, 3, "a", "2"), 0);
  assert_int_equal(put(scene, 0, "b", "1"), 0);
  assert_note(scene, "a", "2");
  assert_int_equal(queued(scene), 5);
  kill_and_start(scene);
  assert_note(scene, "a", "1");
  assert_note(scene, "b", NULL);
  assert_int_equal(queued(scene), 2);

  /* And nobody has to send the records before they are safe again. */
  world_read(world);
  assert_int_equal(put(scene, 3, "a", "2"), 0);
  world->disk_full = false;
  world->mono += 2 * TALLY_NS_PER_S;
  tally_store_tend(&world->store);
  tally_store_tend(&world->store);
  kill_and_start(scene);
  assert_note(scene, "a", "2");
  assert_int_equal(queued(scene), 5);
  world_drain(world);
  assert_int_equal(world_duplicates(world), 0);
}

/* The disk is well again, but the spool has no room for the records, only for
 * their note. */
static void test_not_before_their_records(void **state) {
  scene_t *scene = *state;
  world_t *world = &scene->world;
  world_kill(world);
  scene->options.spool_bytes = 4000;
  world_start(world, &scene->options);
  assert_int_equal(put(scene, 1, "a", "1"), 0);
  while (world_read(world)) /* so that nothing is in front of the next ones */
    ;
  world->disk_full = true;
  assert_int_equal(put(scene, 8, "a", "2"), 0);
  world->disk_full = false;
  world->mono += 2 * TALLY_NS_PER_S;
  while (tally_spool_has_room(world->store.spool, 8 * 56))
    world_put(world, 1, 40);
  assert_true(tally_spool_has_room(world->store.spool, 100));

  tally_store_tend(&world->store);
  assert_int_equal(put(scene, 0, "a", "3"), -1); /* would overtake it */
  assert_note(scene, "a", "2");
  kill_and_start(scene);
  assert_note(scene, "a", "1");
  world_drain(world);
  assert_int_equal(put(scene, 8, "a", "2"), 0);
}

static void test_saved_at_the_end(void **state) {
  scene_t *scene = *state;
  world_t *world = &scene->world;
  world->disk_full = true;
  assert_int_equal(put(scene, 3, "a", "2"), 0);
  world->disk_full = false;
  world_end(world);
  world->real += TALLY_NS_PER_S;
  world_start(world, &scene->options);
  assert_note(scene, "a", "2");
  assert_int_equal(queued(scene), 3);
}

static void test_not_removed_before_kept(void **state) {
  scene_t *scene = *state;
  world_t *world = &scene->world;
  assert_int_equal(put(scene, 0, "a", "1"), 0);
  world->disk_full = true;
  tally_spool_seal(world->store.spool);
  tally_spool_commit_marks(world->store.spool);
  assert_int_equal(tally_store_spool_error(&world->store), ENOSPC);
  assert_int_equal(segments(scene, NULL), 1);
  world->disk_full = false;
  world->mono += 2 * TALLY_NS_PER_S;
  tally_spool_commit_marks(world->store.spool);
  assert_int_equal(tally_store_spool_error(&world->store), 0);
  assert_int_equal(segments(scene, NULL), 0);
  assert_note(scene, "a", "1");
}

/* ---- foreign files ------------------------------------------------------- */

static void change_byte(const char *path, off_t offset) {
  int fd = open(path, O_RDWR);
  char byte;
  assert_int_equal(pread(fd, &byte, 1, offset), 1);
  byte ^= 0x20;
  assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
  close(fd);
}

static void test_damaged_file(void **state) {
  scene_t *scene = *state;
  assert_int_equal(put(scene, 0, "a", "1"), 0);
  tally_spool_seal(scene->world.store.spool);
  assert_int_equal(put(scene, 0, "b", "1"), 0);
  change_byte(path_of(scene, "notes"), 40);
  kill_and_start(scene);
  assert_true(scene->world.store.spool->cut_bytes > 0);
  assert_note(scene, "a", NULL);
  assert_note(scene, "b", "1");
}

static void test_other_version(void **state) {
  scene_t *scene = *state;
  unsigned char header[TALLY_SEGMENT_HEADER];
  static const char *const names[] = {"notes", "0000000000000001.seg"};
  static const char *const magics[] = {TALLY_NOTES_MAGIC, TALLY_SEGMENT_MAGIC};
  for (size_t i = 0; i < 2; i++) {
    tally_segment_header(header, sizeof(header), magics[i], 1);
    header[8] = 1;
    uint32_t sum = (uint32_t)crc32_z(crc32_z(0, header, 12), header + 16, 8);
    memcpy(header + 12, &sum, sizeof(sum));
    int fd = open(path_of(scene, names[i]), O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, header, sizeof(header)), sizeof(header));
    close(fd);
    tally_spool_t spool;
    tally_spool_options_t options = {.path = scene->world.spool};
    tally_spool_close(scene->world.store.spool);
    tally_error_t err = {0};
    assert_int_equal(
        tally_spool_open(&spool, &options, &tally_hooks_system, &err), -1);
    assert_non_null(strstr(err.message, names[i]));
    assert_non_null(strstr(err.message, "version"));
    assert_int_equal(unlink(path_of(scene, names[i])), 0);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_stay),
      TEST(test_forgotten_do_not_come_back),
      TEST(test_no_age),
      TEST(test_synced_first),
      TEST(test_each),
      TEST(test_torn),
      TEST(test_no_room),
      TEST(test_refusals),
      TEST(test_too_large),
      TEST(test_wait_for_the_disk),
      TEST(test_not_before_their_records),
      TEST(test_saved_at_the_end),
      TEST(test_not_removed_before_kept),
      TEST(test_damaged_file),
      TEST(test_other_version),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
