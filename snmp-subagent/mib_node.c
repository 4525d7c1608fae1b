/* SPDX-License-Identifier: MIT */
/* The scalars of the node. */
#include "config.h"

#include "mib_private.h"

static const tally_subid_t base[] = {1, 1};

#define COLUMN(subid, name, syntax, member)                                    \
  TALLY_COLUMN(subid, name, syntax, tally_node_row_t, member)

static const tally_mib_column_t columns[] = {
    COLUMN(1, "tallyNodeName", TEXT, name),
    COLUMN(2, "tallyNodeAgentVersion", TEXT, version),
    COLUMN(3, "tallyNodeHealth", INTEGER, health),
    COLUMN(4, "tallyNodeHealthReason", TEXT, health_reason),
    COLUMN(5, "tallyNodeHealthLastChange", DATE, health_changed_ns),
    COLUMN(6, "tallyNodeUptime", TICKS, boot_ns),
    COLUMN(7, "tallyNodeCpuPercent", GAUGE, cpu_percent),
    COLUMN(8, "tallyNodeCpus", GAUGE, cpus),
    COLUMN(9, "tallyNodeLoad1", GAUGE, load1),
    COLUMN(10, "tallyNodeLoad5", GAUGE, load5),
    COLUMN(11, "tallyNodeLoad15", GAUGE, load15),
    COLUMN(12, "tallyNodeMemoryTotal", COUNTER64, memory_total),
    COLUMN(13, "tallyNodeMemoryUsed", COUNTER64, memory_used),
    COLUMN(14, "tallyNodeMemoryAvailable", COUNTER64, memory_available),
    COLUMN(15, "tallyNodeSwapTotal", COUNTER64, swap_total),
    COLUMN(16, "tallyNodeSwapUsed", COUNTER64, swap_used),
    COLUMN(17, "tallyNodeProcesses", GAUGE, processes),
    COLUMN(18, "tallyDockerReachable", INTEGER, docker_reachable),
    COLUMN(19, "tallyDockerVersion", TEXT, docker_version),
    COLUMN(20, "tallyDockerApiVersion", TEXT, docker_api_version),
    COLUMN(21, "tallyDockerProblem", TEXT, docker_problem),
    COLUMN(22, "tallyDockerLastChange", DATE, docker_changed_ns),
    COLUMN(23, "tallyDockerImages", GAUGE, docker_images),
    COLUMN(24, "tallyContainersRunning", GAUGE, containers_running),
    COLUMN(25, "tallyContainersPaused", GAUGE, containers_paused),
    COLUMN(26, "tallyContainersRestarting", GAUGE, containers_restarting),
    COLUMN(27, "tallyContainersExited", GAUGE, containers_exited),
    COLUMN(28, "tallyContainersCreated", GAUGE, containers_created),
    COLUMN(29, "tallyContainersDead", GAUGE, containers_dead),
    COLUMN(30, "tallyContainersUnhealthy", GAUGE, containers_unhealthy),
    COLUMN(31, "tallySampleAge", TICKS, sample_ns),
    COLUMN(32, "tallySampleWallTime", GAUGE, sample_wall_us),
    COLUMN(33, "tallySampleCpuTime", GAUGE, sample_cpu_us),
    COLUMN(34, "tallySinksState", INTEGER, sinks_state),
    COLUMN(35, "tallySinksProblem", TEXT, sinks_problem),
    COLUMN(36, "tallyNotificationsSent", COUNTER64, notifications_sent),
    COLUMN(37, "tallyNotificationsSuppressed", COUNTER64,
           notifications_suppressed),
};

const tally_mib_table_t tally_mib_node =
    TALLY_TABLE_OF(TALLY_TABLE_NODE, base, columns);
