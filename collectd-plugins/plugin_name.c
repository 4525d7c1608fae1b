/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"

#include "plugin_name.h"

#include <inttypes.h>

#include "core/hash.h"
#include "core/text.h"
#include "core/utf8.h"

#define ID_DIGITS 12 /* of a container id: what docker ps shows */

/* Makes `name` fit to be a field of an identifier. Returns whether it had to be
 * changed. */
static bool sanitise(char *name) {
  bool changed = false;
  for (char *p = name; *p != '\0'; p++) {
    if (*p == '/' || (unsigned char)*p < ' ' || *p == 0x7f) {
      *p = '_';
      changed = true;
    }
  }
  return changed;
}

/* Puts "~" and ID_DIGITS of `id` behind the name, in place of its end if need
 * be. */
static void append_id(char *name, size_t size, const char *id) {
  char suffix[1 + ID_DIGITS + 1];
  snprintf(suffix, sizeof(suffix), "~%.*s", ID_DIGITS, id);
  size_t room = size - sizeof(suffix);
  size_t len = tally_utf8_cut(name, strlen(name), room);
  snprintf(name + len, size - len, "%s", suffix);
}

/* INSTANCE:NAME, or NAME. Returns whether all of it fitted. */
static bool join(char *field, size_t size, const char *instance,
                 const char *name, int name_length) {
  bool has_instance = instance != NULL && instance[0] != '\0';
  int len = snprintf(field, size, "%s%s%.*s", has_instance ? instance : "",
                     has_instance ? ":" : "", name_length, name);
  return len >= 0 && (size_t)len < size;
}

void plugin_name_container(char *field, size_t size, const char *instance,
                           const char *name, const char *id) {
  bool has_name = name != NULL && name[0] != '\0';
  bool fits = has_name ? join(field, size, instance, name, (int)size)
                       : join(field, size, instance, id, ID_DIGITS);
  if (sanitise(field) || !fits)
    append_id(field, size, id);
}

void plugin_name_thing(char *field, size_t size, const char *instance,
                       const char *name) {
  join(field, size, instance, name, (int)size);
  tally_text_tidy(field);
  sanitise(field);
}

void plugin_name_output(char field[PLUGIN_NAME_OUTPUT_SIZE],
                        const char *label) {
  bool fits = join(field, PLUGIN_NAME_OUTPUT_SIZE, NULL, label,
                   PLUGIN_NAME_OUTPUT_SIZE);
  tally_text_tidy(field);
  sanitise(field);
  if (fits)
    return;
  char hash[17];
  snprintf(hash, sizeof(hash), "%016" PRIx64, tally_hash(label, strlen(label)));
  append_id(field, PLUGIN_NAME_OUTPUT_SIZE, hash);
}

bool plugin_name_is_about_output(const notification_t *n, const char *label) {
  char field[PLUGIN_NAME_OUTPUT_SIZE];
  plugin_name_output(field, label);
  return strcmp(n->plugin, "tallyman") == 0 &&
         strcmp(n->plugin_instance, field) == 0;
}
