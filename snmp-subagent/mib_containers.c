/* SPDX-License-Identifier: MIT */
/* tallyContainerTable. */
#include "config.h"

#include "mib_private.h"

static const tally_subid_t base[] = {1, 3, 1};

#define COLUMN(subid, name, syntax, member)                                    \
  TALLY_COLUMN(subid, name, syntax, tally_container_row_t, member)

static const tally_mib_column_t columns[] = {
    COLUMN(2, "tallyContainerName", TEXT, name),
    COLUMN(3, "tallyContainerId", TEXT, id),
    COLUMN(4, "tallyContainerImage", TEXT, image),
    COLUMN(5, "tallyContainerState", INTEGER, state),
    COLUMN(6, "tallyContainerHealth", INTEGER, health),
    COLUMN(7, "tallyContainerCreated", DATE, created_ns),
    COLUMN(8, "tallyContainerStarted", DATE, started_ns),
    COLUMN(9, "tallyContainerFinished", DATE, finished_ns),
    COLUMN(10, "tallyContainerExitCode", INTEGER, exit_code),
    COLUMN(11, "tallyContainerRestarts", GAUGE, restarts),
    COLUMN(12, "tallyContainerCpuTime", COUNTER64, cpu_time_us),
    COLUMN(13, "tallyContainerCpuUserTime", COUNTER64, cpu_user_us),
    COLUMN(14, "tallyContainerCpuSystemTime", COUNTER64, cpu_system_us),
    COLUMN(15, "tallyContainerCpuPercent", GAUGE, cpu_percent),
    COLUMN(16, "tallyContainerCpuLimit", GAUGE, cpu_limit),
    COLUMN(17, "tallyContainerCpuLimitPercent", GAUGE, cpu_limit_percent),
    COLUMN(18, "tallyContainerCpuPeriods", COUNTER64, cpu_periods),
    COLUMN(19, "tallyContainerCpuThrottled", COUNTER64, cpu_throttled),
    COLUMN(20, "tallyContainerCpuThrottledTime", COUNTER64, cpu_throttled_us),
    COLUMN(21, "tallyContainerMemoryUsed", COUNTER64, memory_used),
    COLUMN(22, "tallyContainerMemoryWorkingSet", COUNTER64, memory_working_set),
    COLUMN(23, "tallyContainerMemoryLimit", COUNTER64, memory_limit),
    COLUMN(24, "tallyContainerMemoryPercent", GAUGE, memory_percent),
    COLUMN(25, "tallyContainerMemorySwap", COUNTER64, memory_swap),
    COLUMN(26, "tallyContainerMemoryPageFaults", COUNTER64, memory_page_faults),
    COLUMN(27, "tallyContainerMemoryLimitHits", COUNTER64, memory_limit_hits),
    COLUMN(28, "tallyContainerMemoryOomKills", COUNTER64, memory_oom_kills),
    COLUMN(29, "tallyContainerNetwork", INTEGER, network),
    COLUMN(30, "tallyContainerRxBytes", COUNTER64, rx_bytes),
    COLUMN(31, "tallyContainerRxPackets", COUNTER64, rx_packets),
    COLUMN(32, "tallyContainerRxErrors", COUNTER64, rx_errors),
    COLUMN(33, "tallyContainerRxDropped", COUNTER64, rx_dropped),
    COLUMN(34, "tallyContainerTxBytes", COUNTER64, tx_bytes),
    COLUMN(35, "tallyContainerTxPackets", COUNTER64, tx_packets),
    COLUMN(36, "tallyContainerTxErrors", COUNTER64, tx_errors),
    COLUMN(37, "tallyContainerTxDropped", COUNTER64, tx_dropped),
    COLUMN(38, "tallyContainerReadBytes", COUNTER64, read_bytes),
    COLUMN(39, "tallyContainerWriteBytes", COUNTER64, write_bytes),
    COLUMN(40, "tallyContainerReadOps", COUNTER64, read_ops),
    COLUMN(41, "tallyContainerWriteOps", COUNTER64, write_ops),
    COLUMN(42, "tallyContainerThreads", GAUGE, threads),
    COLUMN(43, "tallyContainerThreadsLimit", GAUGE, threads_limit),
    COLUMN(44, "tallyContainerProcesses", GAUGE, processes),
    COLUMN(45, "tallyContainerCpuSome", GAUGE, cpu_some),
    COLUMN(46, "tallyContainerCpuFull", GAUGE, cpu_full),
    COLUMN(47, "tallyContainerMemorySome", GAUGE, memory_some),
    COLUMN(48, "tallyContainerMemoryFull", GAUGE, memory_full),
    COLUMN(49, "tallyContainerIoSome", GAUGE, io_some),
    COLUMN(50, "tallyContainerIoFull", GAUGE, io_full),
    COLUMN(51, "tallyContainerLevel", INTEGER, level),
};

const tally_mib_table_t tally_mib_containers =
    TALLY_TABLE_OF(TALLY_TABLE_CONTAINERS, base, columns);
