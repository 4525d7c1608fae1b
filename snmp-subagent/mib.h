/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_MIB_H
#define TALLY_SNMP_MIB_H

/*
 * TALLYMAN-MIB as a function of a view: object identifier in, value out.
 *
 * Knows no net-snmp and does no I/O. The columns of a table stand in one array
 * per table (mib_node.c, mib_disks.c, …): sub-identifier, name, syntax and the
 * field of the row. Everything else is generic, so a new object is a line in
 * the MIB, a field in view.h and a line in the array; a test holds the three
 * together.
 *
 * Identifiers here are relative to the module's root arc (of which
 * TALLYMAN_ROOT_OID in config.h is the only mention): 1.3.1.4.<index> is
 * tallyContainerState of a container.
 *
 * Contract: RFC 2578 (SMIv2), RFC 3416 section 4.2 (GET, GETNEXT and their
 * exceptions).
 */

#include "view.h"

typedef enum tally_syntax_e {
  TALLY_SYNTAX_INTEGER = 1, /* Integer32, enumerations, TruthValue */
  TALLY_SYNTAX_GAUGE,       /* Gauge32, Unsigned32; a number above 2^32-1 is
                               shown as 2^32-1 (RFC 2578, 7.1.7) */
  TALLY_SYNTAX_COUNTER64,   /* Counter64 and CounterBasedGauge64 */
  TALLY_SYNTAX_TICKS,       /* TimeTicks: hundredths of a second between the
                               field (realtime ns) and now */
  TALLY_SYNTAX_DATE,        /* DateAndTime, UTC, 11 octets; the field in ns */
  TALLY_SYNTAX_TEXT,        /* SnmpAdminString, at most 255 octets */
} tally_syntax_t;

typedef struct tally_mib_column_s {
  tally_subid_t subid;
  const char *name; /* the object's descriptor in the MIB */
  tally_syntax_t syntax;
  size_t field; /* offset in the row: uint64_t, TEXT: const char * */
} tally_mib_column_t;

typedef struct tally_mib_table_s {
  tally_table_t table;
  const tally_subid_t *base; /* relative to the root, of the entry (tables) or
                                of the group (scalars) */
  size_t base_length;
  const tally_mib_column_t *columns; /* sorted by subid, accessible ones only */
  size_t columns_count;
} tally_mib_table_t;

/* All of them, sorted by base. */
extern const tally_mib_table_t *const tally_mib_tables[];
extern const size_t tally_mib_tables_count;

typedef struct tally_mib_value_s {
  tally_syntax_t syntax;
  uint64_t number;  /* all but TEXT and DATE */
  const char *text; /* TEXT, DATE; borrowed from the view or from `octets` */
  size_t text_length;
  char octets[11];
} tally_mib_value_t;

typedef enum tally_mib_status_e {
  TALLY_MIB_FOUND = 0,
  TALLY_MIB_NO_SUCH_OBJECT,   /* no such column or scalar */
  TALLY_MIB_NO_SUCH_INSTANCE, /* no such row, or its value is not known */
} tally_mib_status_t;

/* The value of exactly this identifier. `view` NULL: nothing is known yet. */
tally_mib_status_t tally_mib_get(const tally_view_t *view,
                                 const tally_subid_t *oid, size_t length,
                                 tally_mib_value_t *value);

#define TALLY_MIB_OID_MAX 128

/*
 * The first value behind this identifier in lexicographic order, holes skipped.
 * `next` has room for TALLY_MIB_OID_MAX sub-identifiers and may be `oid`
 * itself. false: this is the end of the MIB. The cost is that of two binary
 * searches, whatever the number of rows, and a look at each hole.
 */
bool tally_mib_next(const tally_view_t *view, const tally_subid_t *oid,
                    size_t length, tally_subid_t *next, size_t *next_length,
                    tally_mib_value_t *value);

/* Negative, 0, positive, as the identifiers compare in SNMP. */
int tally_mib_compare(const tally_subid_t *a, size_t a_length,
                      const tally_subid_t *b, size_t b_length);

#endif
