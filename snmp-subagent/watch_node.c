/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "watch_private.h"

void tally_watch_show_node(tally_node_reader_t *reader,
                           const tally_settings_t *settings,
                           tally_view_t *view) {
  tally_node_row_t *node = tally_view_node(view);
  char name[256];
  tally_node_name(settings->rootfs, name, sizeof(name));
  node->name = tally_view_text(view, name);
  node->version = tally_view_text(view, PACKAGE_VERSION);

  tally_node_facts_t facts;
  tally_node_reader_read(reader, &facts);
  node->boot_ns = facts.boot_ns;
  node->cpu_percent = tally_watch_hundredths(facts.cpu_percent);
  node->cpus = facts.cpus;
  node->load1 = tally_watch_hundredths(facts.load[0]);
  node->load5 = tally_watch_hundredths(facts.load[1]);
  node->load15 = tally_watch_hundredths(facts.load[2]);
  node->memory_total = facts.memory_total;
  node->memory_used = facts.memory_used;
  node->memory_available = facts.memory_available;
  node->swap_total = facts.swap_total;
  node->swap_used = facts.swap_used;
  node->processes = facts.processes;
}

/* ---- disks --------------------------------------------------------------- */

bool tally_watch_wants_mount(const char *point, const char *type, void *data) {
  const tally_settings_t *settings = data;
  return !tally_select_match(settings->ignored_mounts, point) &&
         !tally_select_match(settings->ignored_types, type);
}

/* Of 10000; `rest` is what is left. */
static uint64_t share(uint64_t used, uint64_t rest) {
  if (used == TALLY_UNKNOWN || rest == TALLY_UNKNOWN || used + rest == 0)
    return TALLY_UNKNOWN;
  return tally_watch_hundredths(100.0 * (double)used /
                                ((double)used + (double)rest));
}

static void show_disk(const tally_mount_usage_t *usage, void *data) {
  tally_view_t *view = data;
  if (usage->total == 0)
    return; /* it holds nothing: made by the kernel */
  tally_disk_row_t *row = tally_view_add_disk(view, usage->point);
  if (row == NULL)
    return;
  row->device = tally_view_text(view, usage->device);
  row->type = tally_view_text(view, usage->type);
  row->total = usage->total;
  row->used = usage->used;
  row->available = usage->available;
  row->percent = share(usage->used, usage->available);
  if (usage->inodes != 0 && usage->inodes != TALLY_UNKNOWN) {
    row->inodes = usage->inodes;
    row->inodes_used = usage->inodes_used;
    row->inodes_percent =
        share(usage->inodes_used, usage->inodes - usage->inodes_used);
  }
  row->read_only = usage->read_only ? TALLY_TRUE : TALLY_FALSE;
  row->answering = usage->answering ? TALLY_TRUE : TALLY_FALSE;
}

void tally_watch_show_disks(tally_mounts_t *mounts, tally_view_t *view) {
  tally_mounts_visit(mounts, show_disk, view);
}
