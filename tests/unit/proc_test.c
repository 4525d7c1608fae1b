/* SPDX-License-Identifier: MIT */
/* lib/proc: interfaces, connections, load, names of devices. */
#include "config.h"

#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <math.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/file.h"
#include "proc/netdev.h"
#include "proc/proc.h"
#include "proc/sock_diag.h"
#include "proc/taskstats.h"
#include "tree.h"

/* ---- net/dev ------------------------------------------------------------- */

#define HEAD                                                                   \
  "Inter-|   Receive                            |  Transmit\n"                 \
  " face |bytes    packets errs drop fifo frame compressed multicast|bytes\n"

static void test_netdev(void **state) {
  char text[4096];
  assert_true(tally_file_read(tree_fixture("hybrid-6.18/proc/16395/net/dev"),
                              text, sizeof(text), NULL) > 0);
  tally_interface_t i[4];
  assert_int_equal(tally_netdev_parse(text, strlen(text), i, 4), 1);
  assert_string_equal(i[0].name, "eth0");

  static const char several[] = HEAD
      "    lo: 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n"
      "  eth0:736 8 1 2 91 92 93 94 1000 9 3 4 95 96 97 98\n" /* old kernels */
      "wg-0123456789ab: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n";
  assert_int_equal(tally_netdev_parse(several, sizeof(several) - 1, i, 4), 2);
  assert_string_equal(i[0].name, "eth0");
  assert_int_equal(i[0].rx_bytes, 736);
  assert_int_equal(i[0].rx_packets, 8);
  assert_int_equal(i[0].rx_errors, 1);
  assert_int_equal(i[0].rx_dropped, 2);
  assert_int_equal(i[0].tx_bytes, 1000);
  assert_int_equal(i[0].tx_packets, 9);
  assert_int_equal(i[0].tx_errors, 3);
  assert_int_equal(i[0].tx_dropped, 4);
  assert_string_equal(i[1].name, "wg-0123456789ab");
  assert_int_equal(i[1].tx_dropped, 8);

  /* no more than there is room for */
  i[1].name[0] = '\0';
  assert_int_equal(tally_netdev_parse(several, sizeof(several) - 1, i, 1), 1);
  assert_string_equal(i[1].name, "");
  assert_int_equal(tally_netdev_parse(several, sizeof(several) - 1, i, 0), 0);
}

static void test_netdev_hostile(void **state) {
  static const struct {
    const char *text;
    int count;
  } cases[] = {
      {"", -1},
      {"garbage\n", -1},
      {HEAD, 0},
      {HEAD "eth0: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0", 0}, /* cut off */
      {HEAD "eth0: 1 2 3 4 0 0 0 0 5 6 7\n", 0},
      {HEAD "eth0: 1 2 3 x 0 0 0 0 5 6 7 8 0 0 0 0\n", 0},
      {HEAD ": 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n", 0},
      {HEAD "a-name-of-16-chr: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n", 0},
      {HEAD "eth0: 99999999999999999999 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n", 0},
      {HEAD "\n\n:::\n\xff\n", 0},
  };
  for (size_t c = 0; c < COUNT_OF(cases); c++) {
    tally_interface_t i[4];
    assert_int_equal(
        tally_netdev_parse(cases[c].text, strlen(cases[c].text), i, 4),
        cases[c].count);
  }

  static const char binary[] = HEAD "\0eth0: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n";
  tally_interface_t i[4];
  assert_int_equal(tally_netdev_parse(binary, sizeof(binary) - 1, i, 4), 0);
}

/* ---- namespaces ---------------------------------------------------------- */

/* A process in a network namespace of its own that listens on two ports. 0: it
 * may not make one. */
static pid_t start_in_namespace(void) {
  int ready[2];
  assert_int_equal(pipe(ready), 0);
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(ready[0]);
    struct ifreq up = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    char ok = unshare(CLONE_NEWNET) == 0;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in v4 = {.sin_family = AF_INET,
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    int s6 = socket(AF_INET6, SOCK_STREAM, 0);
    ok =
        ok && ioctl(s, SIOCSIFFLAGS, &up) == 0 &&
        bind(s, (struct sockaddr *)&v4, sizeof(v4)) == 0 && listen(s, 1) == 0 &&
        bind(s6, (struct sockaddr *)&v6, sizeof(v6)) == 0 && listen(s6, 1) == 0;
    socklen_t len = sizeof(v4);
    int c = socket(AF_INET, SOCK_STREAM, 0);
    ok = ok && getsockname(s, (struct sockaddr *)&v4, &len) == 0 &&
         connect(c, (struct sockaddr *)&v4, len) == 0;
    if (write(ready[1], &ok, 1) != 1)
      _exit(1);
    for (;;)
      pause();
  }
  close(ready[1]);
  char ok = 0;
  assert_int_equal(read(ready[0], &ok, 1), 1);
  close(ready[0]);
  if (!ok) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return 0;
  }
  return pid;
}

static void test_namespace(void **state) {
  pid_t pid = start_in_namespace();
  if (pid == 0)
    SKIP("no network namespace can be made here");

  uint64_t host = tally_netns_id_of("/proc", getpid());
  assert_true(host != 0);
  assert_int_equal(tally_netns_id_of("/nowhere", 1), 0);
  for (int keep = 0; keep <= 1; keep++) {
    tally_error_t err = {0};
    tally_netns_t *netns = tally_netns_create("/proc", pid, NULL, keep, &err);
    assert_non_null(netns);
    assert_true(tally_netns_id(netns) != host);

    tally_interface_t i[TALLY_INTERFACES_MAX];
    int count = tally_netns_interfaces(netns, i, TALLY_INTERFACES_MAX, &err);
    assert_true(count >= 0); /* tunnels of the kernel may be there */
    for (int k = 0; k < count; k++)
      assert_int_equal(i[k].rx_bytes, 0);

    for (int again = 0; again < 2; again++) {
      uint64_t tcp[TALLY_TCP_STATES];
      assert_int_equal(tally_netns_tcp(netns, tcp, &err), 0);
      assert_int_equal(tcp[TALLY_TCP_LISTEN], 2);
      assert_int_equal(tcp[TALLY_TCP_ESTABLISHED], 2);
      assert_int_equal(tcp[TALLY_TCP_TIME_WAIT], 0);
    }
    /* nobody has changed the namespace of this thread */
    assert_int_equal(tally_netns_id_of("/proc", getpid()), host);
    tally_netns_destroy(netns);
  }

  tally_netns_t *kept = tally_netns_create("/proc", pid, NULL, true, NULL);
  tally_netns_t *opened = tally_netns_create("/proc", pid, NULL, false, NULL);
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  tally_interface_t i[TALLY_INTERFACES_MAX];
  tally_error_t err = {0};
  assert_true(tally_netns_interfaces(kept, i, TALLY_INTERFACES_MAX, &err) >= 0);
  assert_int_equal(
      tally_netns_interfaces(opened, i, TALLY_INTERFACES_MAX, &err), -1);
  assert_int_equal(err.code, ESRCH);
  tally_netns_destroy(kept);
  tally_netns_destroy(opened);
}

/* What the child found out; 0 is success. */
static int look_as_nobody(pid_t pid, uint64_t host) {
  const uid_t nobody = 65534;
  if (setgroups(0, NULL) != 0 || setgid(nobody) != 0 || setuid(nobody) != 0)
    return 1;
  char path[64];
  struct stat st;
  snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
  if (stat(path, &st) == 0)
    return 2; /* then this is no test */
  tally_netns_t *netns = tally_netns_create("/proc", pid, NULL, false, NULL);
  tally_interface_t i[TALLY_INTERFACES_MAX];
  if (netns == NULL || tally_netns_id(netns) == host)
    return 3;
  return tally_netns_interfaces(netns, i, TALLY_INTERFACES_MAX, NULL) >= 0 ? 0
                                                                           : 4;
}

/* Who may not trace a process still sees its namespace. */
static void test_namespace_without_privilege(void **state) {
  pid_t pid = getuid() == 0 ? start_in_namespace() : 0;
  if (pid == 0)
    SKIP("no network namespace can be made here");
  uint64_t host = tally_netns_id_of("/proc", getpid());
  pid_t child = fork();
  if (child == 0)
    _exit(look_as_nobody(pid, host));
  int status = -1;
  assert_int_equal(waitpid(child, &status, 0), child);
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_process_of_somebody_else(void **state) {
  tally_error_t err = {0};
  assert_null(
      tally_netns_create("/proc", getpid(), "no-such-cgroup", true, &err));
  assert_int_equal(err.code, ESRCH);
  assert_null(tally_netns_create("/proc", 0x7fffffff, NULL, true, &err));
  assert_int_equal(err.code, ESRCH);
  assert_null(tally_netns_create("/nowhere", getpid(), NULL, true, &err));
  assert_int_equal(err.code, ESRCH);

  tally_netns_t *netns =
      tally_netns_create("/proc", getpid(), ":/", true, &err);
  assert_non_null(netns);
  tally_netns_destroy(netns);
}

static void test_watched_process(void **state) {
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing */
    for (;;)
      pause();
  }
  tally_error_t err = {0};
  int fd = tally_process_watch(pid, ":/", &err);
  if (fd < 0 && err.code == ENOSYS) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    SKIP("this kernel has no pidfd");
  }
  assert_true(fd >= 0);
  struct pollfd p = {.fd = fd, .events = POLLIN};
  assert_int_equal(poll(&p, 1, 0), 0);
  assert_int_equal(tally_process_watch(pid, "no-such-cgroup", &err), -1);
  assert_int_equal(err.code, ESRCH);

  kill(pid, SIGKILL);
  assert_int_equal(poll(&p, 1, 10000), 1); /* before anybody waits for it */
  assert_int_equal(tally_process_watch(pid, NULL, &err), -1);
  assert_int_equal(err.code, ESRCH);
  close(fd);
  waitpid(pid, NULL, 0);
  assert_int_equal(tally_process_watch(pid, NULL, &err), -1);
  assert_int_equal(err.code, ESRCH);
}

/* ---- netlink, from a kernel that lies ------------------------------------ */

static size_t put_socket(char *p, uint8_t state) {
  struct nlmsghdr h = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct inet_diag_msg)),
                       .nlmsg_type = SOCK_DIAG_BY_FAMILY};
  struct inet_diag_msg m = {.idiag_state = state};
  memcpy(p, &h, sizeof(h));
  memcpy(p + NLMSG_HDRLEN, &m, sizeof(m));
  return NLMSG_ALIGN(h.nlmsg_len);
}

static void test_sock_diag_answers(void **state) {
  char text[4096];
  size_t len = put_socket(text, TALLY_TCP_LISTEN);
  len += put_socket(text + len, TALLY_TCP_ESTABLISHED);
  len += put_socket(text + len, TALLY_TCP_ESTABLISHED);
  len += put_socket(text + len, 12);  /* TCP_NEW_SYN_RECV */
  len += put_socket(text + len, 255); /* no such state */
  uint64_t counts[TALLY_TCP_STATES] = {0};
  assert_int_equal(tally_sock_diag_parse(text, len, counts), 0);
  assert_int_equal(counts[TALLY_TCP_LISTEN], 1);
  assert_int_equal(counts[TALLY_TCP_ESTABLISHED], 2);
  assert_int_equal(counts[TALLY_TCP_SYN_RECV], 1);

  struct nlmsghdr done = {.nlmsg_len = NLMSG_LENGTH(4),
                          .nlmsg_type = NLMSG_DONE};
  memcpy(text + len, &done, sizeof(done));
  assert_int_equal(tally_sock_diag_parse(text, len + NLMSG_LENGTH(4), counts),
                   1);

  struct {
    struct nlmsghdr h;
    struct nlmsgerr e;
  } error = {{sizeof(error), NLMSG_ERROR, 0, 0, 0}, {.error = -ENOENT}};
  assert_int_equal(tally_sock_diag_parse(&error, sizeof(error), counts),
                   -ENOENT);
  error.h.nlmsg_len = sizeof(struct nlmsghdr) + 2;
  assert_int_equal(tally_sock_diag_parse(&error, sizeof(error), counts),
                   -EBADMSG);

  /* lengths that cannot be; cut at every byte */
  for (size_t cut = 0; cut < len; cut++) {
    char *copy = malloc(cut ? cut : 1);
    memcpy(copy, text, cut);
    int status = tally_sock_diag_parse(copy, cut, counts);
    assert_true(status == 0 || status == -EBADMSG);
    free(copy);
  }
  struct nlmsghdr longer = {.nlmsg_len = UINT32_MAX};
  assert_int_equal(tally_sock_diag_parse(&longer, sizeof(longer), counts),
                   -EBADMSG);
  struct nlmsghdr zero = {0};
  assert_int_equal(tally_sock_diag_parse(&zero, sizeof(zero), counts),
                   -EBADMSG);
}

static void test_netlink_attributes(void **state) {
  struct {
    struct nlattr a;
    uint16_t one[2];
    struct nlattr b;
    uint32_t two;
  } list = {{6, 1}, {11, 0}, {8, 2}, 22};
  size_t len = 0;
  const void *p = tally_netlink_attribute(&list, sizeof(list), 2, &len);
  assert_ptr_equal(p, &list.two);
  assert_int_equal(len, 4);
  p = tally_netlink_attribute(&list, sizeof(list), 1, &len);
  assert_ptr_equal(p, &list.one);
  assert_int_equal(len, 2);
  assert_null(tally_netlink_attribute(&list, sizeof(list), 3, &len));
  assert_null(tally_netlink_attribute(&list, 0, 1, &len));
  assert_null(tally_netlink_attribute(&list, 5, 1, &len));
  list.a.nla_len = 3; /* shorter than itself: would never end */
  assert_null(tally_netlink_attribute(&list, sizeof(list), 2, &len));
  list.a.nla_len = 60000;
  assert_null(tally_netlink_attribute(&list, sizeof(list), 2, &len));
}

static void test_tcp_names(void **state) {
  assert_string_equal(tally_tcp_state_name(TALLY_TCP_ESTABLISHED),
                      "established");
  assert_string_equal(tally_tcp_state_name(TALLY_TCP_CLOSING), "closing");
  assert_string_equal(tally_tcp_state_name(0), "unknown");
  assert_string_equal(tally_tcp_state_name(TALLY_TCP_STATES), "unknown");
}

/* ---- load ---------------------------------------------------------------- */

static void test_load(void **state) {
  tally_load_t load = {0};
  uint64_t now = 1000 * TALLY_NS_PER_S;
  tally_load_update(&load, 4, now);
  for (size_t i = 0; i < 3; i++)
    assert_true(load.average[i] == 4);

  /* after one time constant, 1/e is left */
  tally_load_update(&load, 0, now += 60 * TALLY_NS_PER_S);
  assert_true(fabs(load.average[0] - 4 * exp(-1)) < 1e-9);
  assert_true(fabs(load.average[1] - 4 * exp(-0.2)) < 1e-9);
  assert_true(fabs(load.average[2] - 4 * exp(-1 / 15.0)) < 1e-9);

  /* the steps in between make no difference if nothing changes */
  tally_load_t steps = load, once = load;
  for (int i = 1; i <= 10; i++)
    tally_load_update(&steps, 2, now + (uint64_t)i * TALLY_NS_PER_S);
  tally_load_update(&once, 2, now + 10 * TALLY_NS_PER_S);
  assert_true(fabs(steps.average[0] - once.average[0]) < 1e-9);

  /* a clock that stands still or steps back changes nothing */
  tally_load_t before = once;
  tally_load_update(&once, 1000, once.last_ns);
  tally_load_update(&once, 1000, 1);
  assert_memory_equal(&before, &once, sizeof(before));
}

static void test_tasks_v2(void **state) {
  static const struct {
    unsigned tid;
    const char *stat;
  } threads[] = {
      {10, "10 (sh) S 1 10 10 0\n"},
      {11, "11 (a) R 1\n"},
      {12, "12 (dd) D 1\n"},
      {13, "13 (x) R) S 1\n"},
      {14, "14 (evil\n) R ) Z 1\n"},
      {15, "15 (idle) I 1\n"},
      {16, "garbage"},
      {17, ""},
      {18, "18 (no end"},
      {19, NULL}, /* has gone meanwhile */
      {20, "20 (last) R 1 20 20 0 0"},
  };
  tree_t tree;
  tree_create(&tree);
  char list[256] = "", path[128], proc[128], dir[128];
  for (size_t i = 0; i < COUNT_OF(threads); i++) {
    sprintf(list + strlen(list), "%u\n", threads[i].tid);
    snprintf(path, sizeof(path), "/proc/%u/task/%u/stat", threads[i].tid,
             threads[i].tid);
    if (threads[i].stat != NULL)
      tree_write(&tree, path, threads[i].stat);
  }
  tree_write(&tree, "/cg/cgroup.threads", list);
  snprintf(proc, sizeof(proc), "%s/proc", tree.root);
  snprintf(dir, sizeof(dir), "%s/cg", tree.root);

  tally_error_t err = {0};
  tally_tasks_t *tasks = tally_tasks_create(proc, &err);
  uint64_t active = 99;
  assert_int_equal(tally_tasks_active(tasks, dir, 2, &active, &err), 0);
  assert_int_equal(active, 3); /* 11, 12 and 20 */

  tree_write(&tree, "/cg/cgroup.threads", "");
  assert_int_equal(tally_tasks_active(tasks, dir, 2, &active, &err), 0);
  assert_int_equal(active, 0);

  /* more than are looked at one by one: a part of them, scaled up */
  char *many = malloc(40000);
  size_t len = 0;
  for (int i = 0; i < 5000; i++)
    len += (size_t)sprintf(many + len, "%d\n", i % 2 ? 10 : 11);
  tree_write(&tree, "/cg/cgroup.threads", many);
  free(many);
  assert_int_equal(tally_tasks_active(tasks, dir, 2, &active, &err), 0);
  assert_true(active == 0 || active == 5000 ||
              (active > 2000 && active < 3000));

  tree_remove(&tree, "/cg");
  assert_int_equal(tally_tasks_active(tasks, dir, 2, &active, &err), -1);
  assert_int_equal(err.code, ENOENT);
  tally_tasks_destroy(tasks);
  tree_destroy(&tree);
}

static void test_tasks_v1(void **state) {
  tally_tasks_t *tasks = tally_tasks_create("/proc", NULL);
  uint64_t active = 0;
  tally_error_t err = {0};
  /* our own cgroup contains at least this running task */
  if (tally_tasks_active(tasks, "/sys/fs/cgroup/cpu", 1, &active, &err) != 0) {
    tally_tasks_destroy(tasks);
    SKIP(err.message);
  }
  assert_true(active >= 1 && active < 10000);
  assert_int_equal(tally_tasks_active(tasks, "/tmp", 1, &active, &err), -1);
  assert_int_equal(err.code, EINVAL);
  assert_int_equal(
      tally_tasks_active(tasks, "/sys/fs/cgroup/cpu", 1, &active, &err), 0);
  tally_tasks_destroy(tasks);
}

/* ---- devices ------------------------------------------------------------- */

static void test_devices(void **state) {
  tree_t tree;
  tree_create(&tree);
  tree_write(&tree, "/sys/dev/block/.keep", "");
  char link[128];
  snprintf(link, sizeof(link), "%s/sys/dev/block/254:77", tree.root);
  assert_int_equal(symlink("../../devices/pci0000:00/virtio0/block/vda", link),
                   0);
  snprintf(link, sizeof(link), "%s/sys/dev/block/8:99999", tree.root);
  assert_int_equal(symlink("/", link), 0);

  tally_devices_t *devices = tally_devices_create(tree.root);
  const char *vda = tally_devices_name(devices, 254, 77);
  assert_string_equal(vda, "vda");
  assert_ptr_equal(tally_devices_name(devices, 254, 77), vda);
  assert_string_equal(tally_devices_name(devices, 4000, 5), "4000-5");
  assert_string_equal(tally_devices_name(devices, 8, 99999), "8-99999");
  assert_string_equal(vda, "vda");
  tally_devices_destroy(devices);
  tree_destroy(&tree);

  devices = tally_devices_create(NULL);
  assert_true(strlen(tally_devices_name(devices, 1, 0)) > 0);
  tally_devices_destroy(devices);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_netdev),
      cmocka_unit_test(test_netdev_hostile),
      cmocka_unit_test(test_namespace),
      cmocka_unit_test(test_namespace_without_privilege),
      cmocka_unit_test(test_process_of_somebody_else),
      cmocka_unit_test(test_watched_process),
      cmocka_unit_test(test_sock_diag_answers),
      cmocka_unit_test(test_netlink_attributes),
      cmocka_unit_test(test_tcp_names),
      cmocka_unit_test(test_load),
      cmocka_unit_test(test_tasks_v2),
      cmocka_unit_test(test_tasks_v1),
      cmocka_unit_test(test_devices),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
