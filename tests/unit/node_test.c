/* SPDX-License-Identifier: MIT */
/* lib/node: identities and resources of the host. */
#include "config.h"

#include "unit.h"

#include <errno.h>

#include "node/identity.h"
#include "tree.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void test_fingerprint(void **state) {
  /* vectors of the contract */
  static const struct {
    const char *id, *uuid;
  } cases[] = {
      {A64, "e09fad11-5483-5e30-bbce-b814ea7030dc"},
      {"3f4e5d6c7b8a0000000000000000000000000000000000000000000000000000",
       "6a80db2e-b1cd-5498-ab28-8cda85d7d5ec"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char uuid[TALLY_UUID_SIZE];
    tally_node_container_fingerprint(cases[i].id, uuid);
    assert_string_equal(uuid, cases[i].uuid);
  }
}

static void test_system_uuid(void **state) {
  tree_t tree;
  tree_create(&tree);
  char uuid[64];
  tally_error_t err = {0};
  assert_int_equal(tally_node_system_uuid(tree.root, uuid, sizeof(uuid), &err),
                   -1);
  assert_int_equal(err.code, ENOENT);

  /* each is preferred to those before */
  static const struct {
    const char *file, *text, *uuid;
  } steps[] = {
      {"/etc/machine-id", "0123456789abcdef0123456789abcdef\n",
       "0123456789abcdef0123456789abcdef"},
      {"/proc/device-tree/vm,uuid", "vm-uuid", "vm-uuid"},
      {"/proc/device-tree/system-id", "  system id \r\nsecond line\n",
       "system id"},
      {"/sys/class/dmi/id/product_uuid", "\n", "system id"}, /* empty */
      {"/sys/class/dmi/id/product_uuid",
       "4c4c4544-0051-4d10-8051-b4c04f4e3533\n",
       "4c4c4544-0051-4d10-8051-b4c04f4e3533"},
  };
  for (size_t i = 0; i < COUNT_OF(steps); i++) {
    tree_write(&tree, steps[i].file, steps[i].text);
    assert_int_equal(
        tally_node_system_uuid(tree.root, uuid, sizeof(uuid), &err), 0);
    assert_string_equal(uuid, steps[i].uuid);
  }

  char small[8]; /* what does not fit is not cut: the next file is taken */
  assert_int_equal(
      tally_node_system_uuid(tree.root, small, sizeof(small), &err), 0);
  assert_string_equal(small, "vm-uuid");
  tree_destroy(&tree);
}

static void test_own_container(void **state) {
  static const struct {
    const char *cgroup, *mountinfo, *id;
  } cases[] = {
      {"4:memory:/docker/" A64 "\n0::/docker/" A64 "\n", "", A64},
      {"0::/system.slice/docker-" A64 ".scope\n", "", A64},
      {"0::/docker/" A64 "/docker/" B64 "\n", "", B64},
      {"0::/user.slice\n", "", ""},
      /* 65 digits are no id, nor are 63 */
      {"0::/x/a" A64 "\n", "", ""},
      /* a private cgroup namespace */
      {"0::/\n",
       "9 1 8:1 /var/lib/docker/containers/" A64
       "/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n",
       A64},
      {"0::/\n",
       "9 1 8:1 /data/containers/" B64
       "/resolv.conf /etc/resolv.conf rw - ext4 /dev/sda1 rw\n",
       B64},
      /* the host, which sees the mounts of its containers */
      {"0::/init.scope\n",
       "9 1 0:50 / /var/lib/docker/containers/" A64
       "/mounts/shm rw - tmpfs shm rw\n"
       "10 1 8:1 / /etc/hostname\n",
       ""},
      {"", "garbage\n\n", ""},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tree_t tree;
    tree_create(&tree);
    tree_write(&tree, "/cgroup", cases[i].cgroup);
    tree_write(&tree, "/mountinfo", cases[i].mountinfo);
    char id[65];
    tally_node_find_own_container(tree.root, id);
    assert_string_equal(id, cases[i].id);
    tree_destroy(&tree);
  }
  char id[65] = "x";
  tally_node_find_own_container("/nowhere", id);
  assert_string_equal(id, "");
}

static void test_resources(void **state) {
  assert_true(tally_node_cpus() > 0);
  assert_true(tally_node_memory_total(NULL) > 1 << 20);
  tree_t tree;
  tree_create(&tree);
  assert_int_equal(tally_node_memory_total(tree.root), 0);
  tree_write(&tree, "/proc/meminfo", "MemTotal:       1024 kB\nMemFree: 1\n");
  assert_int_equal(tally_node_memory_total(tree.root), 1 << 20);
  static const char *const bad[] = {"", "MemTotal:", "MemFree: 5 kB\n",
                                    "MemTotal: x kB\n",
                                    "MemTotal: 18446744073709551613 kB\n"};
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    tree_write(&tree, "/proc/meminfo", bad[i]);
    assert_int_equal(tally_node_memory_total(tree.root), 0);
  }
  tree_destroy(&tree);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fingerprint),
      cmocka_unit_test(test_system_uuid),
      cmocka_unit_test(test_own_container),
      cmocka_unit_test(test_resources),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
