/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "node/facts.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "node/node.h"

/* Clock ticks since the boot. */
typedef struct cpu_ticks_s {
  uint64_t busy, total;
} cpu_ticks_t;

struct tally_node_reader_s {
  cpu_ticks_t last; /* total 0: none yet */
  char proc[];      /* the directory */
};

tally_node_reader_t *tally_node_reader_create(const char *rootfs,
                                              tally_error_t *err) {
  if (rootfs == NULL)
    rootfs = "";
  size_t size = strlen(rootfs) + sizeof("/proc");
  tally_node_reader_t *reader = calloc(1, sizeof(*reader) + size);
  if (reader == NULL)
    tally_error_set(err, ENOMEM, "facts of the node");
  else
    snprintf(reader->proc, size, "%s/proc", rootfs);
  return reader;
}

void tally_node_reader_destroy(tally_node_reader_t *reader) { free(reader); }

/* ---- /proc/stat ---------------------------------------------------------- */

/* "cpu  user nice system idle iowait irq softirq steal guest guest_nice"; guest
 * time is part of user. Old kernels have fewer columns. */
static bool parse_cpu(const char *line, cpu_ticks_t *ticks) {
  enum { IDLE = 3, IOWAIT = 4, COLUMNS = 8 };
  uint64_t value[COLUMNS] = {0};
  int count = 0;
  for (char *end; count < COLUMNS; count++, line = end) {
    value[count] = strtoull(line, &end, 10);
    if (end == line)
      break;
  }
  if (count <= IDLE)
    return false;
  *ticks = (cpu_ticks_t){0};
  for (int i = 0; i < COLUMNS; i++) {
    ticks->total += value[i];
    if (i != IDLE && i != IOWAIT)
      ticks->busy += value[i];
  }
  return true;
}

/* iowait and steal may go backwards a little (proc_stat(5)). */
static double percent_since(cpu_ticks_t last, cpu_ticks_t now) {
  if (last.total == 0 || now.total <= last.total)
    return NAN;
  if (now.busy <= last.busy)
    return 0;
  double percent =
      100.0 * (double)(now.busy - last.busy) / (double)(now.total - last.total);
  return percent < 100 ? percent : 100;
}

static void read_stat(tally_node_reader_t *reader, tally_node_facts_t *facts) {
  char path[PATH_MAX], line[512]; /* longer ones (interrupts) come in pieces */
  snprintf(path, sizeof(path), "%s/stat", reader->proc);
  tally_autofclose FILE *stream = fopen(path, "re");
  bool begins = true;
  while (stream != NULL && fgets(line, sizeof(line), stream) != NULL) {
    cpu_ticks_t now;
    if (begins && strncmp(line, "cpu ", 4) == 0 && parse_cpu(line + 4, &now)) {
      facts->cpu_percent = percent_since(reader->last, now);
      reader->last = now;
    }
    if (begins && strncmp(line, "btime ", 6) == 0) {
      facts->boot_ns = strtoull(line + 6, NULL, 10) * TALLY_NS_PER_S;
      return;
    }
    begins = strchr(line, '\n') != NULL;
  }
}

/* ---- /proc/meminfo ------------------------------------------------------- */

/* "MemFree:        23356132 kB" → bytes. */
static uint64_t find_bytes(const char *text, const char *key) {
  size_t len = strlen(key);
  uint64_t kib;
  for (const char *p = text; p != NULL; p = strchr(p, '\n')) {
    p += *p == '\n';
    if (strncmp(p, key, len) == 0 && p[len] == ':')
      return tally_file_parse_u64(p + len + 1, &kib) == 0 &&
                     kib < UINT64_MAX / 2048
                 ? kib * 1024
                 : TALLY_UNKNOWN;
  }
  return TALLY_UNKNOWN;
}

static uint64_t difference(uint64_t a, uint64_t b) {
  if (a == TALLY_UNKNOWN || b == TALLY_UNKNOWN)
    return TALLY_UNKNOWN;
  return a > b ? a - b : 0;
}

static uint64_t available(const char *text) {
  uint64_t bytes = find_bytes(text, "MemAvailable");
  if (bytes != TALLY_UNKNOWN)
    return bytes;
  static const char *const parts[] = {"MemFree", "Buffers", "Cached"};
  bytes = 0;
  for (size_t i = 0; i < 3; i++) {
    uint64_t part = find_bytes(text, parts[i]);
    if (part == TALLY_UNKNOWN)
      return TALLY_UNKNOWN;
    bytes += part;
  }
  return bytes;
}

static void read_memory(const tally_node_reader_t *reader,
                        tally_node_facts_t *facts) {
  char path[PATH_MAX], text[8192];
  snprintf(path, sizeof(path), "%s/meminfo", reader->proc);
  if (tally_file_read(path, text, sizeof(text), NULL) < 0)
    return;
  facts->memory_total = find_bytes(text, "MemTotal");
  facts->memory_available = available(text);
  facts->memory_used = difference(facts->memory_total, facts->memory_available);
  facts->swap_total = find_bytes(text, "SwapTotal");
  facts->swap_used =
      difference(facts->swap_total, find_bytes(text, "SwapFree"));
}

/* ---- the rest ------------------------------------------------------------ */

static void read_load(const tally_node_reader_t *reader,
                      tally_node_facts_t *facts) {
  char path[PATH_MAX], text[128];
  snprintf(path, sizeof(path), "%s/loadavg", reader->proc);
  if (tally_file_read(path, text, sizeof(text), NULL) < 0)
    return;
  double load[3];
  const char *p = text;
  for (size_t i = 0; i < 3; i++) {
    char *end;
    load[i] = strtod(p, &end);
    if (end == p || !(load[i] >= 0))
      return;
    p = end;
  }
  memcpy(facts->load, load, sizeof(load));
}

static void count_processes(const tally_node_reader_t *reader,
                            tally_node_facts_t *facts) {
  tally_autoclosedir DIR *dir = opendir(reader->proc);
  if (dir == NULL)
    return;
  facts->processes = 0;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
    facts->processes += isdigit((unsigned char)entry->d_name[0]) != 0;
}

void tally_node_reader_read(tally_node_reader_t *reader,
                            tally_node_facts_t *facts) {
  *facts = (tally_node_facts_t){
      .cpu_percent = NAN,
      .load = {NAN, NAN, NAN},
      .cpus = TALLY_UNKNOWN,
      .memory_total = TALLY_UNKNOWN,
      .memory_available = TALLY_UNKNOWN,
      .memory_used = TALLY_UNKNOWN,
      .swap_total = TALLY_UNKNOWN,
      .swap_used = TALLY_UNKNOWN,
      .processes = TALLY_UNKNOWN,
      .boot_ns = TALLY_UNKNOWN,
  };
  unsigned cpus = tally_node_cpus();
  if (cpus > 0)
    facts->cpus = cpus;
  read_stat(reader, facts);
  read_memory(reader, facts);
  read_load(reader, facts);
  count_processes(reader, facts);
}

void tally_node_name(const char *rootfs, char *name, size_t size) {
  name[0] = '\0';
  if (rootfs == NULL || rootfs[0] == '\0') {
    if (gethostname(name, size) != 0)
      name[0] = '\0';
    name[size - 1] = '\0';
    return;
  }
  char path[PATH_MAX];
  snprintf(path, sizeof(path), "%s/etc/hostname", rootfs);
  if (tally_file_read(path, name, size, NULL) < 0)
    name[0] = '\0';
  name[strcspn(name, "\n")] = '\0';
}
