/* SPDX-License-Identifier: MIT */
/* What containers ask for, and what cgroup_adjust finds of an earlier run. The
 * first byte chooses: 'o' a file of originals, else the value of every label
 * and variable that it looks at. */
#include "config.h"

#include "fuzz.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "container/limits.h"
#include "container/originals.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Whatever was understood is in its range. */
static void check(const tally_limits_t *limits) {
  static const uint64_t most[TALLY_LIMITS] = {
      [TALLY_LIMIT_MEMORY_MAX] = UINT64_C(1) << 63,
      [TALLY_LIMIT_MEMORY_HIGH] = UINT64_C(1) << 63,
      [TALLY_LIMIT_SWAP_MAX] = UINT64_C(1) << 63,
      [TALLY_LIMIT_CPU_WEIGHT] = 10000,
      [TALLY_LIMIT_CPU_MAX] = 8192000,
      [TALLY_LIMIT_PIDS_MAX] = 4194304,
      [TALLY_LIMIT_IO_WEIGHT] = 10000,
  };
  for (size_t i = 0; i < TALLY_LIMITS; i++)
    FUZZ_REQUIRE(limits->value[i] == TALLY_UNKNOWN ||
                 limits->value[i] == TALLY_UNLIMITED ||
                 limits->value[i] <= most[i]);
}

static void ask(const char *value) {
  tally_pair_t labels[TALLY_LIMITS + 1];
  char keys[TALLY_LIMITS][48];
  for (size_t i = 0; i < TALLY_LIMITS; i++) {
    snprintf(keys[i], sizeof(keys[i]), "tallyman.%s",
             tally_limit_name((tally_limit_t)i));
    labels[i] = (tally_pair_t){.key = keys[i], .value = value};
  }
  labels[TALLY_LIMITS] = (tally_pair_t){.key = "SWAP", .value = value};
  tally_container_t container = {.id = ID,
                                 .name = "web",
                                 .image = "web:1",
                                 .labels = labels,
                                 .labels_count = TALLY_LIMITS + 1,
                                 .env = &labels[TALLY_LIMITS],
                                 .env_count = 1};
  tally_limit_policy_t policy = {.labels_trusted = true,
                                 .environment_trusted = true};
  tally_wanted_t wanted;
  tally_limits_wanted(&policy, &container, &wanted);
  check(&wanted.limits);
  FUZZ_REQUIRE(wanted.problems_count <= TALLY_LIMIT_PROBLEMS_MAX);
  for (size_t i = 0; i < wanted.problems_count; i++)
    FUZZ_REQUIRE(wanted.problems[i].why.message[0] != '\0');
}

/* What was read can be written and is the same when it is read again. */
static void find(const uint8_t *data, size_t size) {
  char directory[] = "/dev/shm/fuzz-XXXXXX";
  FUZZ_REQUIRE(mkdtemp(directory) != NULL);
  char path[128];
  snprintf(path, sizeof(path), "%s/%s", directory, ID);
  FILE *file = fopen(path, "w");
  FUZZ_REQUIRE(file != NULL);
  fwrite(data, 1, size, file);
  fclose(file);

  tally_error_t err;
  tally_originals_t first, second;
  if (tally_originals_load(directory, ID, &first, &err) == 1 &&
      !tally_originals_is_empty(&first)) {
    FUZZ_REQUIRE(tally_originals_save(directory, &first, &err) == 0);
    FUZZ_REQUIRE(tally_originals_load(directory, ID, &second, &err) == 1);
    FUZZ_REQUIRE(second.files_count == first.files_count &&
                 second.started_ns == first.started_ns);
  }
  tally_originals_remove(directory, ID);
  rmdir(directory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  if (data[0] == 'o') {
    find(data + 1, size - 1);
    return 0;
  }
  char *value = strndup((const char *)data + 1, size - 1);
  FUZZ_REQUIRE(value != NULL);
  ask(value);
  free(value);
  return 0;
}
