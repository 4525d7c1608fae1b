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

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
