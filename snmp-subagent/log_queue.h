/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_LOG_QUEUE_H
#define TALLY_SNMP_LOG_QUEUE_H

/*
 * What the threads of the library have to say, on its way to the SNMP thread:
 * net-snmp's log may be used by one thread only. Bounded; what does not fit is
 * counted.
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/log.h"

/* Hands the library's log over to the queue. `wake` is called in the thread
 * that said something. */
void tally_log_queue_start(void (*wake)(void));

/* The SNMP thread: the next line; false: none. */
bool tally_log_queue_take(tally_log_level_t *level, char *text, size_t size);

#endif
