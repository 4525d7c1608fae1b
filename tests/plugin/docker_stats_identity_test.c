/* SPDX-License-Identifier: MIT */
/* docker_stats: how containers are called. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include <setjmp.h>

#include <cmocka.h>

#include "docker/container_private.h"
#include "docker_stats_identity.h"
#include "mock.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const tally_pair_t labels[] = {{"com.example.team", "red"},
                                      {"other", "x"}};

static const tally_container_t *make(const char *id, const char *name) {
  tally_container_t draft = {.name = name,
                             .image = "redis:7",
                             .labels = labels,
                             .labels_count = STATIC_ARRAY_SIZE(labels)};
  sstrncpy(draft.id, id, sizeof(draft.id));
  const tally_container_t *c = tally_container_pack(&draft, NULL);
  assert_non_null(c);
  return c;
}

static void test_host_formats(void **state) {
  static const struct {
    docker_stats_host_format_t format;
    const char *instance;
    const char *host, *plugin_instance;
  } cases[] = {
      {DOCKER_STATS_HOST_NODE, NULL, "", "web"},
      {DOCKER_STATS_HOST_NODE, "far", "", "far:web"},
      {DOCKER_STATS_HOST_CONTAINER, NULL, "web", ""},
      {DOCKER_STATS_HOST_CONTAINER, "far", "web", "far"},
      {DOCKER_STATS_HOST_FINGERPRINT, NULL,
       "5ad20d2d-0d60-5573-b1a4-0b3b2f7312e2", ""},
  };
  const tally_container_t *c = make(ID, "web");
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    docker_stats_naming_t naming = {.host_format = cases[i].format,
                                    .instance = cases[i].instance};
    docker_stats_identities_t *identities =
        docker_stats_identities_create(&naming);
    docker_stats_identity_t *it = docker_stats_identities_get(identities, c);
    assert_string_equal(it->host, cases[i].host);
    assert_string_equal(it->plugin_instance, cases[i].plugin_instance);
    assert_null(it->meta);
    docker_stats_identities_destroy(identities);
  }
  tally_container_unref(c);
}

static void test_names_that_do_not_fit(void **state) {
  static const struct {
    const char *name, *expected;
  } cases[] = {
      {HUNDRED TEN TEN "1234567", HUNDRED TEN TEN "1234567"},
      {HUNDRED TEN TEN "12345678", HUNDRED TEN "0123~0123456789ab"},
      {"a/b", "a_b~0123456789ab"},
      {"a_b", "a_b"},
      {"a\033b\x7f", "a_b_~0123456789ab"},
      {"", "0123456789ab"},
      {NULL, "0123456789ab"},
      /* the cut would go through a character of two bytes */
      {HUNDRED TEN "012\xc3\xa9" HUNDRED, HUNDRED TEN "012~0123456789ab"},
      {HUNDRED TEN "01\xc3\xa9" HUNDRED, HUNDRED TEN "01\xc3\xa9~0123456789ab"},
  };
  docker_stats_naming_t naming = {.host_format = DOCKER_STATS_HOST_NODE};
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    docker_stats_identities_t *identities =
        docker_stats_identities_create(&naming);
    const tally_container_t *c = make(ID, cases[i].name);
    assert_string_equal(
        docker_stats_identities_get(identities, c)->plugin_instance,
        cases[i].expected);
    tally_container_unref(c);
    docker_stats_identities_destroy(identities);
  }
}

static void test_meta_data(void **state) {
  tally_select_t *wanted = tally_select_create();
  assert_int_equal(tally_select_add(wanted, "/^com\\./", NULL), 0);
  docker_stats_naming_t naming = {.meta_labels = wanted};
  docker_stats_identities_t *identities =
      docker_stats_identities_create(&naming);
  const tally_container_t *c = make(ID, "web");
  meta_data_t *meta = docker_stats_identities_get(identities, c)->meta;
  static const char *const expected[][2] = {
      {"container_id", ID},
      {"container_image", "redis:7"},
      {"label:com.example.team", "red"},
      {"label:other", NULL},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(expected); i++) {
    char *value = NULL;
    int status = meta_data_get_string(meta, expected[i][0], &value);
    if (expected[i][1] == NULL) {
      assert_int_not_equal(status, 0);
      continue;
    }
    assert_int_equal(status, 0);
    assert_string_equal(value, expected[i][1]);
    free(value);
  }
  tally_container_unref(c);
  docker_stats_identities_destroy(identities);
  tally_select_destroy(wanted);
}

/* What is remembered of a container outlives a rename, not its end. */
static void test_rename_and_sweep(void **state) {
  docker_stats_naming_t naming = {.host_format = DOCKER_STATS_HOST_NODE};
  docker_stats_identities_t *identities =
      docker_stats_identities_create(&naming);
  const tally_container_t *before = make(ID, "old");
  const tally_container_t *after = make(ID, "new");
  docker_stats_identities_get(identities, before)->last_time = 42;
  docker_stats_identities_sweep(identities);
  docker_stats_identity_t *it = docker_stats_identities_get(identities, after);
  assert_string_equal(it->plugin_instance, "new");
  assert_true(it->last_time == 42);
  docker_stats_identities_sweep(identities);
  docker_stats_identities_sweep(identities); /* nobody asked for it */
  it = docker_stats_identities_get(identities, after);
  assert_true(it->last_time == 0);
  tally_container_unref(before);
  tally_container_unref(after);
  docker_stats_identities_destroy(identities);
}

static void test_many(void **state) {
  enum { MANY = 2000 };
  docker_stats_naming_t naming = {.host_format = DOCKER_STATS_HOST_NODE};
  docker_stats_identities_t *identities =
      docker_stats_identities_create(&naming);
  static const tally_container_t *containers[MANY];
  for (size_t i = 0; i < MANY; i++) {
    char id[65], name[32];
    snprintf(id, sizeof(id), "%064zx", i * 7919);
    snprintf(name, sizeof(name), "c%zu", i);
    containers[i] = make(id, name);
    docker_stats_identities_get(identities, containers[i])->last_time = i + 1;
  }
  for (size_t run = 0; run < 3; run++) {
    docker_stats_identities_sweep(identities);
    for (size_t i = run; i < MANY; i += run + 1)
      assert_true(
          docker_stats_identities_get(identities, containers[i])->last_time ==
          (run < 2 || i % 2 == 1 ? i + 1 : 0));
  }
  for (size_t i = 0; i < MANY; i++)
    tally_container_unref(containers[i]);
  docker_stats_identities_destroy(identities);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_host_formats),
      cmocka_unit_test(test_names_that_do_not_fit),
      cmocka_unit_test(test_meta_data),
      cmocka_unit_test(test_rename_and_sweep),
      cmocka_unit_test(test_many),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
