/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "farm_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/cleanup.h"

#define BLOCK_SIZE 4096

static void die(const char *what) {
  fprintf(stderr, "cgroup_farm: process %d: %s: %s\n", (int)getpid(), what,
          strerror(errno));
  _exit(1);
}

static void touch_memory(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    die("mmap");
  memset(memory, 1, size); /* stays mapped for as long as we live */
}

/* A tap and not a dummy or veth interface: it needs no netlink, no second end,
 * and every kernel that runs containers has it. It lives as long as the
 * descriptor, which is left open for that. */
static void make_interface(void) {
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
  memcpy(request.ifr_name, "eth0", sizeof("eth0"));

  if (unshare(CLONE_NEWNET) != 0)
    die("unshare the network");
  int tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  if (tap < 0 || ioctl(tap, TUNSETIFF, &request) != 0)
    die("make an interface through /dev/net/tun");

  tally_autoclose int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  request.ifr_flags = IFF_UP;
  if (any < 0 || ioctl(any, SIOCSIFFLAGS, &request) != 0)
    die("bring eth0 up");
}

static void write_block(const char *dir) {
  char path[4096];
  snprintf(path, sizeof(path), "%s/block.%d", dir, (int)getpid());
  tally_autoclose int fd =
      open(path, O_WRONLY | O_CREAT | O_EXCL | O_DIRECT | O_CLOEXEC, 0600);
  if (fd < 0)
    die(path);
  unlink(path);
  tally_autofree void *block = aligned_alloc(BLOCK_SIZE, BLOCK_SIZE);
  if (block == NULL)
    die("aligned_alloc");
  memset(block, 1, BLOCK_SIZE);
  if (write(fd, block, BLOCK_SIZE) != BLOCK_SIZE)
    die("write a block");
}

static void live(const farm_process_options_t *options, int gate) {
  char byte;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  /* The farm may be killed; nobody would ever find us. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);

  /* Before the process is in its cgroup, everything would be counted where the
   * farm lives. */
  if (read(gate, &byte, 1) != 1)
    _exit(1); /* the farm gave up */
  touch_memory(options->memory);
  if (options->own_network)
    make_interface();
  if (options->io_dir != NULL)
    write_block(options->io_dir);
  if (write(gate, "", 1) != 1)
    _exit(1);
  close(gate);
  for (;;)
    pause();
}

pid_t farm_process_start(const farm_process_options_t *options, int *gate) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return -1;
  pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    live(options, ends[1]);
  }
  close(ends[1]);
  if (pid < 0)
    close(ends[0]);
  else
    *gate = ends[0];
  return pid;
}

int farm_process_settle(int gate) {
  char byte;
  bool settled = write(gate, "", 1) == 1 && read(gate, &byte, 1) == 1;
  close(gate);
  return settled ? 0 : -1;
}
