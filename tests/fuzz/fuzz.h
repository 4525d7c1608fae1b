/* SPDX-License-Identifier: MIT */
#ifndef TALLY_TESTS_FUZZ_H
#define TALLY_TESTS_FUZZ_H

/* What every fuzzer includes: libFuzzer's entry, and a check that ends it. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_REQUIRE(condition)                                                \
  do {                                                                         \
    if (!(condition))                                                          \
      abort();                                                                 \
  } while (0)

#endif
