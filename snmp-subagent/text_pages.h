/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_TEXT_PAGES_H
#define TALLY_SNMP_TEXT_PAGES_H

/*
 * Gives back the pages of program text and constants that only the start
 * needed: of the dozens of libraries behind libcurl and net-snmp most is never
 * touched again, and yet it is four fifths of what the process has resident.
 * Whatever is needed after all comes back from the page cache by itself.
 *
 * Only mappings that nobody can have written to: read-only segments of objects
 * without text relocations. Any thread, any number of times.
 */
void tally_text_pages_give_back(void);

#endif
