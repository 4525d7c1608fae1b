/* SPDX-License-Identifier: MIT */
/* A file as a destination: lib/logs/file_sink.c, lib/logs/file_journal.c. */
#include "config.h"

#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <signal.h>

#include "logs/file_sink.h"
#include "tree.h"

#define MANY 16

static tree_t tree;
static char path[128], journal[128];
static tally_file_sink_options_t options;
static tally_destination_t sink;

static int set_up(void **state) {
  tree_create(&tree);
  snprintf(path, sizeof(path), "%s/out.log", tree.root);
  snprintf(journal, sizeof(journal), "%s/journal", tree.root);
  options = (tally_file_sink_options_t){.path = path, .journal = journal};
  return 0;
}

static int tear_down(void **state) {
  tree_destroy(&tree);
  return 0;
}

static void open_sink(void) {
  tally_outbox_options_t outbox = {0};
  tally_error_t err = {0};
  if (tally_file_sink_open(&options, &sink, &outbox, &err) != 0)
    fail_msg("%s", err.message);
  assert_in_range(outbox.record_bytes, 1 << 20, 8 << 20);
  assert_true(outbox.batch_records > 0 && outbox.linger_ns > 0);
}

static void close_sink(void) { sink.release(sink.data); }

/* As a process that was killed: what it knew is gone. */
static void die_and_return(void) {
  close_sink();
  open_sink();
}

/* Sends texts (ending with NULL), which have the times 1, 2, …; returns how
 * many were taken, and -1 - that when the call failed. */
static int send_from(uint64_t time_ns, const char *const *texts,
                     tally_error_t *err) {
  tally_record_t records[MANY] = {0};
  tally_fate_t fates[MANY] = {0};
  int count = 0;
  for (; texts[count] != NULL; count++)
    records[count] = (tally_record_t){.key = "k",
                                      .key_len = 1,
                                      .data = texts[count],
                                      .len = strlen(texts[count]),
                                      .time_ns = time_ns + (uint64_t)count};
  tally_answer_t answer = {0};
  tally_error_t why = {0};
  int status =
      sink.send(sink.data, records, (size_t)count, fates, &answer, &why);
  if (err != NULL)
    *err = why;
  int sent = 0;
  while (sent < count && fates[sent] == TALLY_FATE_SENT)
    sent++;
  for (int i = sent; i < count; i++)
    assert_int_equal(fates[i], TALLY_FATE_RETRY);
  assert_int_equal(answer.status, status == 0 ? 0 : 1000 + (unsigned)why.code);
  return status == 0 ? sent : -1 - sent;
}

#define SEND(time, ...)                                                        \
  send_from(time, (const char *const[]){__VA_ARGS__, NULL}, NULL)

static void assert_file(const char *name, const char *text) {
  char file[PATH_MAX], there[4096];
  snprintf(file, sizeof(file), "%s/%s", tree.root, name);
  FILE *stream = fopen(file, "r");
  assert_non_null(stream);
  size_t len = fread(there, 1, sizeof(there) - 1, stream);
  there[len] = '\0';
  fclose(stream);
  assert_string_equal(there, text);
}

static void put_file(const char *name, const char *text) {
  char file[64];
  snprintf(file, sizeof(file), "/%s", name);
  tree_write(&tree, file, text);
}

/* ---- lines --------------------------------------------------------------- */

static void test_lines(void **state) {
  open_sink();
  assert_int_equal(SEND(1, "one", "", "three"), 3);
  assert_int_equal(SEND(4, "four"), 1);
  assert_file("out.log", "one\n\nthree\nfour\n");
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0640 & ~(mode_t)umask(umask(0)));
  close_sink();
}

static void test_many_records_at_once(void **state) {
  enum { COUNT = 1000 };
  open_sink();
  tally_record_t records[COUNT];
  tally_fate_t fates[COUNT];
  for (size_t i = 0; i < COUNT; i++)
    records[i] = (tally_record_t){.data = "x", .len = 1, .time_ns = i};
  tally_answer_t answer = {0};
  assert_int_equal(sink.send(sink.data, records, COUNT, fates, &answer, NULL),
                   0);
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_size, 2 * COUNT);
  close_sink();
}

static void test_somebody_elses_half_line(void **state) {
  put_file("out.log", "half");
  open_sink();
  assert_int_equal(SEND(1, "one"), 1);
  assert_file("out.log", "half\none\n");
  close_sink();
}

/* ---- what cannot be written ---------------------------------------------- */

static void test_not_a_file(void **state) {
  tally_destination_t none;
  tally_outbox_options_t outbox = {0};
  tally_error_t err = {0};
  static const char *const bad[] = {"relative", "/ends/with/"};
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    options.path = bad[i];
    assert_int_equal(tally_file_sink_open(&options, &none, &outbox, &err), -1);
    assert_non_null(strstr(err.message, bad[i]));
  }
}

static void assert_waits(const char *why) {
  tally_error_t err = {0};
  static const char *const one[] = {"one", NULL};
  assert_int_equal(send_from(1, one, &err), -1);
  if (strstr(err.message, why) == NULL)
    fail_msg("\"%s\" and not \"%s\"", err.message, why);
}

static void test_links_and_devices(void **state) {
  char target[128];
  snprintf(target, sizeof(target), "%s/elsewhere", tree.root);
  open_sink();
  assert_int_equal(symlink(target, path), 0);
  assert_waits("symbolic links");
  assert_int_equal(access(target, F_OK), -1);

  assert_int_equal(unlink(path), 0);
  assert_int_equal(mkfifo(path, 0600), 0);
  assert_waits("no regular file");
  assert_int_equal(unlink(path), 0);
  assert_int_equal(SEND(1, "one"), 1);

  /* a link in place of the file that is open */
  assert_int_equal(rename(path, target), 0);
  assert_int_equal(symlink(target, path), 0);
  assert_waits("symbolic links");
  close_sink();
}

static void test_no_directory(void **state) {
  char file[PATH_MAX];
  snprintf(file, sizeof(file), "%s/later/out.log", tree.root);
  options.path = file;
  open_sink();
  assert_waits(file);
  put_file("later/other", "");
  assert_int_equal(SEND(1, "one"), 1);
  assert_file("later/out.log", "one\n");
  close_sink();
}

static void limit_files(rlim_t bytes) {
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
  limit.rlim_cur = bytes;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* As a disk that is full: the line that does not fit is taken back. */
static void test_no_space(void **state) {
  signal(SIGXFSZ, SIG_IGN);
  open_sink();
  limit_files(10);
  assert_int_equal(SEND(1, "1234", "6789", "too long"), -1 - 2);
  assert_file("out.log", "1234\n6789\n");
  limit_files(12);
  assert_int_equal(SEND(3, "too long", "more"), -1);
  assert_file("out.log", "1234\n6789\n");
  limit_files(RLIM_INFINITY);
  assert_int_equal(SEND(3, "too long", "more"), 2);
  assert_file("out.log", "1234\n6789\ntoo long\nmore\n");
  close_sink();
}

/* ---- rotation ------------------------------------------------------------ */

static void test_moved_away(void **state) {
  char old[160];
  snprintf(old, sizeof(old), "%s.old", path);
  open_sink();
  assert_int_equal(SEND(1, "one"), 1);
  assert_int_equal(rename(path, old), 0);
  assert_int_equal(SEND(2, "two"), 1);
  assert_file("out.log", "two\n");
  assert_file("out.log.old", "one\n");
  assert_int_equal(truncate(path, 0), 0); /* logrotate's copytruncate */
  assert_int_equal(SEND(3, "three"), 1);
  assert_file("out.log", "three\n");
  close_sink();
}

static void test_rotation(void **state) {
  options.rotate_bytes = 10;
  options.rotate_keep = 2;
  open_sink();
  assert_int_equal(SEND(1, "1234", "6789"), 2);
  assert_int_equal(SEND(3, "b"), 1);
  assert_int_equal(SEND(4, "longer than all", "of it"), 2);
  assert_int_equal(SEND(6, "d"), 1);
  assert_file("out.log", "d\n");
  assert_file("out.log.1", "longer than all\nof it\n");
  assert_file("out.log.2", "b\n");
  char third[160];
  snprintf(third, sizeof(third), "%s.3", path);
  assert_int_equal(access(third, F_OK), -1);
  close_sink();

  options.rotate_keep = 0;
  open_sink();
  assert_int_equal(SEND(7, "123456789"), 1);
  assert_file("out.log", "123456789\n");
  assert_file("out.log.1", "longer than all\nof it\n");
  close_sink();
}

/* ---- once each ----------------------------------------------------------- */

/* The outbox gives the batch again, perhaps in other pieces. */
static void test_killed_behind_a_batch(void **state) {
  open_sink();
  assert_int_equal(SEND(1, "one"), 1);
  assert_int_equal(SEND(2, "same", "same", "four", "five"), 4);
  die_and_return();
  assert_int_equal(SEND(2, "same", "same"), 2);
  assert_int_equal(SEND(4, "four"), 1);
  assert_int_equal(SEND(5, "five", "six"), 2);
  assert_int_equal(SEND(7, "seven"), 1);
  assert_file("out.log", "one\nsame\nsame\nfour\nfive\nsix\nseven\n");
  close_sink();
}

static void test_killed_in_a_batch(void **state) {
  static const struct {
    const char *there;
  } cases[] = {{"one\n"},        {"one\ntw"},           {"one\ntwo"},
               {"one\ntwo\n"},   {"one\ntwo\nthree"},   {"one\ntwo\nthree\n"},
               {"one\ntwo\nth"}, {"one\ntwo\nthree\nf"}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    open_sink();
    assert_int_equal(SEND(1, "one"), 1);
    assert_int_equal(SEND(2, "two", "three", "four"), 3);
    assert_int_equal(truncate(path, (off_t)strlen(cases[i].there)), 0);
    die_and_return();
    assert_int_equal(SEND(2, "two", "three", "four", "five"), 4);
    assert_file("out.log", "one\ntwo\nthree\nfour\nfive\n");
    close_sink();
    tree_remove(&tree, "/out.log");
    tree_remove(&tree, "/journal");
  }
}

/* What was sent before looks the same, but it is not the same. */
static void test_equal_lines_are_not_mixed_up(void **state) {
  open_sink();
  assert_int_equal(SEND(1, "same", "same"), 2);
  die_and_return();
  assert_int_equal(SEND(3, "same", "same"), 2);
  assert_file("out.log", "same\nsame\nsame\nsame\n");
  close_sink();
}

/* Behind our lines stand somebody else's: those stay as they are. */
static void test_a_stranger_writes_too(void **state) {
  open_sink();
  assert_int_equal(SEND(1, "one", "two"), 2);
  close_sink();
  FILE *stream = fopen(path, "a");
  fputs("stranger\n", stream);
  fclose(stream);
  open_sink();
  assert_int_equal(SEND(1, "one", "two", "three"), 3);
  assert_file("out.log", "one\ntwo\nstranger\nthree\n");
  close_sink();
}

static void test_bad_journals(void **state) {
  static const char *const bad[] = {"", "nonsense", "0 0 0", "ffff ffff 0 1",
                                    "18446744073709551616 1 1 1"};
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    put_file("journal", bad[i]);
    open_sink();
    assert_int_equal(SEND(1, "one"), 1);
    assert_file("out.log", "one\n");
    close_sink();
    tree_remove(&tree, "/out.log");
  }

  /* nowhere to keep one: lines are written all the same */
  options.journal = "/nonexistent/journal";
  open_sink();
  assert_int_equal(SEND(1, "one"), 1);
  close_sink();
  options.journal = NULL;
  open_sink();
  assert_int_equal(SEND(2, "two"), 1);
  assert_file("out.log", "one\ntwo\n");
  close_sink();
}

static void test_one_order(void **state) {
  open_sink();
  assert_int_equal(sink.group(sink.data, "a", 1),
                   sink.group(sink.data, "b", 1));
  close_sink();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_lines),
      TEST(test_many_records_at_once),
      TEST(test_somebody_elses_half_line),
      TEST(test_not_a_file),
      TEST(test_links_and_devices),
      TEST(test_no_directory),
      TEST(test_no_space),
      TEST(test_moved_away),
      TEST(test_rotation),
      TEST(test_killed_behind_a_batch),
      TEST(test_killed_in_a_batch),
      TEST(test_equal_lines_are_not_mixed_up),
      TEST(test_a_stranger_writes_too),
      TEST(test_bad_journals),
      TEST(test_one_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
