/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_DOCKER_H
#define TALLY_DOCKER_DOCKER_H

/*
 * What the Docker Engine knows: containers and events.
 *
 * One *inventory* exists per endpoint and process, however many plugins ask
 * for it (acquire/release). Two threads of its own serve it:
 *
 *   tally-events   reads /events and does nothing else, so that the daemon
 *                  never has to wait for us (it drops events of slow readers);
 *   tally-docker   takes the events in order, inspects the containers they
 *                  concern, publishes a new snapshot, hands the events on.
 *
 * Readers take the current *snapshot*: immutable, reference counted, never a
 * wait for Docker. Consumers of events *subscribe*; each subscription has a
 * queue and a thread ("tally-sub") of its own, so a slow one delays nobody.
 *
 * The daemon may be absent, hang, restart, speak nonsense: the inventory keeps
 * the last state it knew, says so in the snapshot and connects again. It works
 * with Engine API 1.19 (Docker 1.7) and later; the version is negotiated.
 *
 * Contract: Docker Engine API, https://docs.docker.com/engine/api/ ,
 * /_ping, /version, /events, /containers/json, /containers/{id}/json,
 * /containers/{id}/update.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/* ---- endpoint ----------------------------------------------------------- */

/* Where a daemon listens. Plain memory with owned strings. */
typedef struct tally_endpoint_s {
  char *name;        /* canonical text, e.g. "unix:///var/run/docker.sock" */
  char *socket_path; /* unix:// only, otherwise NULL */
  char *base_url;    /* "http://localhost", "https://10.0.0.7:2376" */
  char *cert_dir;    /* ca.pem, cert.pem, key.pem; NULL: no client TLS */
  bool verify;       /* check the daemon's certificate and name */
} tally_endpoint_t;

/*
 * Understands unix://PATH, an absolute PATH, tcp://HOST:PORT, http://… and
 * https://… . NULL or "" takes DOCKER_HOST from the environment, and without it
 * unix:///var/run/docker.sock. tcp:// becomes https:// when `cert_dir` is given
 * or, with `cert_dir` NULL, when DOCKER_TLS_VERIFY is set (certificates from
 * DOCKER_CERT_PATH, default ~/.docker). Default ports: 2375, 2376 with TLS. A
 * `cert_dir` that is given must exist; of ca.pem, cert.pem and key.pem in it
 * those count that are there.
 * -1: *err names the text and what is wrong with it.
 */
int tally_endpoint_parse(tally_endpoint_t *endpoint, const char *text,
                         const char *cert_dir, tally_error_t *err);
void tally_endpoint_clear(tally_endpoint_t *endpoint);

/* ---- containers --------------------------------------------------------- */

typedef enum tally_container_state_e {
  TALLY_CONTAINER_UNKNOWN = 0,
  TALLY_CONTAINER_CREATED,
  TALLY_CONTAINER_RUNNING,
  TALLY_CONTAINER_PAUSED,
  TALLY_CONTAINER_RESTARTING,
  TALLY_CONTAINER_REMOVING,
  TALLY_CONTAINER_EXITED,
  TALLY_CONTAINER_DEAD,
  TALLY_CONTAINER_STATES /* how many there are */
} tally_container_state_t;

typedef enum tally_health_e {
  TALLY_HEALTH_NONE = 0, /* the image has no health check */
  TALLY_HEALTH_STARTING,
  TALLY_HEALTH_HEALTHY,
  TALLY_HEALTH_UNHEALTHY,
} tally_health_t;

/* "running", "healthy", …; never NULL. */
const char *tally_container_state_name(tally_container_state_t state);
const char *tally_health_name(tally_health_t health);

typedef struct tally_pair_s {
  const char *key;
  const char *value;
} tally_pair_t;

/*
 * One container as inspect showed it. Immutable; lives as long as somebody
 * holds a reference (every snapshot holds one). After a change there is a new
 * one, also after a change of limits, of which nothing stands here.
 */
typedef struct tally_container_s {
  char id[65];                /* 64 hex digits */
  const char *name;           /* without the leading slash */
  const char *image;          /* as the user wrote it: "redis:7" */
  const char *image_id;       /* "sha256:…" */
  const tally_pair_t *labels; /* sorted by key */
  size_t labels_count;
  const tally_pair_t *env; /* Config.Env split at the first '=' */
  size_t env_count;

  tally_container_state_t state;
  tally_health_t health;
  int pid;       /* first process in the host's pid namespace; 0: none */
  int exit_code; /* of the last run; meaningful once it has ended */
  bool oom_killed;
  int restart_count;
  uint64_t created_ns; /* since 1970; 0: unknown or never */
  uint64_t started_ns;
  uint64_t finished_ns;

  const char *network_mode; /* "default", "host", "container:<id>", … */
  const char *log_driver;
  uint64_t log_file_max; /* bytes, after which its log is rotated; 0: never, or
                            not known */
  unsigned log_files;    /* that its log is kept in; 0: not known */
  bool tty;
} tally_container_t;

/* NULL if there is none. */
const char *tally_container_label(const tally_container_t *c, const char *key);
const char *tally_container_env(const tally_container_t *c, const char *key);

/* A further reference, to keep a container beyond its snapshot. */
const tally_container_t *tally_container_ref(const tally_container_t *c);
void tally_container_unref(const tally_container_t *c);

/* ---- inventory and snapshots -------------------------------------------- */

typedef struct tally_inventory_s tally_inventory_t;

typedef struct tally_daemon_s {
  bool reachable;
  bool listed;          /* the containers have been listed at least once */
  uint64_t since_ns;    /* when `reachable` changed last; realtime */
  char version[32];     /* "20.10.24"; empty: never reached */
  char api_version[16]; /* the one we speak */
  char problem[256];    /* why it is not reachable */
} tally_daemon_t;

typedef struct tally_snapshot_s {
  uint64_t generation; /* grows with every change */
  tally_daemon_t daemon;
  size_t count;
  const tally_container_t *const *containers; /* sorted by id, all states */
} tally_snapshot_t;

/*
 * The inventory of an endpoint. The first acquire in the process starts its
 * threads (nothing is waited for), the last release stops and joins them. May
 * be called from any thread, also from a plugin's free function, but not from a
 * callback of a subscription. NULL and *err: out of memory or threads.
 */
tally_inventory_t *tally_inventory_acquire(const tally_endpoint_t *endpoint,
                                           tally_error_t *err);
void tally_inventory_release(tally_inventory_t *inventory);
/* A further reference, for somebody who has one. */
tally_inventory_t *tally_inventory_ref(tally_inventory_t *inventory);

/* The current state; never NULL, never blocks. Give it back with unref. */
const tally_snapshot_t *tally_inventory_snapshot(tally_inventory_t *inventory);
void tally_snapshot_unref(const tally_snapshot_t *snapshot);

/* By full id; NULL if it is not in the snapshot. Borrowed. */
const tally_container_t *tally_snapshot_find(const tally_snapshot_t *snapshot,
                                             const char *id);

/* Waits until the generation differs from `seen`; true if it does, false when
 * the time is over or tally_inventory_wake() was called. */
bool tally_inventory_wait(tally_inventory_t *inventory, uint64_t seen,
                          int timeout_ms);
/* Ends all present waits (somebody wants to stop a thread that waits). */
void tally_inventory_wake(tally_inventory_t *inventory);

/* Numbers about ourselves, since the inventory was made. */
typedef struct tally_inventory_stats_s {
  uint64_t events;            /* received, duplicates not counted */
  uint64_t events_duplicate;  /* seen before, dropped */
  uint64_t events_invalid;    /* not understood */
  uint64_t events_dropped;    /* lost because a queue was full, all queues */
  uint64_t events_reconciled; /* made up from what inspect said */
  uint64_t connects;          /* of the event stream */
  uint64_t inspects;
  uint64_t inspect_errors;
} tally_inventory_stats_t;
void tally_inventory_stats(tally_inventory_t *inventory,
                           tally_inventory_stats_t *stats);

/* ---- events -------------------------------------------------------------- */

typedef enum tally_event_origin_e {
  TALLY_EVENT_LIVE = 0,   /* the daemon sent it */
  TALLY_EVENT_REPLAYED,   /* the daemon sent it from its memory of the past */
  TALLY_EVENT_RECONCILED, /* the daemon forgot it; made from inspect */
  TALLY_EVENT_SCAN,       /* was so before this subscription first began */
} tally_event_origin_t;
const char *tally_event_origin_name(tally_event_origin_t origin);

typedef struct tally_event_s {
  const char *type;       /* "container", "image", "network", "volume", … */
  const char *action;     /* as sent: "start", "exec_create: ls -l", … */
  const char *actor_id;   /* container id, network id, image name, … */
  const char *actor_name; /* attribute "name", or "" */
  const char *image;      /* attribute "image", or "" */
  const tally_pair_t *attributes; /* Actor.Attributes, all of them */
  size_t attributes_count;
  uint64_t time_ns; /* the daemon's clock */
  tally_event_origin_t origin;
} tally_event_t;

/* NULL if the event has no such attribute. */
const char *tally_event_attribute(const tally_event_t *event, const char *key);

/*
 * A consumer of events.
 *
 * With a `state_dir` the subscription is durable: it remembers in
 * STATE_DIR/NAME.<hash of the endpoint>.events how far it came, so that a
 * restart of this process or of the daemon loses no event and repeats none.
 * What happened while nobody listened is replayed by the daemon, and what the
 * daemon has forgotten (it remembers 256 events, none across its own restart)
 * is made up from inspect: create, start and die of containers, each at most
 * once, in the right order per container. At the very first start running
 * containers are announced as `start` with origin SCAN, and exited ones are
 * noted without an event.
 *
 * Without a `state_dir` it begins now: SCAN events for running containers,
 * then what happens; gaps of the connection are closed in the same way, but
 * nothing is remembered beyond the process.
 *
 * Order: events of one container arrive in the order in which they happened;
 * events of the whole daemon in the order in which it sent them.
 */
typedef struct tally_subscription_options_s {
  const char *name;      /* file name part: [A-Za-z0-9_.-]+ */
  const char *state_dir; /* NULL: not durable; made if it is missing */
  size_t queue_bytes;    /* cap of the queue; 0: 8 MiB */
  /* Called in the subscription's thread. `container` is what was known when
   * the event happened; NULL for other types and where inspect came too late.
   * Both are borrowed for the call. */
  void (*on_event)(const tally_event_t *event,
                   const tally_container_t *container, void *data);
  void *data;
} tally_subscription_options_t;

typedef struct tally_subscription_s tally_subscription_t;

/* -1/NULL and *err: state directory not usable, out of memory. */
tally_subscription_t *
tally_inventory_subscribe(tally_inventory_t *inventory,
                          const tally_subscription_options_t *options,
                          tally_error_t *err);
/* Delivers nothing more, keeps the ledger, joins the thread. Not from inside
 * the callback. */
void tally_subscription_cancel(tally_subscription_t *subscription);

/* ---- requests ------------------------------------------------------------ */

/*
 * One request to the daemon outside the inventory, e.g. the update of limits:
 *   POST /containers/{id}/update   {"Memory":…}
 * Blocks the calling thread up to `timeout_ms`. `body` NULL: none. `path`
 * without the version ("/containers/…"). On success 0, and the answer (at most
 * 16 MiB, owned by the caller, may be NULL) in *answer. An HTTP status >= 400
 * is an error whose message is the daemon's own; err->code is then 0 and
 * *status is set.
 */
int tally_inventory_request(tally_inventory_t *inventory, const char *method,
                            const char *path, const char *body, int timeout_ms,
                            char **answer, int *status, tally_error_t *err);

#endif
