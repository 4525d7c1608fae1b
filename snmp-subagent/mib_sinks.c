/* SPDX-License-Identifier: MIT */
/* tallySinkTable. */
#include "config.h"

#include "mib_private.h"

static const tally_subid_t base[] = {1, 5, 1};

#define COLUMN(subid, name, syntax, member)                                    \
  TALLY_COLUMN(subid, name, syntax, tally_sink_row_t, member)

static const tally_mib_column_t columns[] = {
    COLUMN(2, "tallySinkName", TEXT, name),
    COLUMN(3, "tallySinkAccepted", COUNTER64, accepted),
    COLUMN(4, "tallySinkSent", COUNTER64, sent),
    COLUMN(5, "tallySinkFailed", COUNTER64, failed),
    COLUMN(6, "tallySinkRetried", COUNTER64, retried),
    COLUMN(7, "tallySinkDropped", COUNTER64, dropped),
    COLUMN(8, "tallySinkQueued", COUNTER64, queued),
    COLUMN(9, "tallySinkSpooledBytes", COUNTER64, spooled_bytes),
    COLUMN(10, "tallySinkOldestAge", COUNTER64, oldest_age_ms),
    COLUMN(11, "tallySinkLastError", GAUGE, last_error),
    COLUMN(12, "tallySinkLastErrorText", TEXT, last_error_text),
    COLUMN(13, "tallySinkState", INTEGER, state),
};

const tally_mib_table_t tally_mib_sinks =
    TALLY_TABLE_OF(TALLY_TABLE_SINKS, base, columns);
