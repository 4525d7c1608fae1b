/* SPDX-License-Identifier: MIT */
#ifndef TALLY_TESTS_MIB_SCENE_H
#define TALLY_TESTS_MIB_SCENE_H

#include "mib.h"

/* Finished; the caller's. */
tally_view_t *mib_scene_view(void);

typedef struct mib_scene_value_s {
  const char *oid; /* below the root arc */
  tally_syntax_t syntax;
  uint64_t number;  /* TICKS: at least, and not a minute more */
  const char *text; /* DATE: in hexadecimal */
} mib_scene_value_t;

/* Everything that is to be seen, in order. */
extern const mib_scene_value_t mib_scene_values[];
extern const size_t mib_scene_values_count;

#endif
