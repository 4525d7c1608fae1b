/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CONTAINER_NETWORKS_H
#define TALLY_CONTAINER_NETWORKS_H

#include "container/roster.h"

/*
 * Decides for each probe whether the interfaces of its namespace are counted
 * there. Of several containers that share a namespace it is the one that it was
 * made for (its network mode is not "container:…"), else the one with the
 * smallest id: the same one each time, whoever looks and in whatever order they
 * were started.
 */
void tally_networks_decide(tally_roster_t *roster);

#endif
