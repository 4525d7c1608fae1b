/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CGROUP_CGROUP_H
#define TALLY_CGROUP_CGROUP_H

/*
 * Control groups: which hierarchies the host has, where a container lives in
 * them, what the kernel counts there, and which limits it is given.
 *
 * Works per controller, so v1, v2 and hybrid hosts, cpu and cpuacct mounted
 * together or apart, the cgroupfs and the systemd driver, --cgroup-parent,
 * /cgroup (Amazon Linux), /cgroups (CentOS 6) and a RootFS prefix are all the
 * same case: mount points come from mountinfo, paths from /proc/PID/cgroup.
 *
 * Contract: Documentation/admin-guide/cgroup-v1/ and cgroup-v2.rst of the
 * kernel; cgroups(7).
 *
 * Threads: a host object is immutable after it was made. Readers and limits
 * belong to one thread at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/file.h" /* TALLY_UNKNOWN, TALLY_UNLIMITED */

/* ---- hierarchies --------------------------------------------------------- */

typedef enum tally_controller_e {
  TALLY_CONTROLLER_CPU = 0,
  TALLY_CONTROLLER_CPUACCT, /* v2: the same directory as CPU */
  TALLY_CONTROLLER_CPUSET,
  TALLY_CONTROLLER_MEMORY,
  TALLY_CONTROLLER_IO, /* v1: blkio */
  TALLY_CONTROLLER_PIDS,
  TALLY_CONTROLLER_UNIFIED, /* not a controller: the v2 directory itself, for
                               the pressure files that v1 does not have */
  TALLY_CONTROLLERS
} tally_controller_t;

const char *tally_controller_name(tally_controller_t controller);

typedef struct tally_cgroup_host_s tally_cgroup_host_t;

/*
 * Reads /proc/self/mountinfo. With a `rootfs` prefix ("" or NULL: none), where
 * this process runs in a container itself, the mounts below the prefix count,
 * and what is not among them is looked for where <rootfs>/proc/1/mountinfo (the
 * host's view) and our own mount points say, both with the prefix put in front.
 * NULL and *err: no cgroup hierarchy found.
 */
tally_cgroup_host_t *tally_cgroup_host_create(const char *rootfs,
                                              tally_error_t *err);
void tally_cgroup_host_destroy(tally_cgroup_host_t *host);

const char *tally_cgroup_host_rootfs(const tally_cgroup_host_t *host);
/* 1, 2, or 0 where the host does not have the controller. */
int tally_cgroup_host_version(const tally_cgroup_host_t *host,
                              tally_controller_t controller);
/* "v1", "v2" or "hybrid". */
const char *tally_cgroup_host_mode(const tally_cgroup_host_t *host);
/* What an operator can do about controllers that are missing, one line
 * ("memory accounting is off: boot with cgroup_enable=memory swapaccount=1"),
 * or NULL if all are there. Lives as long as the host object. */
const char *tally_cgroup_host_hint(const tally_cgroup_host_t *host);

/* ---- where a container lives --------------------------------------------- */

/* The directory of a container per controller (host paths including the
 * RootFS prefix); NULL where there is none. Owned strings. */
typedef struct tally_cgroup_paths_s {
  char *dir[TALLY_CONTROLLERS];
  int version[TALLY_CONTROLLERS]; /* 1, 2; 0 with dir NULL */
} tally_cgroup_paths_t;

/*
 * Finds the cgroup of container `id` (64 hex digits) through /proc/PID/cgroup.
 * A path counts only if one of its components contains the id, which makes a
 * reused PID harmless; that component is the container's directory, also where
 * an init system inside the container has moved itself further down. If the
 * process has gone already (or `pid` is 0), the usual places of Docker are
 * tried (docker/ID, system.slice/docker-ID.scope and wherever an earlier
 * container of this host lived). -1, err->code ENOENT: it has no cgroup (any
 * more). May be called by several threads at a time.
 */
int tally_cgroup_locate(tally_cgroup_host_t *host, int pid, const char *id,
                        tally_cgroup_paths_t *paths, tally_error_t *err);
void tally_cgroup_paths_clear(tally_cgroup_paths_t *paths);

/* ---- what the kernel counts ---------------------------------------------- */

#define TALLY_CGROUP_DEVICES_MAX 32

typedef struct tally_cgroup_device_s {
  uint32_t major, minor;
  uint64_t read_bytes, write_bytes; /* since the cgroup was made */
  uint64_t read_ops, write_ops;
} tally_cgroup_device_t;

/* Stall information of one resource (PSI). */
typedef struct tally_pressure_s {
  double some_avg10, full_avg10;         /* percent; NAN: unknown */
  uint64_t some_total_us, full_total_us; /* µs since the cgroup was made */
} tally_pressure_t;

typedef enum tally_resource_e {
  TALLY_RESOURCE_CPU = 0,
  TALLY_RESOURCE_MEMORY,
  TALLY_RESOURCE_IO,
  TALLY_RESOURCES
} tally_resource_t;

/*
 * One sample. Every number that the kernel did not give is TALLY_UNKNOWN (NAN
 * for doubles); limits may be TALLY_UNLIMITED. Units: ns, bytes, counts.
 * Memory covers the cgroup and all below it (v1: the total_ keys).
 */
typedef struct tally_cgroup_sample_s {
  /* cpu */
  uint64_t cpu_usage_ns, cpu_user_ns, cpu_system_ns;
  uint64_t cpu_periods, cpu_throttled, cpu_throttled_ns;
  uint64_t cpu_quota_us; /* per period; TALLY_UNLIMITED */
  uint64_t cpu_period_us;
  uint64_t cpuset_cpus; /* how many CPUs it may use */

  /* memory */
  uint64_t memory_usage;             /* v1 usage_in_bytes, v2 memory.current */
  uint64_t memory_anon, memory_file; /* v1: rss, cache */
  uint64_t memory_active_anon, memory_inactive_anon;
  uint64_t memory_active_file, memory_inactive_file;
  uint64_t memory_kernel; /* v1 kmem.usage; v2 "kernel" or its parts */
  uint64_t memory_shmem;
  uint64_t memory_swap;
  uint64_t memory_limit;      /* v1: the lowest of it and its parents */
  uint64_t memory_swap_limit; /* swap alone, also on v1 */
  uint64_t memory_page_faults, memory_major_page_faults;
  uint64_t memory_limit_hits; /* v1 failcnt; v2 memory.events max */
  uint64_t memory_oom_kills;

  tally_pressure_t pressure[TALLY_RESOURCES];

  /* block I/O */
  tally_cgroup_device_t devices[TALLY_CGROUP_DEVICES_MAX];
  size_t devices_count;
  uint64_t devices_ignored; /* that did not fit */
  bool devices_known;       /* an empty list is a true answer */

  /* tasks */
  uint64_t threads;       /* pids.current */
  uint64_t threads_limit; /* pids.max */
  uint64_t processes;     /* lines of cgroup.procs */

  bool at_rest; /* no task of it ran since the sample before this one */
} tally_cgroup_sample_t;

/* How many descriptors all readers together may keep open. Beyond it a file is
 * opened for each read, which is slower and loses nothing. Set once at start;
 * default: three quarters of the soft RLIMIT_NOFILE at the first open. */
void tally_cgroup_set_descriptor_budget(unsigned descriptors);
unsigned tally_cgroup_descriptors_in_use(void);
/* Takes one descriptor out of the budget for something else that is kept open
 * per container; false: there is none left. Thread safe, like give. */
bool tally_cgroup_descriptor_take(void);
void tally_cgroup_descriptor_give(void);
/* Raises the soft limit of open files to the hard one; returns it. */
unsigned tally_cgroup_raise_descriptor_limit(void);

/* Keeps the files of one container open and reads them with pread(2). */
typedef struct tally_cgroup_reader_s tally_cgroup_reader_t;

/* What nobody wants to know need not be read. */
typedef enum tally_cgroup_without_e {
  TALLY_CGROUP_WITHOUT_PRESSURE = 1,
  TALLY_CGROUP_WITHOUT_BLOCK_IO = 2,
} tally_cgroup_without_t;

/* Opens what exists; files that do not exist, and those of `without` (0 or an
 * OR of the above), stay unknown. Takes copies of the paths. NULL: out of
 * memory. */
tally_cgroup_reader_t *
tally_cgroup_reader_create(const tally_cgroup_paths_t *paths, unsigned without,
                           tally_error_t *err);
void tally_cgroup_reader_destroy(tally_cgroup_reader_t *reader);

typedef enum tally_cgroup_status_e {
  TALLY_CGROUP_READ = 0, /* sample filled in */
  TALLY_CGROUP_GONE = 1, /* the cgroup was removed (ENODEV); sample untouched */
} tally_cgroup_status_t;

typedef enum tally_cgroup_how_e {
  TALLY_CGROUP_REFRESH = 1,  /* the limits too */
  TALLY_CGROUP_CONTINUE = 2, /* *sample is what this reader filled in last */
} tally_cgroup_how_t;

/*
 * Reads all files into *sample; `how` is 0 or an OR of the above.
 *
 * Limits (quota, pids limit, cpuset, on v2 also memory) change rarely: they are
 * read again when asked for, when this library wrote a limit of the container,
 * or after a minute, and are repeated otherwise. With CONTINUE, a container
 * whose tasks have not run since the last sample is not read but for what tells
 * so, for half a minute at most: nothing else has changed (rest.h says why). A
 * file that cannot be read or understood leaves its own numbers unknown and
 * nothing else; the first such file of this read is in *err (code != 0), which
 * stays untouched if all is well. The caller sees to it that this makes one log
 * line and not one per read. Makes no heap allocation.
 */
tally_cgroup_status_t tally_cgroup_reader_read(tally_cgroup_reader_t *reader,
                                               unsigned how,
                                               tally_cgroup_sample_t *sample,
                                               tally_error_t *err);

/* ---- limits -------------------------------------------------------------- */

typedef enum tally_limit_e {
  TALLY_LIMIT_MEMORY_MAX = 0, /* bytes; v1 limit_in_bytes, v2 memory.max */
  TALLY_LIMIT_MEMORY_HIGH, /* bytes; v1 soft_limit_in_bytes, v2 memory.high */
  TALLY_LIMIT_SWAP_MAX,    /* bytes of swap alone; v1 memsw = memory + swap */
  TALLY_LIMIT_CPU_WEIGHT,  /* 1…10000, v2 scale; v1: converted to shares */
  TALLY_LIMIT_CPU_MAX,     /* 1/1000 of a core; quota over a 100 ms period */
  TALLY_LIMIT_PIDS_MAX,
  TALLY_LIMIT_IO_WEIGHT, /* 1…10000, v2 scale; converted for BFQ and v1 */
  TALLY_LIMITS
} tally_limit_t;

/* "memory.max", "cpu.weight", …: how it is called in options and messages. */
const char *tally_limit_name(tally_limit_t limit);

/* What somebody wants: TALLY_UNKNOWN leaves a limit as it is. */
typedef struct tally_limits_s {
  uint64_t value[TALLY_LIMITS];
} tally_limits_t;
void tally_limits_init(tally_limits_t *limits); /* everything unknown */

/*
 * What is told to the Engine for a weight of v2 (1…10000). CpuShares: as the
 * kernel's scheduler itself equates them, 100 is 1024; this is also what
 * tally_cgroup_apply writes on v1. BlkioWeight: the least value that the OCI
 * runtimes map to that io.weight on v2.
 */
uint64_t tally_cgroup_cpu_shares(uint64_t weight);
uint64_t tally_cgroup_blkio_weight(uint64_t weight);

/* One file that was written (or would be), for the audit. */
typedef struct tally_limit_change_s {
  tally_limit_t limit;
  char file[64];   /* "memory.memsw.limit_in_bytes" */
  char before[64]; /* what the kernel showed before; "" if unreadable */
  char wanted[64]; /* what was written */
  char after[64];  /* what the kernel shows now */
  int code;        /* 0, or the errno the kernel refused with */
  bool changed;    /* before differs from after */
  bool verified;   /* after is what was wanted (page rounding allowed) */
} tally_limit_change_t;

#define TALLY_LIMIT_CHANGES_MAX 16

/*
 * Writes the wanted limits below `paths` and reads each one back.
 *
 * Files are opened relative to the container's own directory, without following
 * links, and only if the name of that directory contains a container's id. A
 * file that shows the wanted value already is not written. One refusal does not
 * stop the next file. `dry_run` reads and reports only.
 *
 * v1 keeps limit <= memsw at all times, so memsw is written first when it is
 * raised (memsw, soft limit, limit) and last when it is lowered. A memory limit
 * that changes without a word about swap takes memsw with it, so that the room
 * for swap stays the same. A limit of swap without one of memory does not exist
 * there: EINVAL.
 *
 * Weights of block I/O go to each of io.weight and io.bfq.weight (v1:
 * blkio.weight, blkio.bfq.weight) that exists, on its own scale, default to
 * default: 100 of v2 is 100 of BFQ and 500 of blkio.weight.
 *
 * Returns how many files failed or show something else afterwards (0: all
 * well); the changes, in the order of writing, in changes[0 … *count-1]. A
 * controller or a file that is not there is one change with ENOENT.
 */
int tally_cgroup_apply(const tally_cgroup_paths_t *paths,
                       const tally_limits_t *limits, bool dry_run,
                       tally_limit_change_t changes[TALLY_LIMIT_CHANGES_MAX],
                       size_t *count);

/*
 * Puts back what stood in files before they were written: `originals` are
 * changes of tally_cgroup_apply in the order of writing, of which limit, file
 * and before are used. Works backwards, so that the kernel accepts each step,
 * and tries a second time what was refused at first. Same safety, same result
 * and same `changes` as tally_cgroup_apply; a file whose `before` is empty is
 * left alone.
 */
int tally_cgroup_restore(const tally_cgroup_paths_t *paths,
                         const tally_limit_change_t *originals,
                         size_t originals_count, bool dry_run,
                         tally_limit_change_t changes[TALLY_LIMIT_CHANGES_MAX],
                         size_t *count);

#endif
