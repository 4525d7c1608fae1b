/* SPDX-License-Identifier: MIT */
/* AWS's shared files. */
#include "config.h"

#include "fuzz.h"

#include "aws/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  tally_error_t err;
  tally_ini_t *ini = tally_ini_parse((const char *)data, size, &err);
  if (ini == NULL)
    return 0;
  static const char *const titles[] = {"default", "profile a", "services b"};
  static const char *const keys[] = {"region", "k", "s.k", "aws_access_key_id"};
  for (size_t t = 0; t < 3; t++)
    for (size_t k = 0; k < 4; k++) {
      const char *value = tally_ini_get(ini, titles[t], keys[k]);
      FUZZ_REQUIRE(value == NULL ||
                   (*value != '\0' && tally_ini_has(ini, titles[t])));
    }
  tally_ini_destroy(ini);
  return 0;
}
