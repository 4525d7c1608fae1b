/* SPDX-License-Identifier: MIT */
#ifndef PLUGIN_OUTBOX_H
#define PLUGIN_OUTBOX_H

/*
 * What every output of ours has in common: the options of its outbox, its
 * numbers as values, and its troubles as log lines and notifications. The
 * words for users stand in tallyman(7), OUTPUTS. Include after collectd's
 * headers.
 *
 *   typedef struct {
 *     plugin_outbox_t outbox;
 *   } block_t;
 *
 *   static const plugin_option_t options[] = {
 *       PLUGIN_OUTBOX_OPTIONS(block_t, outbox), …
 *
 *   plugin_config_block(…);                in the config callback
 *   plugin_outbox_register(…);             in init
 *   tally_SERVICE_open(…, &options, …);    what the service wants
 *   plugin_outbox_apply(…, &options, …);   what the user wants
 *   outbox = plugin_outbox_create(…, &options, …);
 *   plugin_outbox_report(…);               in a read callback
 *   plugin_outbox_end(…);                  in shutdown
 *
 * An output is known by its *label*: its plugin and, behind a dash, the name
 * that it has in the configuration ("write_kinesis-metrics").
 */

#include "delivery/delivery.h"
#include "plugin_util.h"

/* ---- options ------------------------------------------------------------- */

/* 0 or NULL: nothing was said. */
typedef struct plugin_outbox_s {
  char *spool_dir; /* SpoolDir: parent of the spools [TALLY_STATE_DIR/spool] */
  double memory;   /* MemoryLimit, MiB, 1 to 65536 [16] */
  double spool;    /* SpoolLimit, MiB, 1 to 1048576 [256] */
  bool no_spool;   /* SpoolLimit 0 */
  double max_age;  /* MaxAge, seconds, 1 to 31536000 [7 days] */
  double linger;   /* Linger, seconds, 0 to 3600 [the destination's]; what is
                      next to nothing was said as 0 */
  int sync;        /* Sync: 1 + tally_sync_t ["second"] */
} plugin_outbox_t;

#define PLUGIN_OUTBOX_OPTION(key, type, member)                                \
  { #key, plugin_outbox_set_##key, offsetof(type, member) }
#define PLUGIN_OUTBOX_OPTIONS(type, member)                                    \
  PLUGIN_OUTBOX_OPTION(SpoolDir, type, member),                                \
      PLUGIN_OUTBOX_OPTION(SpoolLimit, type, member),                          \
      PLUGIN_OUTBOX_OPTION(MemoryLimit, type, member),                         \
      PLUGIN_OUTBOX_OPTION(MaxAge, type, member),                              \
      PLUGIN_OUTBOX_OPTION(Linger, type, member),                              \
      PLUGIN_OUTBOX_OPTION(Sync, type, member)

/* For the table above; the target is the whole struct. */
int plugin_outbox_set_SpoolDir(const char *plugin, oconfig_item_t *ci,
                               void *to);
int plugin_outbox_set_SpoolLimit(const char *plugin, oconfig_item_t *ci,
                                 void *to);
int plugin_outbox_set_MemoryLimit(const char *plugin, oconfig_item_t *ci,
                                  void *to);
int plugin_outbox_set_MaxAge(const char *plugin, oconfig_item_t *ci, void *to);
int plugin_outbox_set_Linger(const char *plugin, oconfig_item_t *ci, void *to);
int plugin_outbox_set_Sync(const char *plugin, oconfig_item_t *ci, void *to);
void plugin_outbox_clear(plugin_outbox_t *settings);

/*
 * Fills in what the settings say, and leaves what a destination knows better
 * (batches, the largest record, `durable`). The spool is the directory LABEL
 * below spool_dir, the label's bytes outside [A-Za-z0-9_.-] as %XX; the outbox
 * makes it, with its parents. `path` (PATH_MAX is enough) receives it and, like
 * `label`, must live as long as the options are used. -1: it does not fit.
 */
int plugin_outbox_apply(const plugin_outbox_t *settings, const char *label,
                        tally_outbox_options_t *options, char *path,
                        size_t size);

/* Makes the outbox; without a spool if that cannot be used, of which the log
 * tells. Then options->spool is NULL. NULL (logged): not even that can be made,
 * and the destination is still the caller's. */
tally_outbox_t *plugin_outbox_create(const char *plugin, const char *label,
                                     tally_outbox_options_t *options,
                                     const tally_destination_t *destination);

/* ---- reports ------------------------------------------------------------- */

/* Makes sure that the daemon knows the types, also without our types.db. -1
 * and a log line if some types.db says something else. */
int plugin_outbox_register(const char *plugin);

/* What was said of an output; zero at first. One thread at a time. */
typedef struct plugin_outbox_report_s {
  uint64_t sent, failures; /* at the last report */
  cdtime_t failing_since;  /* 0: it is not */
  bool got_through;        /* the last time that anything was tried */
  bool complained;
  cdtime_t said_at;
  char said[512]; /* the reason, as in the outbox's numbers */
  uint64_t lost[TALLY_LOSSES];
  cdtime_t lost_at;
  bool spool_broken;
} plugin_outbox_report_t;

/*
 * Call it from a read callback. Dispatches HOST/tallyman-LABEL/tallyman_outbox
 * and tallyman_losses, and says in the log and with notifications (plugin
 * "tallyman", plugin_instance LABEL, type "tallyman_outbox"; a long LABEL is
 * cut, see plugin_name_output()):
 *
 *   delivery  WARNING  nothing gets through any more, or for a minute not
 *                      everything did, in the destination's words, of which
 *                      a notification has the first 255 bytes; once more if
 *                      it is for another reason, a minute later at the earliest
 *             OKAY     it does again
 *   loss      FAILURE  records were lost: how many, why; at most once a minute
 *   spool     WARNING, OKAY  it cannot be written, and can again (the log says
 *                      why)
 */
void plugin_outbox_report(plugin_outbox_report_t *report, const char *plugin,
                          const char *label, tally_outbox_t *outbox);

/* Destroys the outbox and logs what it leaves behind, but notifies nobody: who
 * would be told may have been shut down before. NULL is allowed. */
void plugin_outbox_end(plugin_outbox_report_t *report, const char *plugin,
                       const char *label, tally_outbox_t *outbox,
                       int timeout_ms);

#endif
