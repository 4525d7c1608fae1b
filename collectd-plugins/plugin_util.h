/* SPDX-License-Identifier: MIT */
#ifndef PLUGIN_UTIL_H
#define PLUGIN_UTIL_H

/*
 * The glue that sees both collectd and lib/: nothing here knows a particular
 * plugin. Include after collectd's headers.
 *
 * Configuration functions check what they read and log what is wrong with it
 * ("docker_stats plugin: Interval \"ten\": …"); they return 0 or -1, and a
 * config callback that returns non-zero keeps collectd from starting.
 */

#include "core/select.h"
#include "docker/docker.h"

/* Sends what the library's threads say to collectd's log. Call from init. */
void plugin_util_log_init(void);

/* ---- configuration ------------------------------------------------------- */

/* One line of a table of options. */
typedef struct plugin_option_s {
  const char *key;
  /* Reads `ci` into whatever `target` is; 0 or -1 (already logged). */
  int (*set)(const char *plugin, oconfig_item_t *ci, void *target);
  size_t offset; /* of the target in the configuration struct */
} plugin_option_t;

/* Walks the children of `block`, looks each up in the table (which ends with a
 * NULL key), and reports options that are not in it. */
int plugin_config_block(const char *plugin, oconfig_item_t *block,
                        const plugin_option_t *options, void *config);

/* For the tables: exactly one string, number or boolean. Strings replace what
 * was there (freed) and may not be empty. */
int plugin_config_string(const char *plugin, oconfig_item_t *ci, void *target);
int plugin_config_bool(const char *plugin, oconfig_item_t *ci, void *target);
/* Adds to a list; the target is a `tally_select_t *` (made on first use). */
int plugin_config_pattern(const char *plugin, oconfig_item_t *ci, void *target);
/* Adds to a NULL-terminated list of strings, `char **`. */
int plugin_config_add_string(const char *plugin, oconfig_item_t *ci,
                             void *target);
void plugin_strings_free(char **list);
/* A number in a range; the target is a double. Not for a table as it is. */
int plugin_config_number(const char *plugin, oconfig_item_t *ci, double min,
                         double max, double *target);

/* One of some words, in any case; `words` ends with NULL, the target is an int
 * (or an enum) that receives the number of the word. */
int plugin_config_word(const char *plugin, oconfig_item_t *ci,
                       const char *const words[], void *target);

/* The name of an endpoint, which becomes a part of identifiers and of file
 * names: letters, digits and "_.-", at most 48 of them. */
int plugin_config_instance(const char *plugin, oconfig_item_t *ci,
                           void *target);

/* Logs `plugin plugin: KEY "VALUE": <why>` and returns -1. The values of a key
 * that sounds like a secret, and URLs with a user in them, are left out. */
int plugin_config_error(const char *plugin, const oconfig_item_t *ci,
                        const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- which daemon, which containers -------------------------------------- */

/* The options every plugin that watches containers has in common:
 * Endpoint, CertDir, Container, Image, Label, IgnoreSelected. */
typedef struct plugin_watch_s {
  char *endpoint_text;
  char *cert_dir;
  tally_endpoint_t endpoint; /* filled in by plugin_watch_finish */
  tally_select_t *names;
  tally_select_t *images;
  tally_select_t *labels; /* against "key=value" */
  bool ignore_selected;
} plugin_watch_t;

/* The lines for a table; `type` is the configuration struct, `member` its
 * plugin_watch_t. */
#define PLUGIN_WATCH_OPTIONS(type, member)                                     \
  {"Endpoint", plugin_config_string,                                           \
   offsetof(type, member) + offsetof(plugin_watch_t, endpoint_text)},          \
      {"CertDir", plugin_config_string,                                        \
       offsetof(type, member) + offsetof(plugin_watch_t, cert_dir)},           \
      {"Container", plugin_config_pattern,                                     \
       offsetof(type, member) + offsetof(plugin_watch_t, names)},              \
      {"Image", plugin_config_pattern,                                         \
       offsetof(type, member) + offsetof(plugin_watch_t, images)},             \
      {"Label", plugin_config_pattern,                                         \
       offsetof(type, member) + offsetof(plugin_watch_t, labels)},             \
  {                                                                            \
    "IgnoreSelected", plugin_config_bool,                                      \
        offsetof(type, member) + offsetof(plugin_watch_t, ignore_selected)     \
  }

/* Parses the endpoint (also when no option was given). */
int plugin_watch_finish(const char *plugin, plugin_watch_t *watch);
void plugin_watch_clear(plugin_watch_t *watch);

/* collectd's convention: with nothing selected everything is wanted; otherwise
 * what matches any pattern, or, with IgnoreSelected, everything else. */
bool plugin_watch_wants(const plugin_watch_t *watch,
                        const tally_container_t *container);
/* The same for what an event says of a container that inspect no longer
 * knows. */
bool plugin_watch_wants_event(const plugin_watch_t *watch,
                              const tally_event_t *event);

/* ---- our own container --------------------------------------------------- */

/* How a container is recognised as the one that collectd runs in. */
typedef struct plugin_own_s {
  char id[65];         /* "": we do not run in a container */
  char *const *images; /* prefixes of image names, NULL-terminated; borrowed */
} plugin_own_t;

/* `images` NULL takes the names under which the agent of the contract ran:
 * convox/agent and agent/agent. */
void plugin_own_init(plugin_own_t *own, char *const *images);
bool plugin_own_is(const plugin_own_t *own, const char *id, const char *image);

#endif
