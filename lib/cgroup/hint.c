/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cgroup/hierarchy.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/buffer.h"

/* Whether /proc/cgroups says that the kernel was booted with a controller.
 * Newer kernels list there only what v1 can have, so "no" means little. */
static bool kernel_enables(const char *table, const char *name) {
  size_t len = strlen(name);
  for (const char *line = table; *line != '\0';) {
    size_t end = strcspn(line, "\n");
    /* name, hierarchy, number of cgroups, enabled; tabs between them */
    if (end > len + 1 && memcmp(line, name, len) == 0 && line[len] == '\t')
      return line[end - 2] == '\t' && line[end - 1] == '1';
    line += end;
    if (*line == '\n')
      line++;
  }
  return false;
}

static void add(tally_buffer_t *text, const char *sentence) {
  if (text->len > 0)
    tally_buffer_append_str(text, "; ");
  tally_buffer_append_str(text, sentence);
}

static void explain(tally_buffer_t *text, const tally_cgroup_host_t *host,
                    tally_controller_t controller, const char *table) {
  const char *name = tally_controller_name(controller);
  const char *v1 = controller == TALLY_CONTROLLER_IO ? "blkio" : name;
  char sentence[256];

  if (kernel_enables(table, v1))
    snprintf(sentence, sizeof(sentence),
             "controller %s is not mounted where it can be seen below `%s/'",
             v1, host->rootfs);
  else if (controller == TALLY_CONTROLLER_MEMORY)
    snprintf(sentence, sizeof(sentence),
             "memory accounting is off: boot with cgroup_enable=memory "
             "swapaccount=1");
  else
    snprintf(sentence, sizeof(sentence),
             "the kernel does not offer the %s controller", name);
  add(text, sentence);
}

/* v1 has the memsw files even at the root if it counts swap. */
static bool swap_is_counted(const tally_hierarchy_t *memory) {
  char path[PATH_MAX];
  int n = snprintf(path, sizeof(path), "%s/memory.memsw.limit_in_bytes",
                   memory->mount);
  return n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0;
}

char *tally_hierarchy_hint(const tally_cgroup_host_t *host) {
  char table[4096] = "";
  (void)tally_file_read("/proc/cgroups", table, sizeof(table), NULL);

  tally_buffer_t text;
  tally_buffer_init(&text, 2048);
  for (tally_controller_t c = 0; c < TALLY_CONTROLLER_UNIFIED; c++)
    if (host->at[c].version == 0)
      explain(&text, host, c, table);

  const tally_hierarchy_t *memory = &host->at[TALLY_CONTROLLER_MEMORY];
  if (memory->version == 1 && !swap_is_counted(memory))
    add(&text, "swap accounting is off: boot with swapaccount=1");

  return text.len > 0 ? text.data : NULL; /* move ownership */
}
