/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_SETTINGS_RULES_H
#define TALLY_SNMP_SETTINGS_RULES_H

/* The two lists of rules in the settings: thresholds of disks and of
 * containers. Each ends with a rule for all others, which is always there. */

#include "settings_words.h"

int tally_rules_default(tally_settings_t *settings); /* -1: out of memory */
void tally_rules_free(tally_settings_t *settings);

/* The directives disk and containerThreshold. */
int tally_rules_disk(tally_settings_t *settings, const tally_words_t *words,
                     tally_error_t *err);
int tally_rules_container(tally_settings_t *settings,
                          const tally_words_t *words, tally_error_t *err);

#endif
