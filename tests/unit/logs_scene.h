/* SPDX-License-Identifier: MIT */
#ifndef TALLY_TESTS_LOGS_SCENE_H
#define TALLY_TESTS_LOGS_SCENE_H

/*
 * A log reader, a daemon with logs (a quay that answers /logs), and what the
 * reader said.
 *
 * Logs are written as text: for each piece the stream ('o', 'e', or 'd' for the
 * daemon's own words), the seconds of its time, a blank and text in which '~'
 * stands for the newline, and ';' behind it. What was read looks the same,
 * without the newline.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "docker/logs.h"
#include "quay.h"

#define LOGS_CONTAINERS 512

typedef struct logs_scene_s logs_scene_t;

logs_scene_t *logs_open(void);
void logs_close(logs_scene_t *scene);
quay_t *logs_quay(logs_scene_t *scene);
tally_log_reader_t *logs_reader(logs_scene_t *scene);

/* Container `n` is created and started; the snapshot knows it at the return. */
void logs_start(logs_scene_t *scene, unsigned n);
/* The end of a run: of the streams that follow, of the container. */
void logs_die(logs_scene_t *scene, unsigned n);
/* The other way round: the snapshot knows it before any stream ends, which then
 * ends in time however slow the machine is. */
void logs_die_known(logs_scene_t *scene, unsigned n);
/* The container as the snapshot shows it; once its state is the wanted one. */
const tally_container_t *logs_container(logs_scene_t *scene, unsigned n,
                                        tally_container_state_t state);

/* Appends to the log of a container. */
void logs_write(logs_scene_t *scene, unsigned n, const char *pieces);
/* The same, but streams that follow now do not get it: they have lost it. */
void logs_write_behind(logs_scene_t *scene, unsigned n, const char *pieces);

/* As long as `hidden`, whoever asks since a time does not get what has been
 * written so far: it is in a compressed file. */
void logs_hide(logs_scene_t *scene, unsigned n, bool hidden);

/* Breaks what is open, in the middle of a piece that is sent as far as there is
 * room for half a header, a header, or half a piece. */
typedef enum logs_break_e {
  LOGS_BETWEEN,
  LOGS_IN_HEADER,
  LOGS_IN_PIECE,
} logs_break_t;
void logs_break(logs_scene_t *scene, logs_break_t where);

/* How the next requests for logs are answered, as long as `times` (-1: all). 0:
 * with the log, but with `body` (no frame) behind it if it is not NULL. */
void logs_refuse(logs_scene_t *scene, int times, int status, const char *body);

/* From the beginning, or behind a position. */
void logs_follow(logs_scene_t *scene, unsigned n, const char *from);
/* So many lines are taken from now on; SIZE_MAX: all. */
void logs_take(logs_scene_t *scene, unsigned n, size_t lines);

/* Waits until exactly these lines have come, and after "=" how it ended:
 * "o1 a;e2 b;=ended". Then looks for a moment whether anything else comes. */
void logs_expect(logs_scene_t *scene, unsigned n, const char *expected);
/* The position behind the last line. */
const char *logs_position(logs_scene_t *scene, unsigned n);

/* Requests for the log of a container whose query begins so. */
unsigned logs_requests(logs_scene_t *scene, unsigned n, const char *part);
/* Waits until so many streams are open. */
void logs_await_open(logs_scene_t *scene, size_t streams);
/* … so many lines were read, and no more. */
void logs_await_lines(logs_scene_t *scene, uint64_t lines);
tally_log_reader_stats_t logs_stats(logs_scene_t *scene);

#endif
