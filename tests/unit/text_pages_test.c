/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "core/file.h"
#include "text_pages.h"

/* Resident pages that are backed by files. */
static unsigned long resident_of_files(void) {
  char text[256];
  unsigned long size, resident, shared;
  assert_true(tally_file_read("/proc/self/statm", text, sizeof(text), NULL) >
              0);
  assert_int_equal(sscanf(text, "%lu %lu %lu", &size, &resident, &shared), 3);
  return shared;
}

/* It is less afterwards, and everything still works: this test among it. */
static void test_give_back(void **state) {
  unsigned long before = resident_of_files();
  for (int i = 0; i < 3; i++)
    tally_text_pages_give_back();
  unsigned long after = resident_of_files();
  assert_true(after < before);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_give_back)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
