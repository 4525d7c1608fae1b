/* SPDX-License-Identifier: MIT */
/* Keys that are kept: renewed in time, by one at a time, and in trouble kept
 * on. */
#include "config.h"

#include "aws_scene.h"

#include <pthread.h>

#define NO_OPTIONS ((tally_aws_options_t){.metadata_ms = 20000})

static void use_container(scene_t *scene) {
  scene_set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "%s/c",
            harbour_url(scene->harbour));
}

static void stale_while_error(void **state) {
  scene_t *scene = *state;
  use_container(scene);
  harbour_answer(scene->harbour, "GET /c", 1, 200, "",
                 scene_keys("ASONE", 3600));
  harbour_answer(scene->harbour, "GET /c", 1, 404, "", "");
  scene_session(scene, NO_OPTIONS);
  scene_expect(scene, "ASONE", "container");
  scene_expect(scene, "ASONE", "container");
  assert_int_equal(harbour_requests(scene->harbour, "GET"), 1);
  tally_aws_session_age(scene->session, 3301); /* five minutes before */
  scene_expect(scene, "ASONE", "container");
  scene_expect(scene, "ASONE", "container"); /* not asked again at once */
  assert_int_equal(harbour_requests(scene->harbour, "GET"), 2);
  tally_aws_session_age(scene->session, 600); /* beyond the expiry, failing */
  scene_expect(scene, "ASONE", "container");
  assert_int_equal(harbour_requests(scene->harbour, "GET"), 3);
  harbour_answer(scene->harbour, "GET /c", -1, 200, "",
                 scene_keys("ASTWO", 3600));
  tally_aws_session_age(scene->session, 31);
  scene_expect(scene, "ASTWO", "container");
}

static void keys_that_come_expired(void **state) {
  scene_t *scene = *state;
  use_container(scene);
  harbour_answer(scene->harbour, "GET /c", -1, 200, "",
                 scene_keys("ASOLD", -60));
  scene_session(scene, NO_OPTIONS);
  scene_expect(scene, "ASOLD", "container");
  scene_expect(scene, "ASOLD", "container");
  assert_int_equal(harbour_requests(scene->harbour, "GET"), 1);
  tally_aws_session_age(scene->session, 61);
  scene_expect(scene, "ASOLD", "container");
  assert_int_equal(harbour_requests(scene->harbour, "GET"), 2);
}

static void rejected_keys(void **state) {
  scene_t *scene = *state;
  use_container(scene);
  harbour_answer(scene->harbour, "GET /c", 1, 200, "",
                 scene_keys("ASONE", 3600));
  harbour_answer(scene->harbour, "GET /c", -1, 200, "",
                 scene_keys("ASTWO", 3600));
  scene_session(scene, NO_OPTIONS);
  tally_aws_keys_t keys, other;
  assert_int_equal(tally_aws_session_keys(scene->session, &keys, NULL), 0);
  tally_aws_session_reject(scene->session, &keys);
  scene_expect(scene, "ASTWO", "container");
  tally_aws_session_reject(scene->session, &keys); /* long gone: no effect */
  scene_expect(scene, "ASTWO", "container");
  assert_int_equal(harbour_requests(scene->harbour, "GET"), 2);
  assert_int_equal(tally_aws_session_keys(scene->session, &other, NULL), 0);
  for (int i = 0; i < 5; i++) { /* the chain insists: not asked each time */
    other.expires_ns = 0;
    tally_aws_session_reject(scene->session, &other);
    tally_aws_session_keys(scene->session, &keys, NULL);
  }
  unsigned asked = harbour_requests(scene->harbour, "GET");
  assert_in_range(asked, 3, 4);
}

static void *ask_for_keys(void *data) {
  tally_aws_keys_t keys;
  int code = tally_aws_session_keys(data, &keys, NULL);
  return code == 0 && strcmp(keys.access_key, "ASONE") == 0 ? data : NULL;
}

static void one_renewal_at_a_time(void **state) {
  scene_t *scene = *state;
  use_container(scene);
  harbour_answer(scene->harbour, "GET /c", -1, 200, "",
                 scene_keys("ASONE", 3600));
  scene_session(scene, (tally_aws_options_t){.metadata_ms = 5000});
  pthread_t threads[8];
  for (size_t i = 0; i < COUNT_OF(threads); i++)
    assert_int_equal(
        pthread_create(&threads[i], NULL, ask_for_keys, scene->session), 0);
  for (size_t i = 0; i < COUNT_OF(threads); i++) {
    void *result;
    pthread_join(threads[i], &result);
    assert_non_null(result);
  }
  assert_int_equal(harbour_requests(scene->harbour, "GET"), 1);
}

static void good_keys_while_another_renews(void **state) {
  scene_t *scene = *state;
  use_container(scene);
  harbour_answer(scene->harbour, "GET /c", 1, 200, "",
                 scene_keys("ASONE", 3600));
  harbour_answer(scene->harbour, "GET /c", -1, 0, "", ""); /* hangs */
  scene_session(scene, (tally_aws_options_t){.metadata_ms = 60000});
  scene_expect(scene, "ASONE", "container");
  tally_aws_session_age(scene->session, 3301);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, ask_for_keys, scene->session),
                   0);
  harbour_await(scene->harbour, "GET", 2);
  scene_expect(scene, "ASONE", "container");
  tally_aws_session_stop(scene->session); /* ends the one who hangs */
  void *result;
  pthread_join(thread, &result);
  assert_null(result);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(stale_while_error),
      TEST(keys_that_come_expired),
      TEST(rejected_keys),
      TEST(one_renewal_at_a_time),
      TEST(good_keys_while_another_renews),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
