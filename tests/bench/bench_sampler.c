/* SPDX-License-Identifier: MIT */

/*
 * What a sample costs, on top of what the kernel takes to produce it: a bare
 * loop of pread(2) over the open files of a cgroup reader, that reader, and the
 * whole sampler with network, pressure and what it computes, one after the
 * other in each round. Prints JSON lines for table.py.
 *
 * The first two read the files of the cgroup and /proc/PID/net/dev; on a hybrid
 * host they are given the v1 directories alone, because that is what there is
 * on v1. The sampler reads the pressure files of the v2 tree as well.
 *
 *   bench_sampler [CONTAINERS…]       default: 10 100 1000 5000
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup/files.h"
#include "cgroup/rest.h"
#include "container/roster.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "docker/container_private.h"
#include "docker/snapshot.h"

#define DESCRIPTORS 200000
#define SPARE_DESCRIPTORS 200
#define DESCRIPTORS_PER_CONTAINER 32 /* ours, the probe's, and one more */

#define ROUNDS_MIN 15
#define ROUNDS_MAX 400
#define ROUNDS_TIME_NS (3 * TALLY_NS_PER_S)

/* ---- allocations --------------------------------------------------------- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);

static size_t allocations;

void *malloc(size_t size) {
  allocations++;
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  allocations++;
  return __libc_calloc(count, size);
}

void *realloc(void *p, size_t size) {
  allocations++;
  return __libc_realloc(p, size);
}

/* ---- the farm ------------------------------------------------------------ */

typedef struct farm_s {
  pid_t pid;
  int hold;    /* it lives as long as this end of its stdin is open */
  FILE *lines; /* "ID PID" of each container */
} farm_t;

/* A process of its own, so that it also cleans up when we are killed. */
static int start_farm(farm_t *farm, size_t count) {
  int in[2], out[2];
  if (pipe(in) != 0 || pipe(out) != 0)
    return -1;
  fcntl(in[1], F_SETFD, FD_CLOEXEC);
  fcntl(out[0], F_SETFD, FD_CLOEXEC);
  const char *build = getenv("TALLYMAN_BUILD");
  char program[PATH_MAX], number[24];
  snprintf(program, sizeof(program), "%s/tests/bench/cgroup_farm",
           build ? build : ".");
  snprintf(number, sizeof(number), "%zu", count);
  farm->pid = fork();
  if (farm->pid == 0) {
    dup2(in[0], 0);
    dup2(out[1], 1);
    setpgid(0, 0); /* Ctrl-C is for us; it hears of it by its stdin */
    execl(program, program, "-i", "-b", "/var/tmp", "-n", number, NULL);
    fprintf(stderr, "%s: %s\n", program, strerror(errno));
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  farm->hold = in[1];
  farm->lines = fdopen(out[0], "r");
  return farm->pid > 0 && farm->lines != NULL ? 0 : -1;
}

static void stop_farm(farm_t *farm) {
  close(farm->hold);
  fclose(farm->lines);
  waitpid(farm->pid, NULL, 0);
}

/* ---- what is measured ---------------------------------------------------- */

#define FDS_MAX (2 * TALLY_CGROUP_FILES_MAX)

typedef struct bench_container_s {
  char id[65];
  int pid;
  tally_cgroup_reader_t *reader;
  tally_netns_t *netns;
  int fds[FDS_MAX]; /* the same files, for the bare loop */
  size_t fds_count;
  const tally_probe_t *probe; /* of the sampler */
} bench_container_t;

static int by_id(const void *a, const void *b) {
  const bench_container_t *x = a, *y = b;
  return strcmp(x->id, y->id);
}

typedef struct bench_s {
  size_t farm_count;
  bench_container_t *containers;
  size_t count; /* of those that are measured */
  tally_roster_t roster;
} bench_t;

static void read_bare(bench_t *bench) {
  char text[16384];
  for (size_t i = 0; i < bench->count; i++) {
    const bench_container_t *c = &bench->containers[i];
    for (size_t k = 0; k < c->fds_count; k++)
      if (pread(c->fds[k], text, sizeof(text), 0) < 0) {
        perror("pread");
        exit(1);
      }
  }
}

static void read_samples(bench_t *bench) {
  tally_cgroup_sample_t sample;
  tally_interface_t interfaces[4];
  for (size_t i = 0; i < bench->count; i++) {
    tally_error_t err = {0};
    if (tally_cgroup_reader_read(bench->containers[i].reader, 0, &sample,
                                 &err) != TALLY_CGROUP_READ ||
        tally_netns_interfaces(bench->containers[i].netns, interfaces, 4,
                               &err) != 1 ||
        err.code != 0) {
      fprintf(stderr, "a container is not readable: %s\n", err.message);
      exit(1);
    }
  }
}

static void run_sampler(bench_t *bench) {
  tally_sampler_cost_t cost = {0};
  tally_roster_sample_all(&bench->roster, tally_clock_monotonic_ns(), &cost);
  if (cost.sampled != bench->count || cost.failed != 0) {
    fprintf(stderr, "%zu containers, %zu sampled, %zu failed\n", bench->count,
            (size_t)cost.sampled, (size_t)cost.failed);
    exit(1);
  }
}

typedef struct way_s {
  const char *name;
  void (*go)(bench_t *bench);
  double us[ROUNDS_MAX]; /* CPU per container, of each round */
} way_t;

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double median(double *values, size_t count) {
  qsort(values, count, sizeof(*values), by_size);
  return values[count / 2];
}

/* Rounds in which each way has its turn. */
static size_t measure(bench_t *bench, way_t *ways, size_t count) {
  for (size_t w = 0; w < count; w++)
    ways[w].go(bench); /* warm up, and read the limits */
  uint64_t begin = tally_clock_monotonic_ns();
  size_t round = 0;
  while (round < ROUNDS_MAX &&
         (round < ROUNDS_MIN ||
          tally_clock_monotonic_ns() - begin < ROUNDS_TIME_NS)) {
    for (size_t w = 0; w < count; w++) {
      uint64_t cpu = tally_clock_thread_cpu_ns();
      ways[w].go(bench);
      cpu = tally_clock_thread_cpu_ns() - cpu;
      ways[w].us[round] = (double)cpu / 1000 / (double)bench->count;
    }
    round++;
  }
  return round;
}

/* Containers that do nothing, as most of a node do most of the time: read once
 * a second until they are at rest, then measured as the others are. */
static double measure_at_rest(bench_t *bench) {
  for (unsigned i = 0; i <= TALLY_REST_SETTLES_NS / TALLY_NS_PER_S; i++) {
    run_sampler(bench);
    sleep(1);
  }
  way_t *way = calloc(1, sizeof(*way));
  if (way == NULL)
    exit(1);
  way->go = run_sampler;
  double us = median(way->us, measure(bench, way, 1));
  free(way);
  return us;
}

/* ---- numbers ------------------------------------------------------------- */

/* Numbers that the kernel really gave for one container. */
static size_t count_values(const tally_cgroup_sample_t *c, size_t interfaces) {
  const uint64_t *numbers = &c->cpu_usage_ns;
  size_t end = (offsetof(tally_cgroup_sample_t, pressure) -
                offsetof(tally_cgroup_sample_t, cpu_usage_ns)) /
               sizeof(uint64_t);
  size_t count = 0;
  for (size_t i = 0; i < end; i++)
    count += numbers[i] != TALLY_UNKNOWN;
  for (size_t r = 0; r < TALLY_RESOURCES; r++) {
    const tally_pressure_t *p = &c->pressure[r];
    count += !isnan(p->some_avg10) + !isnan(p->full_avg10) +
             (p->some_total_us != TALLY_UNKNOWN) +
             (p->full_total_us != TALLY_UNKNOWN);
  }
  count += 4 * c->devices_count + 8 * interfaces;
  count += (c->threads != TALLY_UNKNOWN) + (c->processes != TALLY_UNKNOWN) +
           (c->threads_limit != TALLY_UNKNOWN);
  return count;
}

static void report(const bench_t *bench, const char *what, double value,
                   const char *unit, const char *bar) {
  char note[64] = "";
  if (bench->count < bench->farm_count)
    snprintf(note, sizeof(note), ", \"note\": \"on %zu of them\"",
             bench->count);
  printf("{\"what\": \"%s, %zu containers\", \"value\": %.4g, \"unit\": "
         "\"%s\"%s%s}\n",
         what, bench->farm_count, value, unit, bar, note);
}

static void run_bench(bench_t *bench, bool v1) {
  way_t *ways = calloc(3, sizeof(*ways));
  if (ways == NULL)
    exit(1);
  ways[0].go = read_bare;
  ways[1].go = read_samples;
  ways[2].go = run_sampler;

  size_t rounds = measure(bench, ways, 3);
  size_t before = allocations;
  read_samples(bench);
  run_sampler(bench);
  size_t allocated = allocations - before;
  double us[3];
  for (size_t w = 0; w < 3; w++)
    us[w] = median(ways[w].us, rounds);
  free(ways);

  const bench_container_t *first = &bench->containers[0];
  const tally_container_sample_t *sampled = &first->probe->last;
  tally_cgroup_sample_t read;
  (void)tally_cgroup_reader_read(first->reader, 0, &read, NULL);
  report(bench, "bare loop of pread", us[0], "µs", "");
  report(bench, "reading and parsing", us[1], "µs", v1 ? ", \"most\": 20" : "");
  report(bench, "reading and parsing, against the bare loop", us[1] / us[0],
         "×", ", \"most\": 1.6");
  report(bench, "values read", (double)count_values(&read, 1), "values",
         ", \"least\": 40");
  report(bench, "descriptors kept for them", (double)first->fds_count, "", "");
  report(bench, "the whole sampler", us[2], "µs", "");
  report(bench, "the whole sampler, at rest", measure_at_rest(bench), "µs",
         v1 ? ", \"most\": 20" : "");
  report(bench, "values sampled",
         (double)count_values(&sampled->cgroup, sampled->interfaces_count),
         "values", "");
  report(bench, "allocations in the steady state", (double)allocated, "",
         ", \"most\": 0");
  fflush(stdout);
}

/* ---- one size ------------------------------------------------------------ */

static int read_containers(bench_t *bench, farm_t *farm) {
  char line[128];
  size_t seen = 0;
  while (seen < bench->farm_count &&
         fgets(line, sizeof(line), farm->lines) != NULL) {
    bench_container_t *c = &bench->containers[seen];
    seen += sscanf(line, "%64s %d", c->id, &c->pid) == 2;
  }
  if (seen < bench->farm_count) {
    fprintf(stderr, "the farm has %zu containers of %zu\n", seen,
            bench->farm_count);
    return -1;
  }
  size_t fit = tally_cgroup_raise_descriptor_limit() - SPARE_DESCRIPTORS;
  fit /= DESCRIPTORS_PER_CONTAINER;
  bench->count = seen < fit ? seen : fit;
  qsort(bench->containers, bench->count, sizeof(*bench->containers), by_id);
  return 0;
}

static void close_readers(bench_container_t *c) {
  if (c->fds_count > 0)
    close(c->fds[c->fds_count - 1]); /* the others belong to the reader */
  tally_cgroup_reader_destroy(c->reader);
  tally_netns_destroy(c->netns);
}

static int open_readers(bench_t *bench, tally_cgroup_host_t *host) {
  for (size_t i = 0; i < bench->count; i++) {
    bench_container_t *c = &bench->containers[i];
    tally_cgroup_paths_t paths;
    tally_error_t err = {0};
    if (tally_cgroup_locate(host, c->pid, c->id, &paths, &err) == 0) {
      if (paths.version[TALLY_CONTROLLER_MEMORY] == 1)
        paths.version[TALLY_CONTROLLER_UNIFIED] = 0;
      c->reader = tally_cgroup_reader_create(&paths, 0, &err);
      tally_cgroup_paths_clear(&paths);
      c->netns = tally_netns_create("/proc", c->pid, c->id, true, &err);
    }
    if (c->reader == NULL || c->netns == NULL) {
      fprintf(stderr, "%s\n", err.message);
      return -1;
    }
    c->fds_count =
        tally_cgroup_reader_descriptors(c->reader, c->fds, FDS_MAX - 1);
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/net/dev", c->pid);
    c->fds[c->fds_count++] = open(path, O_RDONLY | O_CLOEXEC);
  }
  return 0;
}

/* Lets the sampler see the farm as if Docker had shown it. */
static int fill_roster(bench_t *bench) {
  tally_sampler_options_t options = {
      .network = true, .block_io = true, .pressure = true};
  tally_snapshot_t *snapshot = tally_snapshot_create(bench->count);
  if (snapshot == NULL ||
      tally_roster_init(&bench->roster, &options, NULL) != 0)
    return -1;
  for (size_t i = 0; i < bench->count; i++) {
    tally_container_t draft = {.name = "bench",
                               .pid = bench->containers[i].pid,
                               .state = TALLY_CONTAINER_RUNNING};
    memcpy(draft.id, bench->containers[i].id, sizeof(draft.id));
    const tally_container_t *c = tally_container_pack(&draft, NULL);
    tally_snapshot_add(snapshot, c);
    tally_container_unref(c);
  }
  snapshot->generation = 1;
  tally_roster_follow(&bench->roster, snapshot, tally_clock_monotonic_ns());
  tally_snapshot_unref(snapshot);

  for (size_t i = 0; i < bench->count; i++) {
    bench->containers[i].probe = bench->roster.entries[i].probe;
    if (bench->containers[i].probe == NULL) {
      fprintf(stderr, "the sampler does not find container %s\n",
              bench->containers[i].id);
      return -1;
    }
  }
  return 0;
}

static int bench_size(size_t count) {
  tally_error_t err = {0};
  tally_cgroup_host_t *host = tally_cgroup_host_create(NULL, &err);
  if (host == NULL) {
    fprintf(stderr, "%s\n", err.message);
    return -1;
  }
  farm_t farm;
  bench_t bench = {.farm_count = count,
                   .containers = calloc(count, sizeof(*bench.containers))};
  int status = -1;
  if (bench.containers != NULL && start_farm(&farm, count) == 0) {
    if (read_containers(&bench, &farm) == 0 &&
        open_readers(&bench, host) == 0 && fill_roster(&bench) == 0) {
      run_bench(&bench,
                tally_cgroup_host_version(host, TALLY_CONTROLLER_MEMORY) == 1);
      status = 0;
    }
    tally_roster_clear(&bench.roster);
    for (size_t i = 0; i < bench.count; i++)
      close_readers(&bench.containers[i]);
    stop_farm(&farm);
  }
  free(bench.containers);
  tally_cgroup_host_destroy(host);
  return status;
}

int main(int argc, char **argv) {
  static const size_t sizes[] = {10, 100, 1000, 5000};
  signal(SIGPIPE, SIG_IGN);
  /* What is beyond the budget is another thing, which bench_process.py looks
   * at: here all files are open. */
  struct rlimit more = {DESCRIPTORS, DESCRIPTORS};
  (void)setrlimit(RLIMIT_NOFILE, &more); /* not everybody may do that */
  unsigned limit = tally_cgroup_raise_descriptor_limit();
  tally_cgroup_set_descriptor_budget(limit - SPARE_DESCRIPTORS);

  for (size_t i = 0; argc < 2 && i < sizeof(sizes) / sizeof(sizes[0]); i++)
    if (bench_size(sizes[i]) != 0)
      return 1;
  for (int i = 1; i < argc; i++)
    if (bench_size(strtoul(argv[i], NULL, 10)) != 0)
      return 1;
  return 0;
}
