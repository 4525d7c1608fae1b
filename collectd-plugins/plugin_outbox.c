/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "plugin_outbox.h"

#include "core/clock.h"

#define MIB (1024.0 * 1024.0)
#define SPOOL_DIR TALLY_STATE_DIR "/spool"
#define AT_ONCE 1e-9     /* seconds */
#define RECORD_ABOUT 160 /* bytes that a record takes in memory at least */

/* ---- options ------------------------------------------------------------- */

int plugin_outbox_set_SpoolDir(const char *plugin, oconfig_item_t *ci,
                               void *to) {
  plugin_outbox_t *settings = to;
  if (plugin_config_string(plugin, ci, &settings->spool_dir) != 0)
    return -1;
  if (settings->spool_dir[0] != '/')
    return plugin_config_error(plugin, ci, "takes an absolute path");
  return 0;
}

int plugin_outbox_set_SpoolLimit(const char *plugin, oconfig_item_t *ci,
                                 void *to) {
  plugin_outbox_t *settings = to;
  double limit;
  if (plugin_config_number(plugin, ci, 0, 1048576, &limit) != 0)
    return -1;
  if (limit > 0 && limit < 1)
    return plugin_config_error(plugin, ci,
                               "takes a number from 1 to 1048576 (MiB), or 0: "
                               "no spool");
  settings->spool = limit;
  settings->no_spool = limit == 0;
  return 0;
}

int plugin_outbox_set_MemoryLimit(const char *plugin, oconfig_item_t *ci,
                                  void *to) {
  plugin_outbox_t *settings = to;
  return plugin_config_number(plugin, ci, 1, 65536, &settings->memory);
}

int plugin_outbox_set_MaxAge(const char *plugin, oconfig_item_t *ci, void *to) {
  plugin_outbox_t *settings = to;
  return plugin_config_number(plugin, ci, 1, 365 * 24 * 3600,
                              &settings->max_age);
}

int plugin_outbox_set_Linger(const char *plugin, oconfig_item_t *ci, void *to) {
  plugin_outbox_t *settings = to;
  if (plugin_config_number(plugin, ci, 0, 3600, &settings->linger) != 0)
    return -1;
  if (settings->linger < AT_ONCE)
    settings->linger = AT_ONCE;
  return 0;
}

int plugin_outbox_set_Sync(const char *plugin, oconfig_item_t *ci, void *to) {
  /* in the order of tally_sync_t */
  static const char *const words[] = {"never", "second", "always", NULL};
  plugin_outbox_t *settings = to;
  int word = 0;
  if (plugin_config_word(plugin, ci, words, &word) != 0)
    return -1;
  settings->sync = 1 + word;
  return 0;
}

void plugin_outbox_clear(plugin_outbox_t *settings) {
  free(settings->spool_dir);
  memset(settings, 0, sizeof(*settings));
}

/* ---- what they say ------------------------------------------------------- */

static bool is_plain(char c, bool first) {
  return isalnum((unsigned char)c) || c == '_' || c == '-' ||
         (c == '.' && !first);
}

/* Returns the length that there should be room for. */
static size_t append_escaped(char *path, size_t size, size_t len,
                             const char *label) {
  for (const char *p = label; *p != '\0'; p++) {
    bool plain = is_plain(*p, p == label);
    if (len < size)
      snprintf(path + len, size - len, plain ? "%c" : "%%%02X",
               (unsigned char)*p);
    len += plain ? 1 : 3;
  }
  return len;
}

static int apply_spool(const plugin_outbox_t *settings, const char *label,
                       tally_outbox_options_t *options, char *path,
                       size_t size) {
  const char *parent =
      settings->spool_dir != NULL ? settings->spool_dir : SPOOL_DIR;
  int len = snprintf(path, size, "%s/", parent);
  if (len < 0 || (size_t)len >= size ||
      append_escaped(path, size, (size_t)len, label) >= size)
    return -1;
  options->spool = path;
  if (settings->spool > 0)
    options->spool_bytes = (uint64_t)(settings->spool * MIB);
  return 0;
}

int plugin_outbox_apply(const plugin_outbox_t *settings, const char *label,
                        tally_outbox_options_t *options, char *path,
                        size_t size) {
  options->name = label;
  options->sync = settings->sync > 0 ? (tally_sync_t)(settings->sync - 1)
                                     : TALLY_SYNC_SECOND;
  if (settings->memory > 0) {
    options->memory_bytes = (size_t)(settings->memory * MIB);
    options->memory_records = options->memory_bytes / RECORD_ABOUT;
  }
  if (settings->max_age > 0)
    options->max_age_ns =
        (uint64_t)(settings->max_age * (double)TALLY_NS_PER_S);
  if (settings->linger > 0)
    options->linger_ns = (uint64_t)(settings->linger * (double)TALLY_NS_PER_S);
  options->spool = NULL;
  return settings->no_spool ? 0
                            : apply_spool(settings, label, options, path, size);
}

/* ---- the outbox ---------------------------------------------------------- */

tally_outbox_t *plugin_outbox_create(const char *plugin, const char *label,
                                     tally_outbox_options_t *options,
                                     const tally_destination_t *destination) {
  tally_error_t err = {0};
  tally_outbox_t *outbox = tally_outbox_create(options, destination, &err);
  if (outbox == NULL && options->spool != NULL) {
    ERROR("%s plugin: %s: %s; goes on without a spool, so what does not fit "
          "into memory will be lost",
          plugin, label, err.message);
    options->spool = NULL;
    outbox = tally_outbox_create(options, destination, &err);
  }
  if (outbox == NULL)
    ERROR("%s plugin: %s: %s", plugin, label, err.message);
  return outbox;
}
