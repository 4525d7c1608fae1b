/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tree.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

void tree_create(tree_t *tree) {
  const char *tmp = getenv("TMPDIR");
  int n = snprintf(tree->root, sizeof(tree->root), "%s/tally-tree-XXXXXX",
                   tmp && strlen(tmp) < 40 ? tmp : "/tmp");
  assert_true(n > 0 && (size_t)n < sizeof(tree->root));
  assert_non_null(mkdtemp(tree->root));
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *ftw) {
  return remove(path);
}

static void remove_all(const char *path) {
  assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void tree_destroy(tree_t *tree) { remove_all(tree->root); }

void tree_write_bytes(const tree_t *tree, const char *path, const void *data,
                      size_t len) {
  char full[PATH_MAX];
  snprintf(full, sizeof(full), "%s%s", tree->root, path);
  for (char *p = full + strlen(tree->root) + 1; (p = strchr(p, '/')); p++) {
    *p = '\0';
    (void)mkdir(full, 0755);
    *p = '/';
  }
  int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, data, len), len);
  assert_int_equal(close(fd), 0);
}

void tree_write(const tree_t *tree, const char *path, const char *text) {
  tree_write_bytes(tree, path, text, strlen(text));
}

void tree_remove(const tree_t *tree, const char *path) {
  char full[PATH_MAX];
  snprintf(full, sizeof(full), "%s%s", tree->root, path);
  remove_all(full);
}

const char *tree_fixture(const char *name) {
  static char path[PATH_MAX];
  const char *sources = getenv("TALLY_SRCDIR");
  snprintf(path, sizeof(path), "%s/tests/unit/fixtures/%s",
           sources ? sources : ".", name);
  return path;
}
