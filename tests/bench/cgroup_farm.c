/* SPDX-License-Identifier: MIT */

/*
 * A farm of containers without a container engine: COUNT cgroups in every
 * hierarchy of this host, named by 64 hex digits as Docker's are, with one
 * sleeping process in each. Prints "ID PID" per container as it is ready, and
 * holds them until stdin ends or a signal asks it to stop; then everything is
 * removed again.
 */

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "farm_cgroup.h"
#include "farm_process.h"

#define COUNT_MAX 20000
#define ID_SIZE 65

typedef struct farm_container_s {
  char id[ID_SIZE];
  pid_t pid; /* 0: not started */
} farm_container_t;

typedef struct farm_s {
  farm_cgroups_t cgroups;
  farm_container_t *containers;
  size_t count; /* of those that were begun */
  int signals;  /* a descriptor that becomes readable */
} farm_t;

static const char usage[] =
    "usage: cgroup_farm [-n COUNT] [-m KIB] [-b DIR] [-i]\n"
    "  -n COUNT  containers (default 10)\n"
    "  -m KIB    memory that each of them touches (default 64)\n"
    "  -b DIR    each writes one block into a file in DIR\n"
    "  -i        each gets a network namespace with an interface (slow)\n";

/* ---- life cycle ---------------------------------------------------------- */

/* Different in each run and for each container; not random, so that ids sort
 * in no particular order and yet repeat nothing. (splitmix64) */
static void make_id(char id[ID_SIZE], uint64_t number) {
  uint64_t state = ((uint64_t)getpid() << 32) + number * 4;
  for (size_t i = 0; i < 4; i++) {
    uint64_t z = ++state * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    snprintf(id + 16 * i, 17, "%016" PRIx64, z ^ (z >> 31));
  }
}

/* stdin has ended, or a signal has come. */
static bool should_stop(const farm_t *farm, int timeout_ms) {
  struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                         {.fd = farm->signals, .events = POLLIN}};
  for (;;) {
    int n = poll(fds, 2, timeout_ms);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return n < 0;
    if (fds[1].revents != 0)
      return true;
    char ignored[256];
    if (read(STDIN_FILENO, ignored, sizeof(ignored)) <= 0)
      return true;
  }
}

static int add_container(farm_t *farm, const farm_process_options_t *options) {
  farm_container_t *c = &farm->containers[farm->count];
  make_id(c->id, farm->count);
  int gate = -1;
  c->pid = farm_process_start(options, &gate);
  if (c->pid < 0) {
    fprintf(stderr, "cgroup_farm: fork: %s\n", strerror(errno));
    c->pid = 0;
    return -1;
  }
  farm->count++; /* from here on there is something to remove */
  if (farm_cgroups_add(&farm->cgroups, c->id, c->pid) != 0) {
    close(gate);
    return -1;
  }
  if (farm_process_settle(gate) != 0)
    return -1;
  printf("%s %d\n", c->id, (int)c->pid);
  return 0;
}

static void remove_containers(farm_t *farm) {
  for (size_t i = 0; i < farm->count; i++)
    kill(farm->containers[i].pid, SIGKILL);
  for (size_t i = 0; i < farm->count; i++) {
    while (waitpid(farm->containers[i].pid, NULL, 0) < 0 && errno == EINTR)
      ;
    farm_cgroups_remove(&farm->cgroups, farm->containers[i].id);
  }
}

static int run(farm_t *farm, size_t count,
               const farm_process_options_t *options) {
  char name[32];
  snprintf(name, sizeof(name), "docker-farm-%d", (int)getpid());
  if (farm_cgroups_open(&farm->cgroups, name) != 0)
    return -1;
  while (farm->count < count) {
    if (should_stop(farm, 0))
      return 0;
    if (add_container(farm, options) != 0)
      return -1;
  }
  fflush(stdout);
  should_stop(farm, -1);
  return 0;
}

/* ---- command line -------------------------------------------------------- */

static size_t parse_number(const char *text, size_t max) {
  char *end;
  errno = 0;
  unsigned long number = strtoul(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || number == 0 ||
      number > max) {
    fprintf(stderr, "cgroup_farm: `%s' is not a number from 1 to %zu\n%s", text,
            max, usage);
    exit(2);
  }
  return number;
}

int main(int argc, char **argv) {
  farm_process_options_t options = {.memory = 64 << 10};
  size_t count = 10;
  int option;
  while ((option = getopt(argc, argv, "n:m:b:i")) != -1) {
    switch (option) {
    case 'n':
      count = parse_number(optarg, COUNT_MAX);
      break;
    case 'm':
      options.memory = parse_number(optarg, 1 << 20) << 10;
      break;
    case 'b':
      options.io_dir = optarg;
      break;
    case 'i':
      options.own_network = true;
      break;
    default:
      fputs(usage, stderr);
      return 2;
    }
  }

  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGHUP);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  /* A reader of ours that dies must not keep us from cleaning up. */
  signal(SIGPIPE, SIG_IGN);

  farm_t farm = {.signals = signalfd(-1, &signals, SFD_CLOEXEC),
                 .containers = calloc(count, sizeof(*farm.containers))};
  if (farm.signals < 0 || farm.containers == NULL) {
    perror("cgroup_farm");
    return 1;
  }
  int status = run(&farm, count, &options);
  remove_containers(&farm);
  farm_cgroups_close(&farm.cgroups);
  free(farm.containers);
  return status == 0 ? 0 : 1;
}
