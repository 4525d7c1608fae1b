/* SPDX-License-Identifier: MIT */
/* tallyDiskTable. */
#include "config.h"

#include "mib_private.h"

static const tally_subid_t base[] = {1, 2, 1};

#define COLUMN(subid, name, syntax, member)                                    \
  TALLY_COLUMN(subid, name, syntax, tally_disk_row_t, member)

static const tally_mib_column_t columns[] = {
    COLUMN(2, "tallyDiskMount", TEXT, mount),
    COLUMN(3, "tallyDiskDevice", TEXT, device),
    COLUMN(4, "tallyDiskType", TEXT, type),
    COLUMN(5, "tallyDiskTotal", COUNTER64, total),
    COLUMN(6, "tallyDiskUsed", COUNTER64, used),
    COLUMN(7, "tallyDiskAvailable", COUNTER64, available),
    COLUMN(8, "tallyDiskPercent", GAUGE, percent),
    COLUMN(9, "tallyDiskInodes", COUNTER64, inodes),
    COLUMN(10, "tallyDiskInodesUsed", COUNTER64, inodes_used),
    COLUMN(11, "tallyDiskInodesPercent", GAUGE, inodes_percent),
    COLUMN(12, "tallyDiskReadOnly", INTEGER, read_only),
    COLUMN(13, "tallyDiskAnswering", INTEGER, answering),
    COLUMN(14, "tallyDiskLevel", INTEGER, level),
};

const tally_mib_table_t tally_mib_disks =
    TALLY_TABLE_OF(TALLY_TABLE_DISKS, base, columns);
