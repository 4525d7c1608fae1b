/* SPDX-License-Identifier: MIT */
#ifndef TALLY_TESTS_UNIT_H
#define TALLY_TESTS_UNIT_H

/* What every unit test includes first: cmocka with what it needs. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Leaves a test that cannot run here. (cmocka's own skip() reaches automake as
 * a failure: "not ok # SKIP".) */
#define SKIP(reason)                                                           \
  do {                                                                         \
    print_message("# skipped: %s\n", (reason));                                \
    return;                                                                    \
  } while (0)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
