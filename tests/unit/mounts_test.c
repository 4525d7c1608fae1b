/* SPDX-License-Identifier: MIT */
/* Mounts: which ones hold data, and one that does not answer. */
#include "config.h"

#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <sys/statvfs.h>

#include "core/clock.h"
#include "node/mount_list.h"
#include "node/mounts.h"
#include "tree.h"

/* ---- the list ------------------------------------------------------------ */

/* "point device type[ ro], …" */
static void expect_list(const char *mountinfo, const char *rootfs,
                        const char *expected) {
  tree_t tree;
  tree_create(&tree);
  tree_write(&tree, "/mountinfo", mountinfo);
  char path[128], text[1024] = "";
  snprintf(path, sizeof(path), "%s/mountinfo", tree.root);
  tally_mount_list_t list = {0};
  assert_int_equal(tally_mount_list_read(&list, path, rootfs, NULL), 0);
  for (size_t i = 0; i < list.count; i++) {
    const tally_mount_entry_t *e = &list.entries[i];
    snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s %s %s%s",
             i > 0 ? ", " : "", e->point, e->device, e->type,
             e->read_only ? " ro" : "");
  }
  assert_string_equal(text, expected);
  tally_mount_list_clear(&list);
  tree_destroy(&tree);
}

static void test_list(void **state) {
  expect_list("22 27 0:21 / /proc rw - proc proc rw\n"
              "24 27 0:6 / /dev rw - devtmpfs devtmpfs rw\n"
              "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
              "30 27 254:16 / /srv/my\\040data rw - xfs /dev/vdb rw\n"
              "31 27 0:40 / /mnt/nfs rw - nfs4 quay:/export rw\n"
              "32 27 0:41 / /var/lib/docker/overlay2/x/merged rw - overlay "
              "overlay rw\n"
              "33 27 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro\n"
              "34 27 254:32 / /backup ro - ext4 /dev/vdc rw\n"
              "35 27 254:48 / /media rw - ext4 /dev/vdd ro\n",
              "",
              "/ /dev/vda ext4, /srv/my data /dev/vdb xfs, "
              "/mnt/nfs quay:/export nfs4, /backup /dev/vdc ext4 ro, "
              "/media /dev/vdd ext4 ro");
  /* a container's own root */
  expect_list("1 0 0:40 / / rw - overlay overlay rw\n", "",
              "/ overlay overlay");
}

static void test_same_device(void **state) {
  /* bind mounts, whatever comes first */
  expect_list("1 0 254:0 /volumes/a /a rw - ext4 /dev/vda rw\n"
              "2 0 254:0 / /long/path rw - ext4 /dev/vda rw\n"
              "3 0 254:0 / /root rw - ext4 /dev/vda rw\n"
              "4 0 254:0 /b /b rw - ext4 /dev/vda rw\n",
              "", "/root /dev/vda ext4");
  /* what is mounted over something else hides it */
  expect_list("1 0 254:0 / /data rw - ext4 /dev/vda rw\n"
              "2 1 254:16 / /data rw - ext4 /dev/vdb rw\n"
              "3 0 254:32 / /tmp rw - ext4 /dev/vdc rw\n"
              "4 3 0:50 / /tmp rw - tmpfs tmpfs rw\n",
              "", "/data /dev/vdb ext4");
}

static void test_rootfs(void **state) {
  static const char mountinfo[] =
      "1 0 0:40 / / rw - overlay overlay rw\n"
      "2 1 254:0 / /rootfs ro - ext4 /dev/vda rw\n"
      "3 2 254:16 / /rootfs/data rw - ext4 /dev/vdb rw\n"
      "4 1 254:32 / /rootfs2 rw - ext4 /dev/vdc rw\n";
  expect_list(mountinfo, "/rootfs", "/ /dev/vda ext4 ro, /data /dev/vdb ext4");
  expect_list(mountinfo, "/rootfs/", "/ /dev/vda ext4 ro, /data /dev/vdb ext4");
}

static void test_bad_list(void **state) {
  char text[20000];
  memset(text, 'x', sizeof(text) - 1); /* a line that fits nowhere */
  strcpy(text + 12000, "\n1 0 254:0 / / rw - ext4 /dev/vda rw\nnonsense\n\n"
                       "1 0 254:16 / /cut rw - ext4 /dev/vdb");
  expect_list(text, "", "/ /dev/vda ext4");
  tally_mount_list_t list = {0};
  tally_error_t err = {0};
  assert_int_equal(tally_mount_list_read(&list, "/nowhere", "", &err), -1);
  assert_int_equal(err.code, ENOENT);
}

/* ---- a file system that hangs -------------------------------------------- */

/* "/hung" and "/slow" answer once the gate is open. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool gate_open;
static int inside, most_inside, asked;

static int look_at(const int *number) {
  pthread_mutex_lock(&lock);
  int value = *number;
  pthread_mutex_unlock(&lock);
  return value;
}

static void set_gate(bool open) {
  pthread_mutex_lock(&lock);
  gate_open = open;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

static int fake_statvfs(const char *path, struct statvfs *v) {
  if (strcmp(path, "/gone") == 0) {
    errno = ENOTCONN;
    return -1;
  }
  if (strcmp(path, "/secret") == 0) {
    errno = EACCES;
    return -1;
  }
  pthread_mutex_lock(&lock);
  asked++;
  if (strcmp(path, "/hung") == 0) {
    inside++;
    if (inside > most_inside)
      most_inside = inside;
    while (!gate_open)
      pthread_cond_wait(&changed, &lock);
    inside--;
  }
  pthread_mutex_unlock(&lock);
  *v = (struct statvfs){.f_frsize = 4096,
                        .f_blocks = 1000,
                        .f_bfree = 400,
                        .f_bavail = 350,
                        .f_files = 100,
                        .f_ffree = 90};
  return 0;
}

static tree_t tree;
static char path[128];

static tally_mounts_t *open_mounts(void) {
  tree_create(&tree);
  tree_write(&tree, "/mountinfo",
             "1 0 254:0 / / rw - ext4 /dev/vda rw\n"
             "2 1 0:40 / /hung rw - nfs4 quay:/a rw\n"
             "3 1 0:41 / /gone rw - fuse.sshfs quay: rw\n"
             "4 1 254:16 / /secret rw - ext4 /dev/vdb rw\n"
             "5 1 254:32 / /last rw - ext4 /dev/vdc rw\n");
  snprintf(path, sizeof(path), "%s/mountinfo", tree.root);
  tally_mounts_t *mounts =
      tally_mounts_create(&(tally_mounts_options_t){.interval = 0.02,
                                                    .timeout = 0.1,
                                                    .statvfs = fake_statvfs,
                                                    .mountinfo = path},
                          NULL);
  assert_non_null(mounts);
  return mounts;
}

typedef struct look_s {
  const char *point;
  tally_mount_usage_t found; /* point NULL: it is not there */
} look_t;

static void on_mount(const tally_mount_usage_t *usage, void *data) {
  look_t *look = data;
  if (strcmp(usage->point, look->point) == 0)
    look->found = *usage;
}

static tally_mount_usage_t usage_of(tally_mounts_t *mounts, const char *point) {
  look_t look = {.point = point};
  tally_mounts_visit(mounts, on_mount, &look);
  return look.found;
}

static bool is_known(tally_mounts_t *mounts, const char *point) {
  tally_mount_usage_t usage = usage_of(mounts, point);
  return usage.point != NULL && usage.total != TALLY_UNKNOWN;
}

static bool is_silent(tally_mounts_t *mounts, const char *point) {
  tally_mount_usage_t usage = usage_of(mounts, point);
  return usage.point != NULL && !usage.answering;
}

/* Waits until a condition holds, at most ten seconds. */
#define AWAIT(condition)                                                       \
  do {                                                                         \
    uint64_t end = tally_clock_monotonic_ns() + 10 * TALLY_NS_PER_S;           \
    while (!(condition)) {                                                     \
      assert_true(tally_clock_monotonic_ns() < end);                           \
      nanosleep(&(struct timespec){.tv_nsec = TALLY_NS_PER_MS}, NULL);         \
    }                                                                          \
  } while (0)

static void test_hung_mount(void **state) {
  set_gate(false);
  tally_mounts_t *mounts = open_mounts();

  /* It is found out, and all others are answered, also those behind it. */
  AWAIT(is_silent(mounts, "/hung") && is_known(mounts, "/last"));
  assert_false(is_known(mounts, "/hung"));
  tally_mount_usage_t root = usage_of(mounts, "/");
  assert_true(root.answering);
  assert_int_equal(root.total, 4096000);
  assert_int_equal(root.used, 600 * 4096);
  assert_int_equal(root.available, 350 * 4096);
  assert_int_equal(root.inodes, 100);
  assert_int_equal(root.inodes_used, 10);
  assert_true(is_silent(mounts, "/gone"));
  assert_false(is_silent(mounts, "/secret"));
  assert_false(is_known(mounts, "/secret"));

  /* Many rounds later it is still one thread that hangs. */
  int before = look_at(&asked);
  AWAIT(look_at(&asked) >= before + 40);
  assert_int_equal(tally_mounts_stuck(mounts), 1);
  assert_int_equal(look_at(&most_inside), 1);

  set_gate(true);
  AWAIT(is_known(mounts, "/hung") && !is_silent(mounts, "/hung"));
  assert_int_equal(usage_of(mounts, "/hung").used, 600 * 4096);
  AWAIT(tally_mounts_stuck(mounts) == 0);
  tally_mounts_destroy(mounts);
  tree_destroy(&tree);
}

/* Nobody waits for it at the end either, found out or not. */
static void test_end_while_hung(void **state) {
  AWAIT(look_at(&inside) == 0);
  set_gate(false);
  tally_mounts_t *mounts = open_mounts();
  AWAIT(tally_mounts_stuck(mounts) == 1);
  tally_mounts_destroy(mounts);
  tree_destroy(&tree);

  mounts = open_mounts();
  AWAIT(look_at(&inside) == 2);
  tally_mounts_destroy(mounts);
  tree_destroy(&tree);
  set_gate(true);
  AWAIT(look_at(&inside) == 0);
}

static bool only_last(const char *point, const char *type, void *data) {
  return strcmp(point, "/last") == 0;
}

static void test_configure(void **state) {
  set_gate(true);
  tally_mounts_t *mounts = open_mounts();
  AWAIT(is_known(mounts, "/hung"));
  tally_mounts_configure(
      mounts, &(tally_mounts_options_t){
                  .interval = 3600, .timeout = 1, .wanted = only_last});
  AWAIT(usage_of(mounts, "/").point == NULL);
  assert_non_null(usage_of(mounts, "/last").point);
  tally_mounts_destroy(mounts);
  tree_destroy(&tree);
}

/* The real thing: whatever this machine has. */
static void test_this_node(void **state) {
  tally_mounts_t *mounts = tally_mounts_create(
      &(tally_mounts_options_t){.interval = 3600, .timeout = 2}, NULL);
  AWAIT(is_known(mounts, "/"));
  struct statvfs v;
  assert_int_equal(statvfs("/", &v), 0);
  assert_int_equal(usage_of(mounts, "/").total, v.f_blocks * v.f_frsize);
  tally_mounts_destroy(mounts);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_list),       cmocka_unit_test(test_same_device),
      cmocka_unit_test(test_rootfs),     cmocka_unit_test(test_bad_list),
      cmocka_unit_test(test_hung_mount), cmocka_unit_test(test_end_while_hung),
      cmocka_unit_test(test_configure),  cmocka_unit_test(test_this_node),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
