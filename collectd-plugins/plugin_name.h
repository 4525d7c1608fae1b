/* SPDX-License-Identifier: MIT */
#ifndef PLUGIN_NAME_H
#define PLUGIN_NAME_H

/*
 * How containers and other things are called in identifiers, the same in every
 * plugin. A field of an identifier has neither slashes (the daemon turns them
 * into '_') nor control characters and at most DATA_MAX_NAME_LEN - 1 bytes.
 *
 * `instance` is the option Instance of the endpoint, NULL or "" without one;
 * with one, names read INSTANCE:NAME. Include after collectd's headers.
 */

/* A container by its name, or by the first digits of its id if it has none. A
 * name that had to be changed or cut ends with "~" and those digits, lest two
 * containers become one. */
void plugin_name_container(char *field, size_t size, const char *instance,
                           const char *name, const char *id);

/* Anything else: what does not fit is replaced or cut. */
void plugin_name_thing(char *field, size_t size, const char *instance,
                       const char *name);

/* An output by its label. libcollectdclient, through which the SNMP subagent
 * asks for its numbers, knows fields of 63 bytes at most: a longer one ends
 * with "~" and a hash of the whole. */
#define PLUGIN_NAME_OUTPUT_SIZE 64
void plugin_name_output(char field[PLUGIN_NAME_OUTPUT_SIZE], const char *label);
/* Whether it is a notification about that output. Outputs do not carry those
 * about themselves: one that is lost would be reported by another, and so on.
 */
bool plugin_name_is_about_output(const notification_t *n, const char *label);

#endif
