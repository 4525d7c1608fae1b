/* SPDX-License-Identifier: MIT */
#ifndef TALLY_PROC_NETDEV_H
#define TALLY_PROC_NETDEV_H

#include "proc/proc.h"

/*
 * The text of /proc/PID/net/dev: all interfaces but "lo", at most `max`. A last
 * line without its newline is not used, it may have been cut. Returns their
 * number; -1 if it is not such a text.
 */
int tally_netdev_parse(const char *text, size_t len,
                       tally_interface_t *interfaces, size_t max);

#endif
