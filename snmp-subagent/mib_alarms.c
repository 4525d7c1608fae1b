/* SPDX-License-Identifier: MIT */
/* tallyAlarmTable. */
#include "config.h"

#include "mib_private.h"

static const tally_subid_t base[] = {1, 6, 1};

#define COLUMN(subid, name, syntax, member)                                    \
  TALLY_COLUMN(subid, name, syntax, tally_alarm_row_t, member)

static const tally_mib_column_t columns[] = {
    COLUMN(2, "tallyAlarmObject", TEXT, object),
    COLUMN(3, "tallyAlarmCause", TEXT, cause),
    COLUMN(4, "tallyAlarmLevel", INTEGER, level),
    COLUMN(5, "tallyAlarmSince", DATE, since_ns),
    COLUMN(6, "tallyAlarmText", TEXT, text),
};

const tally_mib_table_t tally_mib_alarms =
    TALLY_TABLE_OF(TALLY_TABLE_ALARMS, base, columns);
