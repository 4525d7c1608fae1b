/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_WATCH_PRIVATE_H
#define TALLY_SNMP_WATCH_PRIVATE_H

/*
 * What the files of the watcher share.
 *
 *   watch.c             the thread, other settings
 *   watch_pace.c        when it is time for a view
 *   watch_docker.c      one Engine: inventory, sampler, subscription, images
 *   watch_events.c      an event becomes a notice
 *   watch_containers.c  a sample becomes rows
 *   watch_node.c        the node and its disks become rows
 */

#include <pthread.h>
#include <stdatomic.h>

#include "alarms.h"
#include "container/sampler.h"
#include "docker/docker.h"
#include "node/facts.h"
#include "node/mounts.h"
#include "notices.h"
#include "settings.h"
#include "sinks.h"
#include "steady.h"
#include "view.h"
#include "watch.h"

/* ---- the thread ---------------------------------------------------------- */

typedef struct tally_watch_docker_s tally_watch_docker_t;

/* The rules of the containers in a view, in the order in which their rows were
 * added; their labels are not in the view. */
typedef struct tally_watch_rules_s {
  const tally_container_rule_t **of;
  size_t count, size;
  const tally_view_t *view;
  size_t next; /* where the next question is expected */
} tally_watch_rules_t;

struct tally_watch_s {
  tally_board_t *board;
  tally_notices_t *notices;
  pthread_t thread;
  bool started;

  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool stop, ended;          /* guarded by lock */
  tally_settings_t *pending; /* guarded by lock; NULL: nothing new */
  atomic_uint_fast64_t last_ns;

  /* The thread's own. */
  tally_settings_t *settings;
  tally_watch_docker_t *docker; /* changed with the lock held */
  tally_node_reader_t *node;
  tally_mounts_t *mounts;
  tally_sinks_t *sinks;
  tally_alarms_t *alarms;
  tally_steady_t *steady;
  tally_watch_rules_t rules;
  uint64_t generation; /* of the snapshot that was shown last */
  bool complained;     /* that there is no memory for a view */
};

/* When it is time for the next view: the interval is over, or a second has gone
 * by since the last one and Docker has news. Returns early if it is called. */
void tally_watch_wait_for_view(tally_watch_t *watch, uint64_t last_ns);
/* Until Docker's first list has come; a moment of patience saves a first view
 * without containers. */
void tally_watch_wait_for_list(tally_watch_t *watch);
/* Ends what the thread waits for; with the lock held. */
void tally_watch_call(tally_watch_t *watch);

/* ---- one Engine ---------------------------------------------------------- */

/* Nothing is waited for. Keeps a reference on the settings. NULL and *err: the
 * endpoint is no endpoint, out of memory or threads. */
tally_watch_docker_t *tally_watch_docker_open(tally_settings_t *settings,
                                              tally_notices_t *notices,
                                              tally_error_t *err);
void tally_watch_docker_close(tally_watch_docker_t *docker);

/* Whether these settings speak of the same Engine. */
bool tally_watch_docker_is_of(const tally_watch_docker_t *docker,
                              const tally_settings_t *settings);
/* Other settings for the same Engine. -1: the old ones stay. */
int tally_watch_docker_configure(tally_watch_docker_t *docker,
                                 tally_settings_t *settings,
                                 tally_error_t *err);

tally_inventory_t *tally_watch_docker_inventory(tally_watch_docker_t *docker);
tally_sampler_t *tally_watch_docker_sampler(tally_watch_docker_t *docker);

/* The Engine's part of the node's row; puts the notices when it was lost and
 * when it is back. */
void tally_watch_docker_show(tally_watch_docker_t *docker,
                             const tally_snapshot_t *snapshot,
                             tally_view_t *view);

/* ---- how many images it has ---------------------------------------------- */

typedef struct tally_watch_images_s tally_watch_images_t;

/* A thread ("tally-images") that asks once a minute while there is somebody to
 * ask, because the answer may take its time. */
tally_watch_images_t *tally_watch_images_create(tally_inventory_t *inventory,
                                                tally_error_t *err);
void tally_watch_images_destroy(tally_watch_images_t *images);
/* What is known; TALLY_UNKNOWN after the Engine was away. */
uint64_t tally_watch_images_count(tally_watch_images_t *images, bool reachable);

/* ---- events -------------------------------------------------------------- */

struct tally_lifecycle_s;

/* The notice of an event, if it is worth one. Subscription's thread. */
bool tally_watch_notice_of(struct tally_lifecycle_s *lifecycle,
                           const tally_settings_t *settings,
                           const tally_event_t *event,
                           const tally_container_t *container,
                           tally_notice_t *notice);

/* ---- rows ---------------------------------------------------------------- */

/* tally_rule_of_t with these rules as its data. */
const tally_container_rule_t *
tally_watch_rule_of(const tally_container_row_t *row, void *data);

/* Rows of a container and its interfaces. Last samples of those that have gone
 * give none. */
void tally_watch_show_container(const tally_container_sample_t *sample,
                                const tally_settings_t *settings,
                                tally_steady_t *steady,
                                tally_watch_rules_t *rules, tally_view_t *view);

void tally_watch_show_node(tally_node_reader_t *reader,
                           const tally_settings_t *settings,
                           tally_view_t *view);
void tally_watch_show_disks(tally_mounts_t *mounts, tally_view_t *view);
/* tally_mount_wanted_t with settings as its data. */
bool tally_watch_wants_mount(const char *point, const char *type, void *data);

/* Hundredths; not a number: TALLY_UNKNOWN. */
uint64_t tally_watch_hundredths(double value);

#endif
