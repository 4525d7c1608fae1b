/* SPDX-License-Identifier: MIT */
/* One text, given to the parser of every cgroup file and to that of mountinfo.
 */
#include "config.h"

#include "fuzz.h"

#include <math.h>
#include <string.h>

#include "cgroup/files.h"
#include "cgroup/hierarchy.h"
#include "core/mountinfo.h"
#include "cgroup/parse.h"

static void check_sample(const tally_cgroup_sample_t *s) {
  FUZZ_REQUIRE(s->devices_count <= TALLY_CGROUP_DEVICES_MAX);
  FUZZ_REQUIRE(s->devices_known || s->devices_count == 0);
  for (size_t i = 0; i < s->devices_count; i++)
    for (size_t k = 0; k < i; k++)
      FUZZ_REQUIRE(s->devices[i].major != s->devices[k].major ||
                   s->devices[i].minor != s->devices[k].minor);
  /* only limits can be without limit */
  FUZZ_REQUIRE(s->cpu_usage_ns != TALLY_UNLIMITED);
  FUZZ_REQUIRE(s->memory_anon != TALLY_UNLIMITED);
  FUZZ_REQUIRE(s->memory_kernel != TALLY_UNLIMITED);
  FUZZ_REQUIRE(s->threads != TALLY_UNLIMITED);
  for (size_t r = 0; r < TALLY_RESOURCES; r++)
    FUZZ_REQUIRE(!(s->pressure[r].some_avg10 < 0) &&
                 !isinf(s->pressure[r].some_avg10));
}

static void parse_files(const tally_cgroup_file_t *files, size_t count,
                        const char *text, size_t len) {
  tally_cgroup_sample_t all;
  tally_cgroup_sample_init(&all);
  for (size_t i = 0; i < count; i++) {
    if (files[i].parse == NULL)
      continue;
    tally_cgroup_sample_t one;
    tally_cgroup_sample_init(&one);
    (void)files[i].parse(text, len, &one);
    check_sample(&one);
    (void)files[i].parse(text, len, &all); /* as in a reader, one by one */
  }
  check_sample(&all);
}

static void parse_mount(const char *text, size_t len) {
  char *line = malloc(len + 1);
  FUZZ_REQUIRE(line != NULL);
  memcpy(line, text, len);
  line[len] = '\0';
  tally_mount_t mount;
  if (tally_mountinfo_parse(line, &mount)) {
    FUZZ_REQUIRE(mount.root[0] == '/' && mount.point[0] == '/');
    FUZZ_REQUIRE(strlen(mount.point) < len && strlen(mount.options) < len);
    (void)tally_mountinfo_has_option(mount.options, "cpu");

    /* what lies below a mount never leads out of it */
    tally_hierarchy_t hierarchy = {1, mount.point, mount.root};
    const char *below = tally_hierarchy_below(&hierarchy, mount.point);
    FUZZ_REQUIRE(below == NULL || below[0] == '\0' || below[0] == '/');
  }
  free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data;
  parse_files(tally_cgroup_files_v1, tally_cgroup_files_v1_count, text, size);
  parse_files(tally_cgroup_files_v2, tally_cgroup_files_v2_count, text, size);
  FUZZ_REQUIRE(tally_count_lines(text, size) <= size);
  parse_mount(text, size);
  return 0;
}
