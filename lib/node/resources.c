/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "node/node.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"

unsigned tally_node_cpus(void) {
  long cpus = sysconf(_SC_NPROCESSORS_ONLN);
  return cpus > 0 ? (unsigned)cpus : 0;
}

uint64_t tally_node_memory_total(const char *rootfs) {
  char path[PATH_MAX], text[4096];
  int n = snprintf(path, sizeof(path), "%s/proc/meminfo", rootfs ? rootfs : "");
  if (n < 0 || (size_t)n >= sizeof(path) ||
      tally_file_read(path, text, sizeof(text), NULL) < 0)
    return 0;

  /* "MemTotal:       24682116 kB", the first line */
  static const char key[] = "MemTotal:";
  uint64_t kib;
  if (strncmp(text, key, sizeof(key) - 1) != 0 ||
      tally_file_parse_u64(text + sizeof(key) - 1, &kib) != 0 ||
      kib > UINT64_MAX / 2048)
    return 0;
  return kib * 1024;
}
