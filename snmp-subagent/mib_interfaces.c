/* SPDX-License-Identifier: MIT */
/* tallyContainerIfTable. */
#include "config.h"

#include "mib_private.h"

static const tally_subid_t base[] = {1, 4, 1};

#define COLUMN(subid, name, syntax, member)                                    \
  TALLY_COLUMN(subid, name, syntax, tally_interface_row_t, member)

static const tally_mib_column_t columns[] = {
    COLUMN(2, "tallyContainerIfContainer", TEXT, container),
    COLUMN(3, "tallyContainerIfName", TEXT, name),
    COLUMN(4, "tallyContainerIfRxBytes", COUNTER64, rx_bytes),
    COLUMN(5, "tallyContainerIfRxPackets", COUNTER64, rx_packets),
    COLUMN(6, "tallyContainerIfRxErrors", COUNTER64, rx_errors),
    COLUMN(7, "tallyContainerIfRxDropped", COUNTER64, rx_dropped),
    COLUMN(8, "tallyContainerIfTxBytes", COUNTER64, tx_bytes),
    COLUMN(9, "tallyContainerIfTxPackets", COUNTER64, tx_packets),
    COLUMN(10, "tallyContainerIfTxErrors", COUNTER64, tx_errors),
    COLUMN(11, "tallyContainerIfTxDropped", COUNTER64, tx_dropped),
};

const tally_mib_table_t tally_mib_interfaces =
    TALLY_TABLE_OF(TALLY_TABLE_INTERFACES, base, columns);
