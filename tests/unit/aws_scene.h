/* SPDX-License-Identifier: MIT */
#ifndef TALLY_TESTS_AWS_SCENE_H
#define TALLY_TESTS_AWS_SCENE_H

/*
 * Nothing of AWS but what a test sets up: an environment without its variables,
 * an empty home, a server for every endpoint.
 */

#include "aws/aws.h"
#include "aws/session_private.h" /* its clock can be moved */
#include "harbour.h"
#include "tree.h"
#include "unit.h"

typedef struct scene_s {
  tree_t home;
  harbour_t *harbour;
  tally_aws_session_t *session; /* NULL until scene_session() */
} scene_t;

int scene_setup(void **state);
int scene_teardown(void **state);

/* A variable until the end of the test; %-formatted. */
void scene_set(const char *name, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Makes a session (instead of the last one). Zero options are enough. */
tally_aws_session_t *scene_session(scene_t *scene, tally_aws_options_t options);
/* The path of a file of the home. */
const char *scene_path(const scene_t *scene, const char *name);

/* Keys there are, with this access key, and their source begins like this. */
void scene_expect(scene_t *scene, const char *access_key, const char *source);
/* There are none, and the message has both texts. */
void scene_expect_none(scene_t *scene, const char *text, const char *other);

/* RFC 3339, `seconds` from now. Static. */
const char *scene_time(int seconds);

/* What a container endpoint or the metadata service says: keys that live so
 * many seconds. Static. */
const char *scene_keys(const char *access_key, int life_s);

#endif
