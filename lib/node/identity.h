/* SPDX-License-Identifier: MIT */
#ifndef TALLY_NODE_IDENTITY_H
#define TALLY_NODE_IDENTITY_H

#include "node/node.h"

/* tally_node_own_container for a directory like /proc/self. */
void tally_node_find_own_container(const char *proc_self, char id[65]);

#endif
