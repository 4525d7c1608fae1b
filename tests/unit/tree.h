/* SPDX-License-Identifier: MIT */
#ifndef TALLY_TESTS_TREE_H
#define TALLY_TESTS_TREE_H

/*
 * A directory tree below $TMPDIR that looks like the root of a host.
 */

#include <stddef.h>

typedef struct tree_s {
  char root[64];
} tree_t;

/* Both fail the test on any error. */
void tree_create(tree_t *tree);
void tree_destroy(tree_t *tree); /* with everything in it */

/* Writes a file, making its directories. `path` begins with a slash. */
void tree_write(const tree_t *tree, const char *path, const char *text);
void tree_write_bytes(const tree_t *tree, const char *path, const void *data,
                      size_t len);
void tree_remove(const tree_t *tree, const char *path); /* recursively */

/* Path of a file that comes with the sources: $TALLY_SRCDIR/tests/unit/NAME. */
const char *tree_fixture(const char *name);

#endif
