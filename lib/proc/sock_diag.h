/* SPDX-License-Identifier: MIT */
#ifndef TALLY_PROC_SOCK_DIAG_H
#define TALLY_PROC_SOCK_DIAG_H

#include "proc/proc.h"

/* A NETLINK_SOCK_DIAG socket inside the network namespace `ns_fd`
 * (/proc/PID/ns/net), made by a thread of its own that enters the namespace and
 * ends there. -1 and *err. */
int tally_sock_diag_open(int ns_fd, tally_error_t *err);

/* Counts TCP sockets, IPv4 and IPv6, by state. -1 and *err. */
int tally_sock_diag_count(int fd, uint64_t counts[TALLY_TCP_STATES],
                          tally_error_t *err);

/* Counts what one datagram of an answer contains. 1: it was the last one, 0:
 * more follow, negative: -errno. Bytes from the kernel, but checked all the
 * same. */
int tally_sock_diag_parse(const void *datagram, size_t len,
                          uint64_t counts[TALLY_TCP_STATES]);

#endif
