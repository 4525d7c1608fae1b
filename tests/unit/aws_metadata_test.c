/* SPDX-License-Identifier: MIT */
/* The instance metadata service: credentials, region, identity. */
#include "config.h"

#include "aws_scene.h"

#include "core/clock.h"

#define ROLE "/latest/meta-data/iam/security-credentials/"
#define TOKEN_REQUEST "PUT /latest/api/token "
#define WITH_TOKEN "X-aws-ec2-metadata-token: t0ken=="

static int metadata_setup(void **state) {
  scene_setup(state);
  scene_t *scene = *state;
  unsetenv("AWS_EC2_METADATA_DISABLED");
  scene_set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "%s/",
            harbour_url(scene->harbour));
  return 0;
}

static void say_keys(scene_t *scene, int life_s) {
  harbour_answer(scene->harbour, ROLE "web-role ", -1, 200, "",
                 scene_keys("ASIMDS", life_s));
  harbour_answer(scene->harbour, ROLE " ", -1, 200, "", "web-role\n");
}

static void session(scene_t *scene, int metadata_ms) {
  scene_session(scene, (tally_aws_options_t){.metadata_ms = metadata_ms});
}

static void version_2(void **state) {
  scene_t *scene = *state;
  harbour_answer(scene->harbour, TOKEN_REQUEST, -1, 200, "", "t0ken==");
  say_keys(scene, 3600);
  session(scene, 5000);
  scene_expect(scene, "ASIMDS", "instance metadata");
  assert_non_null(strstr(harbour_request(scene->harbour, TOKEN_REQUEST, 0),
                         "X-aws-ec2-metadata-token-ttl-seconds: 21600\r\n"));
  assert_int_equal(harbour_requests(scene->harbour, WITH_TOKEN), 2);
  assert_int_equal(harbour_requests(scene->harbour, TOKEN_REQUEST), 1);
  assert_int_equal(harbour_connections(scene->harbour), 1);
}

static void token_that_no_longer_counts(void **state) {
  scene_t *scene = *state;
  harbour_answer(scene->harbour, TOKEN_REQUEST, 1, 200, "", "stale");
  harbour_answer(scene->harbour, TOKEN_REQUEST, 1, 200, "", "t0ken==");
  harbour_answer(scene->harbour, "token: stale", -1, 401, "", "");
  say_keys(scene, 3600);
  session(scene, 5000);
  scene_expect(scene, "ASIMDS", "instance metadata");
}

static void version_1(void **state) {
  scene_t *scene = *state;
  harbour_answer(scene->harbour, TOKEN_REQUEST, -1, 403, "", "");
  say_keys(scene, 3600);
  session(scene, 5000);
  scene_expect(scene, "ASIMDS", "instance metadata");
  assert_int_equal(
      harbour_requests(scene->harbour, "X-aws-ec2-metadata-token:"), 0);
  scene_set("AWS_EC2_METADATA_V1_DISABLED", "true");
  session(scene, 5000);
  scene_expect_none(scene, "instance metadata", "no session token (status 403");
}

/* The answer to the request for a token dies on the way back. */
static void hop_limit(void **state) {
  scene_t *scene = *state;
  harbour_answer(scene->harbour, TOKEN_REQUEST, -1, 0, "", "");
  say_keys(scene, 3600);
  session(scene, 500);
  uint64_t start_ns = tally_clock_monotonic_ns();
  scene_expect(scene, "ASIMDS", "instance metadata");
  assert_true(tally_clock_monotonic_ns() - start_ns < 5 * TALLY_NS_PER_S);
  assert_int_equal(harbour_requests(scene->harbour, TOKEN_REQUEST), 1);
  scene_set("AWS_EC2_METADATA_V1_DISABLED", "true");
  session(scene, 500);
  scene_expect_none(scene, "instance metadata", "hop limit");
}

static void throttled(void **state) {
  scene_t *scene = *state;
  harbour_answer(scene->harbour, TOKEN_REQUEST, 2, 429, "", "");
  harbour_answer(scene->harbour, TOKEN_REQUEST, -1, 200, "", "t0ken==");
  harbour_answer(scene->harbour, ROLE " ", 1, 503, "", "");
  say_keys(scene, 3600);
  session(scene, 5000);
  scene_expect(scene, "ASIMDS", "instance metadata");
  assert_int_equal(harbour_requests(scene->harbour, TOKEN_REQUEST), 3);
  harbour_forget(scene->harbour);
  harbour_answer(scene->harbour, "", -1, 429, "", "");
  session(scene, 5000);
  scene_expect_none(scene, "instance metadata", "429");
}

static void no_service_and_no_role(void **state) {
  scene_t *scene = *state;
  harbour_answer(scene->harbour, TOKEN_REQUEST, -1, 200, "", "t0ken==");
  session(scene, 5000);
  scene_expect_none(scene, "instance metadata", "status 404");
  harbour_answer(scene->harbour, ROLE " ", -1, 200, "", "../../evil");
  session(scene, 5000);
  scene_expect_none(scene, "instance metadata", "impossible name");
  scene_set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1");
  session(scene, 5000);
  scene_expect_none(scene, "instance metadata", "onnect");
  scene_set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "file:///etc/passwd");
  session(scene, 5000);
  scene_expect_none(scene, "instance metadata", "not an http URL");
  scene_set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://me:hush@127.0.0.1");
  session(scene, 5000);
  scene_expect_none(scene, "instance metadata", "(with '@')': not an http URL");
}

static void answer_that_never_ends(void **state) {
  scene_t *scene = *state;
  char *large = malloc(200001);
  memset(large, 'a', 200000);
  large[200000] = '\0';
  harbour_answer(scene->harbour, TOKEN_REQUEST, -1, 200, "", "t0ken==");
  harbour_answer(scene->harbour, ROLE " ", -1, 200, "", large);
  free(large);
  session(scene, 5000);
  scene_expect_none(scene, "instance metadata", "longer than");
}

static void regions(void **state) {
  scene_t *scene = *state;
  char region[TALLY_AWS_REGION_MAX];
  tally_error_t err = {0};
  harbour_answer(scene->harbour, TOKEN_REQUEST, -1, 200, "", "t0ken==");
  session(scene, 5000);
  assert_int_equal(tally_aws_session_region(scene->session, region, &err), -1);
  assert_non_null(strstr(err.message, "no AWS region"));
  harbour_answer(scene->harbour, "/placement/region ", -1, 200, "",
                 "ap-south-1\n");
  static const struct {
    const char *name, *value, *expected;
  } steps[] = {{"X_UNUSED", "", "ap-south-1"},
               {"AWS_PROFILE", "web", "eu-north-1"},
               {"AWS_DEFAULT_REGION", "eu-west-2", "eu-west-2"},
               {"AWS_REGION", "eu-west-1", "eu-west-1"}};
  tree_write(&scene->home, "/.aws/config",
             "[profile web]\nregion = eu-north-1\n");
  for (size_t i = 0; i < COUNT_OF(steps); i++) {
    scene_set(steps[i].name, "%s", steps[i].value);
    session(scene, 5000);
    assert_int_equal(tally_aws_session_region(scene->session, region, &err), 0);
    assert_string_equal(region, steps[i].expected);
  }
  scene_session(scene, (tally_aws_options_t){.region = "us-east-2"});
  assert_int_equal(tally_aws_session_region(scene->session, region, &err), 0);
  assert_string_equal(region, "us-east-2");
  scene_session(scene, (tally_aws_options_t){.region = "a.b/c"});
  assert_int_equal(tally_aws_session_region(scene->session, region, &err), -1);
  assert_non_null(strstr(err.message, "(option region): no region"));
}

static void identity_of_a_document(void **state) {
  scene_t *scene = *state;
  harbour_answer(scene->harbour, TOKEN_REQUEST, -1, 200, "", "t0ken==");
  harbour_answer(scene->harbour, "/latest/dynamic/instance-identity/document",
                 -1, 200, "",
                 "{\"accountId\":\"123456789012\",\"region\":\"eu-west-1\","
                 "\"availabilityZone\":\"eu-west-1c\",\"instanceId\":\"i-07\","
                 "\"instanceType\":\"m5.large\",\"imageId\":\"ami-1\"}");
  harbour_answer(scene->harbour,
                 "/latest/meta-data/tags/instance/aws:autoscaling:groupName",
                 -1, 200, "", "workers");
  session(scene, 5000);
  tally_aws_identity_t identity;
  tally_error_t err = {0};
  assert_int_equal(tally_aws_session_identity(scene->session, &identity, &err),
                   0);
  assert_true(identity.real);
  assert_string_equal(identity.instance, "i-07");
  assert_string_equal(identity.image, "ami-1");
  assert_string_equal(identity.type, "m5.large");
  assert_string_equal(identity.zone, "eu-west-1c");
  assert_string_equal(identity.region, "eu-west-1");
  assert_string_equal(identity.account, "123456789012");
  assert_string_equal(identity.scaling_group, "workers");
}

/* EC2_METADATA_ENDPOINT has its own path, and wins for the identity. */
static void identity_of_lines(void **state) {
  scene_t *scene = *state;
  scene_set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1");
  scene_set("EC2_METADATA_ENDPOINT", "%s/odd", harbour_url(scene->harbour));
  harbour_answer(scene->harbour, "GET /odd/meta-data/instance-id ", -1, 200, "",
                 "i-08\n");
  harbour_answer(scene->harbour, "GET /odd/meta-data/ami-id ", -1, 200, "",
                 "ami-2");
  harbour_answer(scene->harbour,
                 "GET /odd/meta-data/placement/availability-zone ", -1, 200, "",
                 "us-west-2a");
  session(scene, 5000);
  tally_aws_identity_t identity;
  tally_error_t err = {0};
  assert_int_equal(tally_aws_session_identity(scene->session, &identity, &err),
                   0);
  assert_string_equal(identity.instance, "i-08");
  assert_string_equal(identity.region, "us-west-2");
  assert_string_equal(identity.scaling_group, "");
}

static void identity_of_development(void **state) {
  scene_t *scene = *state;
  tally_aws_identity_t identity;
  tally_error_t err = {0};
  session(scene, 5000);
  assert_int_equal(tally_aws_session_identity(scene->session, &identity, &err),
                   -1);
  assert_non_null(strstr(err.message, "instance metadata"));
  assert_string_equal(identity.instance, "i-dev");
  unsigned asked = harbour_requests(scene->harbour, "");
  scene_set("DEVELOPMENT", "true");
  assert_int_equal(tally_aws_session_identity(scene->session, &identity, &err),
                   0);
  assert_false(identity.real);
  assert_string_equal(identity.zone, "us-dev-1b");
  assert_int_equal(harbour_requests(scene->harbour, ""), asked);
}

#define TEST(f)                                                                \
  cmocka_unit_test_setup_teardown(f, metadata_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(version_2),
      TEST(token_that_no_longer_counts),
      TEST(version_1),
      TEST(hop_limit),
      TEST(throttled),
      TEST(no_service_and_no_role),
      TEST(answer_that_never_ends),
      TEST(regions),
      TEST(identity_of_a_document),
      TEST(identity_of_lines),
      TEST(identity_of_development),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
