/* SPDX-License-Identifier: MIT */
/* What is kept on disk of limits before they are changed. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "container/originals.h"
#include "core/file.h"

#define ID "3fe1aa90bc21d8f1a5c1f0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5"
#define STARTED UINT64_C(1488603967123456789)

static int make_directory(void **state) {
  char name[] = "/tmp/tally-originals-XXXXXX";
  *state = mkdtemp(name) != NULL ? strdup(name) : NULL;
  return *state == NULL;
}

static int remove_directory(void **state) {
  tally_originals_remove(*state, ID);
  int status = rmdir(*state);
  free(*state);
  return status;
}

static const tally_limit_change_t changes[] = {
    {.limit = TALLY_LIMIT_MEMORY_MAX,
     .file = "memory.limit_in_bytes",
     .before = "67108864"},
    {.limit = TALLY_LIMIT_CPU_MAX, .file = "cpu.max", .before = "max 100000"},
    {.limit = TALLY_LIMIT_PIDS_MAX,
     .file = "pids.max",
     .before = "max",
     .verified = true}, /* is as wanted: will not be written */
    {.limit = TALLY_LIMIT_SWAP_MAX, .file = "memory.swap.max"}, /* unreadable */
    {.limit = TALLY_LIMIT_IO_WEIGHT,
     .file = "io.weight",
     .before = "default 100\n8:0 200"},
};

static void test_round_trip(void **state) {
  tally_originals_t o, read;
  tally_originals_init(&o, ID, STARTED);
  assert_true(tally_originals_is_empty(&o));
  tally_originals_add_files(&o, changes, 5);
  assert_int_equal(o.files_count, 3);

  tally_engine_config_t now = {.value = {0}}, update;
  now.value[TALLY_ENGINE_MEMORY] = 67108864;
  now.value[TALLY_ENGINE_MEMORY_SWAP] = -1;
  tally_engine_config_init(&update);
  update.value[TALLY_ENGINE_MEMORY] = 1;
  update.value[TALLY_ENGINE_MEMORY_SWAP] = 1;
  tally_originals_add_engine(&o, &now, &update);

  assert_int_equal(tally_originals_load(*state, ID, &read, NULL), 0);
  assert_int_equal(tally_originals_save(*state, &o, NULL), 0);
  assert_int_equal(tally_originals_load(*state, ID, &read, NULL), 1);
  assert_string_equal(read.id, ID);
  assert_int_equal(read.started_ns, STARTED);
  assert_int_equal(read.files_count, 3);
  assert_string_equal(read.files[0].file, "memory.limit_in_bytes");
  assert_string_equal(read.files[0].before, "67108864");
  assert_int_equal(read.files[1].limit, TALLY_LIMIT_CPU_MAX);
  assert_string_equal(read.files[1].before, "max 100000");
  assert_string_equal(read.files[2].before, "default 100");
  assert_int_equal(read.engine.value[TALLY_ENGINE_MEMORY], 67108864);
  assert_int_equal(read.engine.value[TALLY_ENGINE_MEMORY_SWAP], -1);
  assert_true(read.engine.value[TALLY_ENGINE_NANO_CPUS] == TALLY_ENGINE_UNSET);
  assert_false(tally_originals_is_empty(&read));

  tally_originals_remove(*state, ID);
  assert_int_equal(tally_originals_load(*state, ID, &read, NULL), 0);
}

static void test_the_oldest_value_is_the_original(void **state) {
  tally_originals_t o;
  tally_originals_init(&o, ID, STARTED);
  tally_originals_add_files(&o, changes, 1);
  tally_limit_change_t later = changes[0];
  strcpy(later.before, "134217728");
  tally_originals_add_files(&o, &later, 1);
  assert_int_equal(o.files_count, 1);
  assert_string_equal(o.files[0].before, "67108864");

  tally_engine_config_t now = {.value = {1}}, second = {.value = {2}};
  tally_originals_add_engine(&o, &now, &now);
  tally_originals_add_engine(&o, &second, &second);
  assert_int_equal(o.engine.value[TALLY_ENGINE_MEMORY], 1);

  /* another run has another cgroup, but the same configuration */
  tally_originals_new_run(&o, STARTED + 1);
  assert_int_equal(o.files_count, 0);
  assert_int_equal(o.engine.value[TALLY_ENGINE_MEMORY], 1);
}

static void test_hostile_files(void **state) {
  static const char *const texts[] = {
      "",
      "nonsense",
      "tallyman-originals 1 \n",
      "tallyman-originals 2 1\n",
      "tallyman-originals 1 max\nfile\tmemory.max\tmemory.max\t1\n",
      "tallyman-originals 1 1s\nfile\tmemory.max\tmemory.max\t1\n",
      "tallyman-originals 1 1\nfile\n",
      "tallyman-originals 1 1\nfile\tmemory.max\n",
      "tallyman-originals 1 1\nfile\tmemory.max\tmemory.max\n",
      "tallyman-originals 1 1\nfile\tmemory.max\tmemory.max\t1\t2\n",
      "tallyman-originals 1 1\nfile\tmemory.min\tmemory.min\t1\n",
      "tallyman-originals 1 1\nfile\tmemory.max\t../memory.max\t1\n",
      "tallyman-originals 1 1\nfile\tmemory.max\t/etc/passwd\t1\n",
      "tallyman-originals 1 1\nfile\tmemory.max\t..\t1\n",
      "tallyman-originals 1 1\nfile\tmemory.max\t\t1\n",
      ("tallyman-originals 1 1\nfile\tmemory.max\tmemory.max\t"
       "0123456789012345678901234567890123456789012345678901234567890123456\n"),
      "tallyman-originals 1 1\nengine\tMemory\n",
      "tallyman-originals 1 1\nengine\tMemory\tx\n",
      "tallyman-originals 1 1\nengine\tMemory\t9223372036854775808\n",
      "tallyman-originals 1 1\nengine\tOomKillDisable\t1\n",
      "tallyman-originals 1 1\nother\tMemory\t1\n",
  };
  char path[128];
  snprintf(path, sizeof(path), "%s/%s", (char *)*state, ID);
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    tally_originals_t o;
    tally_error_t err = {0};
    assert_int_equal(
        tally_file_replace(path, texts[i], strlen(texts[i]), 0600, NULL), 0);
    if (tally_originals_load(*state, ID, &o, &err) != -1)
      fail_msg("taken: %s", texts[i]);
    assert_non_null(strstr(err.message, path));
  }
}

static void count(const char *id, void *data) {
  assert_string_equal(id, ID);
  ++*(int *)data;
}

static void test_each(void **state) {
  int found = 0;
  tally_originals_each("/nonexistent/directory", count, &found);
  assert_int_equal(found, 0);

  tally_originals_t o;
  tally_originals_init(&o, ID, STARTED);
  assert_int_equal(tally_originals_save(*state, &o, NULL), 0);
  char other[128];
  snprintf(other, sizeof(other), "%s/restore", (char *)*state);
  assert_int_equal(tally_file_replace(other, "", 0, 0600, NULL), 0);
  tally_originals_each(*state, count, &found);
  assert_int_equal(found, 1);
  unlink(other);
}

static void test_ids_are_no_paths(void **state) {
  tally_originals_t o;
  tally_error_t err = {0};
  tally_originals_init(&o, "../../etc/passwd", 0);
  assert_int_equal(tally_originals_save(*state, &o, &err), -1);
  assert_int_equal(tally_originals_load(*state, "..", &o, &err), -1);
  tally_originals_remove(*state, "../x");
}

#define directory_test(f)                                                      \
  cmocka_unit_test_setup_teardown(f, make_directory, remove_directory)

int main(void) {
  const struct CMUnitTest tests[] = {
      directory_test(test_round_trip),
      cmocka_unit_test(test_the_oldest_value_is_the_original),
      directory_test(test_hostile_files),
      directory_test(test_each),
      directory_test(test_ids_are_no_paths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
