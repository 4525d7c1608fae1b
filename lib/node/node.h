/* SPDX-License-Identifier: MIT */
#ifndef TALLY_NODE_NODE_H
#define TALLY_NODE_NODE_H

/*
 * Who this node is, and who its containers are to the outside.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

#define TALLY_UUID_SIZE 37 /* canonical text with its NUL */

/*
 * The identity that a container keeps across restarts: UUID version 5
 * (RFC 9562) of "/docker/" + full id in the namespace
 * 12345678-1234-5678-1234-567812345678. Lower case.
 */
void tally_node_container_fingerprint(const char *container_id,
                                      char uuid[TALLY_UUID_SIZE]);

/*
 * What all containers of one host have in common: the first readable,
 * non-empty first line of product_uuid, system-id, vm,uuid or machine-id below
 * `rootfs`. Returns -1 if there is none of them.
 */
int tally_node_system_uuid(const char *rootfs, char *uuid, size_t size,
                           tally_error_t *err);

/*
 * The container in which this process itself runs, 64 hex digits, or "" on the
 * host: from /proc/self/cgroup and, with a private cgroup namespace, from the
 * files that Docker mounts from /var/lib/docker/containers/ID. Independent of
 * the host name, so it also holds with --net host or --hostname.
 */
void tally_node_own_container(char id[65]);

/* CPUs that are online, and bytes of memory; 0 if unknown. */
unsigned tally_node_cpus(void);
uint64_t tally_node_memory_total(const char *rootfs);

#endif
