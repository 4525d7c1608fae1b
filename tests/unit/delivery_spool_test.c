/* SPDX-License-Identifier: MIT */
/* The files of a spool and what may happen to them: lib/delivery/spool*.c,
 * segment.c, cursor.c. */
#include "config.h"

#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "delivery_world.h"

typedef struct scene_s {
  world_t world;
  tally_spool_t spool;
  tally_spool_options_t options;
} scene_t;

static int set_up(void **state) {
  scene_t *scene = calloc(1, sizeof(*scene));
  world_create(&scene->world, 1);
  scene->options = (tally_spool_options_t){
      .path = scene->world.spool, .bytes = 1 << 20, .segment_bytes = 1 << 16};
  *state = scene;
  return 0;
}

static int tear_down(void **state) {
  scene_t *scene = *state;
  tally_spool_close(&scene->spool);
  world_destroy(&scene->world);
  free(scene);
  return 0;
}

static int try_open(scene_t *scene, tally_error_t *err) {
  tally_hooks_t hooks = world_hooks;
  hooks.data = &scene->world;
  return tally_spool_open(&scene->spool, &scene->options, &hooks, err);
}

static void open_spool(scene_t *scene) {
  tally_error_t err = {0};
  if (try_open(scene, &err) != 0)
    fail_msg("%s", err.message);
}

static void append(scene_t *scene, uint64_t first, size_t count) {
  for (size_t i = 0; i < count; i++) {
    char data[32];
    int len = snprintf(data, sizeof(data), "record %llu",
                       (unsigned long long)(first + i));
    tally_stored_t stored = {
        .seq = first + i,
        .accepted_ns = 1000 + first + i,
        .record = {.key = "k", .key_len = 1, .data = data, .len = (size_t)len}};
    assert_int_equal(tally_spool_stage(&scene->spool, &stored), 0);
  }
  tally_error_t err = {0};
  if (tally_spool_commit(&scene->spool, &err) != 0)
    fail_msg("%s", err.message);
}

/* Reads everything; marks each with `kind` if it is not 0. The numbers as a
 * text. */
static const char *read_all(scene_t *scene, tally_mark_kind_t kind) {
  static char text[1024];
  text[0] = '\0';
  tally_spool_read_t read;
  while (scene->spool.unread > 0 &&
         tally_spool_read_begin(&scene->spool, &read)) {
    tally_spool_read_run(&read, 1 << 16);
    assert_true(tally_spool_read_end(&scene->spool, &read));
    tally_item_t *item;
    TAILQ_FOREACH(item, &read.items, link) {
      char number[32];
      snprintf(number, sizeof(number), "%llu ", (unsigned long long)item->seq);
      strcat(text, number);
      if (kind != 0)
        tally_spool_mark(&scene->spool, item, kind);
    }
    tally_items_clear(&read.items);
  }
  tally_spool_commit_marks(&scene->spool);
  return text;
}

static const char *path_of(scene_t *scene, uint64_t id, const char *suffix) {
  static char path[256];
  snprintf(path, sizeof(path), "%s/%016llx.%s", scene->world.spool,
           (unsigned long long)id, suffix);
  return path;
}

static void change_byte(const char *path, off_t offset) {
  int fd = open(path, O_RDWR);
  assert_true(fd >= 0);
  char byte;
  assert_int_equal(pread(fd, &byte, 1, offset), 1);
  byte ^= 0x20;
  assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
  close(fd);
}

static off_t size_of(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 ? st.st_size : -1;
}

/* ---- what stays ---------------------------------------------------------- */

static void test_keeps_what_is_not_done(void **state) {
  scene_t *scene = *state;
  open_spool(scene);
  append(scene, 10, 3);
  assert_string_equal(read_all(scene, TALLY_MARK_TRIED), "10 11 12 ");
  append(scene, 13, 2);
  assert_string_equal(read_all(scene, TALLY_MARK_DONE), "13 14 ");
  assert_int_equal(scene->spool.records, 3);
  tally_spool_close(&scene->spool);

  open_spool(scene);
  assert_int_equal(scene->spool.recovered, 3);
  assert_int_equal(scene->spool.tried_before, 3);
  assert_int_equal(scene->spool.last_seq, 14);
  append(scene, 20, 1);
  assert_string_equal(read_all(scene, TALLY_MARK_NOT_TAKEN), "10 11 12 20 ");
  tally_spool_close(&scene->spool);

  open_spool(scene);
  assert_int_equal(scene->spool.tried_before, 0);
  assert_string_equal(read_all(scene, TALLY_MARK_DONE), "10 11 12 20 ");
  assert_int_equal(scene->spool.bytes, 0); /* of sealed segments */
  tally_spool_close(&scene->spool);
  open_spool(scene);
  assert_int_equal(scene->spool.recovered, 0);
  assert_int_equal(size_of(path_of(scene, 10, "seg")), -1);
  assert_int_equal(size_of(path_of(scene, 10, "ack")), -1);
}

/* What was written from memory at the end belongs between the others. */
static void test_merges(void **state) {
  scene_t *scene = *state;
  open_spool(scene);
  append(scene, 10, 2);
  append(scene, 16, 2);
  tally_spool_seal(&scene->spool);
  append(scene, 5, 2);
  append(scene, 13, 1);
  append(scene, 20, 1);
  tally_spool_close(&scene->spool);
  open_spool(scene);
  assert_string_equal(read_all(scene, 0), "5 6 10 11 13 16 17 20 ");
}

static void test_modes(void **state) {
  scene_t *scene = *state;
  assert_int_equal(mkdir(scene->world.spool, 0755), 0);
  open_spool(scene);
  append(scene, 1, 1);
  read_all(scene, TALLY_MARK_TRIED);
  struct stat st;
  assert_int_equal(stat(scene->world.spool, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0700);
  assert_int_equal(stat(path_of(scene, 1, "seg"), &st), 0);
  assert_int_equal(st.st_mode & 0777, 0600);
  assert_int_equal(stat(path_of(scene, 1, "ack"), &st), 0);
  assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_no_link(void **state) {
  scene_t *scene = *state;
  assert_int_equal(symlink(scene->world.tree.root, scene->world.spool), 0);
  tally_error_t err = {0};
  assert_int_equal(try_open(scene, &err), -1);
  assert_non_null(strstr(err.message, scene->world.spool));
}

/* ---- what is torn or damaged --------------------------------------------- */

static void test_torn(void **state) {
  scene_t *scene = *state;
  open_spool(scene);
  append(scene, 100, 3);
  tally_spool_close(&scene->spool);
  off_t whole = size_of(path_of(scene, 100, "seg"));
  off_t record = (whole - TALLY_SEGMENT_HEADER) / 3;
  for (off_t cut = 1; cut < record; cut++) {
    assert_int_equal(truncate(path_of(scene, 100, "seg"), whole - cut), 0);
    open_spool(scene);
    assert_int_equal(scene->spool.recovered, 2);
    assert_int_equal(scene->spool.cut_bytes, record - cut);
    assert_int_equal(size_of(path_of(scene, 100, "seg")), whole - record);
    assert_string_equal(read_all(scene, 0), "100 101 ");
    tally_spool_close(&scene->spool);
  }
  assert_int_equal(truncate(path_of(scene, 100, "seg"), 10), 0);
  open_spool(scene); /* killed while it was made */
  assert_int_equal(scene->spool.recovered, 0);
  assert_int_equal(size_of(path_of(scene, 100, "seg")), -1);
}

static void test_damaged(void **state) {
  scene_t *scene = *state;
  open_spool(scene);
  append(scene, 10, 5);
  tally_spool_close(&scene->spool);
  off_t record =
      (size_of(path_of(scene, 10, "seg")) - TALLY_SEGMENT_HEADER) / 5;
  change_byte(path_of(scene, 10, "seg"),
              TALLY_SEGMENT_HEADER + record + TALLY_SEGMENT_RECORD + 2);
  open_spool(scene);
  assert_int_equal(scene->spool.lost[TALLY_LOSS_DAMAGED], 1);
  assert_int_equal(scene->spool.recovered, 5);

  /* And one that was sound a moment ago. */
  change_byte(path_of(scene, 10, "seg"),
              TALLY_SEGMENT_HEADER + 3 * record + TALLY_SEGMENT_RECORD + 2);
  assert_string_equal(read_all(scene, TALLY_MARK_DONE), "10 12 14 ");
  assert_int_equal(scene->spool.lost[TALLY_LOSS_DAMAGED], 2);
  assert_int_equal(scene->spool.unread, 0);
  assert_int_equal(scene->spool.records, 0);
}

static void test_end_is_damaged_later(void **state) {
  scene_t *scene = *state;
  open_spool(scene);
  append(scene, 10, 4);
  off_t whole = size_of(path_of(scene, 10, "seg"));
  assert_int_equal(truncate(path_of(scene, 10, "seg"), whole - 60), 0);
  assert_string_equal(read_all(scene, TALLY_MARK_DONE), "10 11 ");
  assert_int_equal(scene->spool.lost[TALLY_LOSS_DAMAGED], 2);
  assert_int_equal(scene->spool.unread, 0);
  assert_int_equal(size_of(path_of(scene, 10, "seg")), -1);
}

/* Marks that belong to another segment of the same name mean nothing. */
static void test_foreign_marks(void **state) {
  scene_t *scene = *state;
  open_spool(scene);
  append(scene, 10, 2);
  read_all(scene, TALLY_MARK_DONE);
  tally_spool_close(&scene->spool);
  assert_int_equal(unlink(path_of(scene, 10, "seg")), 0);
  scene->world.real++;
  char kept[300], marks[256];
  snprintf(marks, sizeof(marks), "%s", path_of(scene, 10, "ack"));
  snprintf(kept, sizeof(kept), "%s.kept", marks);
  assert_int_equal(rename(marks, kept), 0);
  open_spool(scene);
  append(scene, 10, 2);
  tally_spool_close(&scene->spool);
  assert_int_equal(rename(kept, marks), 0);
  open_spool(scene);
  assert_int_equal(scene->spool.recovered, 2);
  tally_spool_close(&scene->spool);
  /* Without any segment they go. */
  assert_int_equal(unlink(path_of(scene, 10, "seg")), 0);
  open_spool(scene);
  assert_int_equal(size_of(marks), -1);
}

static void test_other_version(void **state) {
  scene_t *scene = *state;
  open_spool(scene);
  append(scene, 10, 1);
  tally_spool_close(&scene->spool);
  unsigned char header[TALLY_SEGMENT_HEADER];
  tally_segment_header(header, sizeof(header), TALLY_SEGMENT_MAGIC, 1);
  uint64_t born;
  assert_int_equal(tally_segment_parse_header(header, sizeof(header),
                                              TALLY_SEGMENT_MAGIC, &born),
                   0);
  assert_int_equal(born, 1);
  assert_int_equal(tally_segment_parse_header(header, sizeof(header),
                                              TALLY_ACK_MAGIC, &born),
                   -1);
  header[16] ^= 1;
  assert_int_equal(tally_segment_parse_header(header, sizeof(header),
                                              TALLY_SEGMENT_MAGIC, &born),
                   -1);
}

/* ---- caps ---------------------------------------------------------------- */

static void test_oldest_makes_room(void **state) {
  scene_t *scene = *state;
  scene->options.bytes = 2000;
  scene->options.segment_bytes = 250;
  open_spool(scene);
  for (uint64_t i = 1; i <= 100; i++) {
    append(scene, i, 1);
    assert_true(scene->spool.bytes <= 2000);
  }
  uint64_t lost = scene->spool.lost[TALLY_LOSS_SPOOL_FULL];
  assert_true(lost > 50 && lost < 90);
  assert_int_equal(scene->spool.unread + lost, 100);
  char first[32];
  snprintf(first, sizeof(first), "%llu ", (unsigned long long)lost + 1);
  assert_int_equal(strncmp(read_all(scene, 0), first, strlen(first)), 0);
}

static void test_old_ones_go(void **state) {
  scene_t *scene = *state;
  open_spool(scene);
  append(scene, 1, 2);
  tally_spool_seal(&scene->spool);
  append(scene, 3, 2);
  tally_spool_expire(&scene->spool, 1003);
  assert_int_equal(scene->spool.lost[TALLY_LOSS_AGE], 2);
  assert_string_equal(read_all(scene, 0), "3 4 ");
}

/* A segment that is dropped while it is read. */
static void test_dropped_while_read(void **state) {
  scene_t *scene = *state;
  open_spool(scene);
  append(scene, 1, 3);
  tally_spool_read_t read;
  assert_true(tally_spool_read_begin(&scene->spool, &read));
  tally_spool_read_run(&read, 1 << 16);
  tally_spool_expire(&scene->spool, UINT64_MAX);
  assert_int_equal(scene->spool.lost[TALLY_LOSS_AGE], 3);
  tally_spool_read_end(&scene->spool, &read);
  assert_true(TAILQ_EMPTY(&read.items));
  assert_int_equal(scene->spool.unread, 0);
}

/* Marks that could not be written are written later. */
static void test_marks_come_later(void **state) {
  scene_t *scene = *state;
  open_spool(scene);
  append(scene, 1, 3);
  scene->world.disk_full = true;
  read_all(scene, TALLY_MARK_DONE);
  assert_int_equal(scene->spool.marks_error, ENOSPC);
  scene->world.disk_full = false;
  tally_spool_commit_marks(&scene->spool);
  assert_int_equal(scene->spool.marks_error, 0);
  tally_spool_close(&scene->spool);
  open_spool(scene);
  assert_int_equal(scene->spool.recovered, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_keeps_what_is_not_done),
      TEST(test_merges),
      TEST(test_modes),
      TEST(test_no_link),
      TEST(test_torn),
      TEST(test_damaged),
      TEST(test_end_is_damaged_later),
      TEST(test_foreign_marks),
      TEST(test_other_version),
      TEST(test_oldest_makes_room),
      TEST(test_old_ones_go),
      TEST(test_dropped_while_read),
      TEST(test_marks_come_later),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
