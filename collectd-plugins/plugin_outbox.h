/* SPDX-License-Identifier: MIT */
#ifndef PLUGIN_OUTBOX_H
#define PLUGIN_OUTBOX_H

/*
 * What every output of ours has in common: the options of its outbox, its
 * numbers as values, and its troubles as log lines and notifications.
 * Include after collectd's headers.
 */

#include "delivery/delivery.h"
#include "plugin_util.h"

/* ---- options --------------------------------------------------------------- */

/* 0 or NULL: the default. */
typedef struct plugin_outbox_s {
  char *spool_dir;     /* SpoolDir: parent of the spools [TALLY_STATE_DIR] */
  double memory;       /* MemoryLimit, MiB [16] */
  double spool;        /* SpoolLimit, MiB [256]; 0 when spool_given: no spool */
  bool spool_given;
  double max_age;      /* MaxAge, seconds [7 days] */
  double linger;       /* Linger, seconds */
  char *sync;          /* Sync: never, second, always [second] */
} plugin_outbox_t;

#define PLUGIN_OUTBOX_OPTIONS(type, member)                                    \
  {"SpoolDir", plugin_config_string,                                           \
   offsetof(type, member) + offsetof(plugin_outbox_t, spool_dir)},             \
      {"MemoryLimit", plugin_outbox_set_memory, offsetof(type, member)},       \
      {"SpoolLimit", plugin_outbox_set_spool, offsetof(type, member)},         \
      {"MaxAge", plugin_outbox_set_max_age, offsetof(type, member)},           \
      {"Linger", plugin_outbox_set_linger, offsetof(type, member)},            \
  {                                                                            \
    "Sync", plugin_outbox_set_sync, offsetof(type, member)                     \
  }
int plugin_outbox_set_memory(const char *plugin, oconfig_item_t *ci, void *to);
int plugin_outbox_set_spool(const char *plugin, oconfig_item_t *ci, void *to);
int plugin_outbox_set_max_age(const char *plugin, oconfig_item_t *ci, void *to);
int plugin_outbox_set_linger(const char *plugin, oconfig_item_t *ci, void *to);
int plugin_outbox_set_sync(const char *plugin, oconfig_item_t *ci, void *to);
void plugin_outbox_clear(plugin_outbox_t *settings);

/* Fills in what the settings say. `label` ("write_kinesis-metrics") becomes
 * options->name and the directory below spool_dir, its characters outside
 * [A-Za-z0-9_.-] escaped. `path` receives that directory and, like `label`, must
 * live as long as the options are used. */
void plugin_outbox_apply(const plugin_outbox_t *settings, const char *label,
                         tally_outbox_options_t *options, char *path,
                         size_t size);

/* ---- reports ---------------------------------------------------------------- */

/* What was said of an output; zero at first. One thread at a time. */
typedef struct plugin_outbox_report_s {
  cdtime_t bad_since;  /* 0: all is well */
  bool complained;
  char said[256];      /* the last complaint */
  uint64_t lost, refused;
} plugin_outbox_report_t;

/*
 * Call it from a read callback: dispatches HOST/tallyman-LABEL/tallyman_outbox
 * and tallyman_losses, and says once when deliveries begin to fail (a warning
 * that names the output and quotes the service), when they do again for another
 * reason, when records are lost (with reason and number), and when all is well
 * again (okay). The notifications have plugin "tallyman", plugin_instance LABEL,
 * type "tallyman_outbox" and type_instance "delivery" or "loss".
 */
void plugin_outbox_report(plugin_outbox_report_t *report, const char *plugin,
                          const char *label, tally_outbox_t *outbox);

#endif
