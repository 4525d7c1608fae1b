/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_MIB_PRIVATE_H
#define TALLY_SNMP_MIB_PRIVATE_H

/* How the files with the columns are written. */

#include "mib.h"

/* One column: its sub-identifier, name, syntax and the member of the row. */
#define TALLY_COLUMN(subid_, name_, syntax_, row_type, member)                 \
  {                                                                            \
    .subid = (subid_), .name = (name_), .syntax = TALLY_SYNTAX_##syntax_,      \
    .field = offsetof(row_type, member)                                        \
  }

#define TALLY_TABLE_OF(table_, base_, columns_)                                \
  {                                                                            \
    .table = (table_), .base = (base_),                                        \
    .base_length = sizeof(base_) / sizeof((base_)[0]), .columns = (columns_),  \
    .columns_count = sizeof(columns_) / sizeof((columns_)[0])                  \
  }

extern const tally_mib_table_t tally_mib_node;
extern const tally_mib_table_t tally_mib_disks;
extern const tally_mib_table_t tally_mib_containers;
extern const tally_mib_table_t tally_mib_interfaces;
extern const tally_mib_table_t tally_mib_sinks;
extern const tally_mib_table_t tally_mib_alarms;

/* The value of one member of a row; false: it is not known. */
bool tally_mib_value(const tally_mib_column_t *column, const tally_row_t *row,
                     tally_mib_value_t *value);

#endif
