/* SPDX-License-Identifier: MIT */
#ifndef TALLY_PROC_PROC_H
#define TALLY_PROC_PROC_H

/*
 * What the kernel tells about a container outside of its cgroup: network
 * interfaces, TCP connections, load. Everything through /proc/PID of one of its
 * processes or through netlink; nothing here talks to Docker.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/error.h"

/* ---- network interfaces: /proc/PID/net/dev, proc_net(5) ------------------ */

#define TALLY_INTERFACES_MAX 64

typedef struct tally_interface_s {
  char name[16];
  uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped;
  uint64_t tx_bytes, tx_packets, tx_errors, tx_dropped;
} tally_interface_t;

/* A namespace seen through one process. Keeps the file open: it stays attached
 * to the namespace, whatever becomes of the process. */
typedef struct tally_netns_s tally_netns_t;

/*
 * `proc` is the proc directory ("/proc", "/rootfs/proc"). `member`: a text that
 * must occur in the process's /proc/PID/cgroup, the container's id, so that a
 * reused PID is not taken for the container (NULL: not checked). NULL and *err:
 * the process has gone or is another one (ESRCH), or may not be looked at.
 * `keep` false (descriptor budget exhausted): the file is opened for each read
 * instead, and read only if it is still the same namespace.
 */
tally_netns_t *tally_netns_create(const char *proc, pid_t pid,
                                  const char *member, bool keep,
                                  tally_error_t *err);
void tally_netns_destroy(tally_netns_t *netns);

/* A number of the namespace: equal for containers that share one. Needs no
 * privilege. */
uint64_t tally_netns_id(const tally_netns_t *netns);
/* The same for a process of which nothing more is wanted (PID 1: the host's
 * own namespace); 0: unknown. */
uint64_t tally_netns_id_of(const char *proc, pid_t pid);

/* All interfaces but "lo". Returns their number (at most `max`; the rest is
 * cut off), or -1. No heap allocation. */
int tally_netns_interfaces(tally_netns_t *netns, tally_interface_t *interfaces,
                           size_t max, tally_error_t *err);

/* ---- TCP connections: sock_diag(7) --------------------------------------- */

/* Numbered as in the kernel's include/net/tcp_states.h. */
typedef enum tally_tcp_state_e {
  TALLY_TCP_ESTABLISHED = 1,
  TALLY_TCP_SYN_SENT,
  TALLY_TCP_SYN_RECV,
  TALLY_TCP_FIN_WAIT1,
  TALLY_TCP_FIN_WAIT2,
  TALLY_TCP_TIME_WAIT,
  TALLY_TCP_CLOSE,
  TALLY_TCP_CLOSE_WAIT,
  TALLY_TCP_LAST_ACK,
  TALLY_TCP_LISTEN,
  TALLY_TCP_CLOSING,
  TALLY_TCP_STATES
} tally_tcp_state_t;

const char *tally_tcp_state_name(tally_tcp_state_t state);

/* Counts the sockets per state, IPv4 and IPv6 together, over a netlink socket
 * that was opened inside the namespace by a thread made for that purpose (the
 * caller's thread never changes its namespace). 12 times cheaper than reading
 * /proc/PID/net/tcp, still some hundred µs. Needs CAP_SYS_ADMIN at first use.
 */
int tally_netns_tcp(tally_netns_t *netns, uint64_t counts[TALLY_TCP_STATES],
                    tally_error_t *err);

/* ---- the end of a process: pidfd_open(2) --------------------------------- */

/*
 * A descriptor that becomes readable (poll, epoll) the moment the process ends,
 * which is some milliseconds before its cgroup is removed. `pid` is a number of
 * our own pid namespace; `member` as above. The caller closes it. -1 and *err:
 * it has ended already or is another process (ESRCH), the kernel is older than
 * 5.3 (ENOSYS).
 */
int tally_process_watch(pid_t pid, const char *member, tally_error_t *err);

/* ---- load ---------------------------------------------------------------- */

/* Exponentially damped average of running and uninterruptible tasks over 1, 5
 * and 15 minutes, as in /proc/loadavg. */
typedef struct tally_load_s {
  double average[3];
  uint64_t last_ns; /* monotonic; 0: no sample yet */
} tally_load_t;

/* Takes one count of active tasks at a time. The first sample is the average.
 */
void tally_load_update(tally_load_t *load, uint64_t active, uint64_t now_ns);

/* Counts tasks per state: on v1 with one netlink request (taskstats
 * CGROUPSTATS_CMD_GET), which does not exist for v2, where the state of each
 * thread is read from /proc instead (at most TALLY_TASKS_MAX of them, evenly
 * chosen and scaled up). */
#define TALLY_TASKS_MAX 256
typedef struct tally_tasks_s tally_tasks_t;

tally_tasks_t *tally_tasks_create(const char *proc, tally_error_t *err);
void tally_tasks_destroy(tally_tasks_t *tasks);
/* `dir`: the container's directory in a v1 hierarchy (`version` 1) or in v2.
 * Running and uninterruptible tasks in *active. -1: not possible here. */
int tally_tasks_active(tally_tasks_t *tasks, const char *dir, int version,
                       uint64_t *active, tally_error_t *err);

/* ---- block devices ------------------------------------------------------- */

/* Name of a device number ("vda", "dm-0") from /sys/dev/block, looked up again
 * after a minute; falls back to "MAJOR-MINOR". The text lives as long as the
 * table. One thread at a time. */
typedef struct tally_devices_s tally_devices_t;
tally_devices_t *tally_devices_create(const char *rootfs);
void tally_devices_destroy(tally_devices_t *devices);
const char *tally_devices_name(tally_devices_t *devices, uint32_t major,
                               uint32_t minor);

#endif
