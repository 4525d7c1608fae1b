/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CONTAINER_SIGNAL_NAME_H
#define TALLY_CONTAINER_SIGNAL_NAME_H

/*
 * Signals as Docker tells them (a number in most versions, a name in some) and
 * as people read them. Contract: signal(7); the real-time signals are counted
 * from 34 as the Engine does, whatever this process' C library reserves.
 */

#define TALLY_SIGNAL_NAME_SIZE 16

/* "SIGTERM", "SIGRTMIN+3", or "signal 99" for a number that has no name. */
void tally_signal_name(int number, char name[TALLY_SIGNAL_NAME_SIZE]);

/* The number of "15", "TERM", "SIGTERM" or "SIGRTMIN+3"; 0 if it is none of
 * them. NULL is allowed. */
int tally_signal_number(const char *text);

#endif
