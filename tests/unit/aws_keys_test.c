/* SPDX-License-Identifier: MIT */
/* Each link of the credentials chain. */
#include "config.h"

#include "aws_scene.h"

#include <sys/stat.h>

#define NO_OPTIONS ((tally_aws_options_t){.metadata_ms = 20000})

static void write_config(scene_t *scene, const char *text) {
  tree_write(&scene->home, "/.aws/config", text);
}

static void write_credentials(scene_t *scene, const char *text) {
  tree_write(&scene->home, "/.aws/credentials", text);
}

/* What STS says; the text is static. */
static const char *sts_answer(const char *access_key, int life_s) {
  static char text[1024];
  snprintf(text, sizeof(text),
           "<R xmlns=\"x\"><Result><AssumedRoleUser><Arn>a</Arn>"
           "</AssumedRoleUser><Credentials><AccessKeyId>%s</AccessKeyId>"
           "<SecretAccessKey>s/+=</SecretAccessKey><SessionToken>tok"
           "</SessionToken><Expiration>%s</Expiration></Credentials>"
           "</Result></R>",
           access_key, scene_time(life_s));
  return text;
}

static void use_sts(scene_t *scene) {
  scene_set("AWS_ENDPOINT_URL_STS", "%s", harbour_url(scene->harbour));
  scene_set("AWS_REGION", "eu-west-1");
}

/* ---- the simple links ---------------------------------------------------- */

static void nothing_anywhere(void **state) {
  scene_t *scene = *state;
  scene_session(scene, NO_OPTIONS);
  scene_expect_none(scene, "AWS_ACCESS_KEY_ID is not set", "/.aws/credentials");
  scene_expect_none(scene, "AWS_WEB_IDENTITY_TOKEN_FILE is not set",
                    "AWS_EC2_METADATA_DISABLED is true");
}

static void options_come_first(void **state) {
  scene_t *scene = *state;
  scene_set("AWS_ACCESS_KEY_ID", "AKENV");
  scene_set("AWS_SECRET_ACCESS_KEY", "senv");
  scene_session(scene, (tally_aws_options_t){.access_key = "AKOPT",
                                             .secret_key = "sopt"});
  scene_expect(scene, "AKOPT", "options");
  tally_error_t err;
  assert_null(tally_aws_session_create(
      &(tally_aws_options_t){.access_key = "AK"}, &err));
}

static void environment_comes_second(void **state) {
  scene_t *scene = *state;
  write_credentials(scene, "[default]\naws_access_key_id = AKFILE\n"
                           "aws_secret_access_key = sfile\n");
  scene_set("AWS_ACCESS_KEY", "AKOLD"); /* the name before the last one */
  scene_set("AWS_SECRET_KEY", "sold");
  scene_session(scene, NO_OPTIONS);
  scene_expect(scene, "AKOLD", "AWS_ACCESS_KEY, AWS_SECRET_KEY");
  scene_set("AWS_ACCESS_KEY_ID", "AKENV");
  scene_set("AWS_SECRET_ACCESS_KEY", "senv");
  scene_session(scene, NO_OPTIONS);
  scene_expect(scene, "AKENV", "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY");
  /* Who names a profile in the configuration means it. */
  scene_session(scene, (tally_aws_options_t){.profile = "default"});
  scene_expect(scene, "AKFILE", "profile `default'");
  unsetenv("AWS_SECRET_ACCESS_KEY");
  unsetenv("AWS_SECRET_KEY");
  scene_session(scene, NO_OPTIONS);
  scene_expect_none(scene, "environment", "only one is set");
  scene_set("AWS_SECRET_ACCESS_KEY", "two words");
  scene_session(scene, NO_OPTIONS);
  scene_expect_none(scene, "environment", "no usable secret");
}

static void profiles(void **state) {
  scene_t *scene = *state;
  tree_write(&scene->home, "/c",
             "[profile web]\naws_access_key_id=AKCONF\n"
             "aws_secret_access_key=c\n"
             "[profile only]\naws_access_key_id=AKONLY\n"
             "aws_secret_access_key=c\n"
             "[profile sso]\nsso_session = x\n");
  tree_write(&scene->home, "/k",
             "[web]\naws_access_key_id=AKCRED\naws_secret_access_key=k\n");
  scene_set("AWS_CONFIG_FILE", "~/c");
  scene_set("AWS_SHARED_CREDENTIALS_FILE", "%s", scene_path(scene, "/k"));
  scene_set("AWS_PROFILE", "web");
  scene_session(scene, NO_OPTIONS);
  scene_expect(scene, "AKCRED", "profile `web'");
  scene_session(scene, (tally_aws_options_t){.profile = "only"});
  scene_expect(scene, "AKONLY", "profile `only'");
  scene_session(scene, (tally_aws_options_t){.profile = "onyl"});
  scene_expect_none(scene, "profile: `onyl' (option profile): not in",
                    "/k or ");
  scene_session(scene, (tally_aws_options_t){.profile = "sso"});
  scene_expect_none(scene, "profile", "SSO");
  scene_set("AWS_SHARED_CREDENTIALS_FILE", "%s", scene->home.root);
  scene_session(scene, NO_OPTIONS);
  scene_expect_none(scene, "Is a directory", scene->home.root);
}

/* ---- roles --------------------------------------------------------------- */

static void role_with_source_profile(void **state) {
  scene_t *scene = *state;
  use_sts(scene);
  write_config(scene,
               "[profile work]\nrole_arn = arn:aws:iam::1:role/w\n"
               "source_profile = base\nexternal_id = e x+t\n"
               "role_session_name = me\nduration_seconds = 900\n"
               "[profile loop]\nrole_arn = arn:aws:iam::1:role/l\n"
               "source_profile = loop2\n[profile loop2]\n"
               "role_arn = arn:aws:iam::1:role/l\nsource_profile = loop\n"
               "[profile itself]\nrole_arn = arn:aws:iam::1:role/i\n"
               "source_profile = itself\naws_access_key_id = AKSELF\n"
               "aws_secret_access_key = s\n"
               "[profile none]\nrole_arn = arn:aws:iam::1:role/n\n");
  write_credentials(scene, "[base]\naws_access_key_id = AKBASE\n"
                           "aws_secret_access_key = sbase\n");
  harbour_answer(scene->harbour, "Action=AssumeRole&", -1, 200, "",
                 sts_answer("ASROLE", 3600));
  scene_session(scene, (tally_aws_options_t){.profile = "work"});
  scene_expect(scene, "ASROLE", "profile `work'");
  const char *request = harbour_request(scene->harbour, "POST / ", 0);
  assert_non_null(strstr(request, "Credential=AKBASE/"));
  assert_non_null(strstr(request, "/eu-west-1/sts/aws4_request"));
  assert_non_null(strstr(request, "&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fw"
                                  "&RoleSessionName=me&DurationSeconds=900"
                                  "&ExternalId=e%20x%2Bt"));
  scene_session(scene, (tally_aws_options_t){.profile = "itself"});
  scene_expect(scene, "ASROLE", "profile `itself'");
  assert_non_null(harbour_request(scene->harbour, "Credential=AKSELF/", 0));
  scene_session(scene, (tally_aws_options_t){.profile = "loop"});
  scene_expect_none(scene, "source_profile `loop2'", "AWS credentials");
  scene_session(scene, (tally_aws_options_t){.profile = "none"});
  scene_expect_none(scene, "role_arn without", "profile");
}

static void role_that_is_refused(void **state) {
  scene_t *scene = *state;
  use_sts(scene);
  write_config(scene, "[default]\nrole_arn = arn:aws:iam::1:role/w\n"
                      "credential_source = Environment\n");
  scene_set("AWS_ACCESS_KEY_ID", "AKENV");
  scene_set("AWS_SECRET_ACCESS_KEY", "TOPSECRET");
  harbour_answer(scene->harbour, "POST", -1, 403, "",
                 "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User "
                 "may not, TOPSECRET</Message></Error></ErrorResponse>");
  /* The environment itself would give keys; a role in the options is on top. */
  scene_session(scene,
                (tally_aws_options_t){.role_arn = "arn:aws:iam::2:role/top"});
  scene_expect_none(scene, "role arn:aws:iam::2:role/top", "AccessDenied");
  tally_aws_keys_t keys;
  tally_error_t err;
  tally_aws_session_keys(scene->session, &keys, &err);
  assert_null(strstr(err.message, "TOPSECRET"));
}

static void role_of_the_options(void **state) {
  scene_t *scene = *state;
  use_sts(scene);
  harbour_answer(scene->harbour, "POST", -1, 200, "",
                 sts_answer("ASTOP", 3600));
  scene_session(scene, (tally_aws_options_t){.access_key = "AKOPT",
                                             .secret_key = "s",
                                             .role_arn = "arn:x",
                                             .external_id = "ext",
                                             .session_name = "node-7"});
  scene_expect(scene, "ASTOP", "option role_arn, options");
  assert_non_null(harbour_request(scene->harbour,
                                  "RoleSessionName=node-7&ExternalId=ext", 0));
}

static void web_identity(void **state) {
  scene_t *scene = *state;
  use_sts(scene);
  scene_set("AWS_ROLE_ARN", "arn:web");
  scene_set("AWS_WEB_IDENTITY_TOKEN_FILE", "%s", scene_path(scene, "/token"));
  scene_session(scene, NO_OPTIONS);
  scene_expect_none(scene, "web identity", "No such file");
  tree_write(&scene->home, "/token", "first.jwt\n");
  harbour_answer(scene->harbour, "WebIdentityToken=first.jwt", -1, 200, "",
                 sts_answer("ASFIRST", 3600));
  harbour_answer(scene->harbour, "WebIdentityToken=second.jwt", -1, 200, "",
                 sts_answer("ASSECOND", 3600));
  scene_session(scene, NO_OPTIONS);
  scene_expect(scene, "ASFIRST", "web identity");
  const char *request = harbour_request(scene->harbour, "first.jwt", 0);
  assert_null(strstr(request, "Authorization"));
  assert_non_null(strstr(request, "Action=AssumeRoleWithWebIdentity&"));
  /* The token rotates; near the expiry the new one is used. */
  tree_write(&scene->home, "/token", "second.jwt");
  scene_expect(scene, "ASFIRST", "web identity");
  tally_aws_session_age(scene->session, 3400);
  scene_expect(scene, "ASSECOND", "web identity");
  unsetenv("AWS_ROLE_ARN");
  scene_session(scene, NO_OPTIONS);
  scene_expect_none(scene, "web identity", "AWS_ROLE_ARN is not set");
}

static void hostile_answers_of_sts(void **state) {
  scene_t *scene = *state;
  use_sts(scene);
  static const char *const bodies[] = {
      "",
      "<",
      "<Credentials>",
      "<AccessKeyId>A</AccessKeyId>",
      "<AccessKeyId>A B</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
      "<SessionToken>t</SessionToken><Expiration>2030-01-01T00:00:00Z"
      "</Expiration>",
      "<AccessKeyId>A</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
      "<SessionToken>t</SessionToken><Expiration>soon</Expiration>",
      "{\"AccessKeyId\":\"A\"}"};
  for (size_t i = 0; i < COUNT_OF(bodies); i++) {
    print_message("# case %zu\n", i);
    harbour_forget(scene->harbour);
    harbour_answer(scene->harbour, "POST", -1, 200, "", bodies[i]);
    scene_session(scene, (tally_aws_options_t){.access_key = "AKOPT",
                                               .secret_key = "s",
                                               .role_arn = "arn:x"});
    scene_expect_none(scene, "role arn:x", "AWS credentials");
  }
}

/* ---- credential_process -------------------------------------------------- */

static void write_program(scene_t *scene, const char *text) {
  tree_write(&scene->home, "/give keys", text);
  assert_int_equal(chmod(scene_path(scene, "/give keys"), 0700), 0);
  char config[512];
  snprintf(config, sizeof(config),
           "[default]\ncredential_process = \"%s\" 'a b' c\\ d $HOME;x\n",
           scene_path(scene, "/give keys"));
  write_config(scene, config);
}

static void process(void **state) {
  scene_t *scene = *state;
  write_program(scene, "#!/bin/sh\n"
                       "[ \"$1$2$3\" = 'a bc d$HOME;x' ] || exit 9\n"
                       "echo '{\"Version\":1,\"AccessKeyId\":\"AKPROC\",'\n"
                       "echo '\"SecretAccessKey\":\"s\"}'\n");
  scene_session(scene, NO_OPTIONS);
  scene_expect(scene, "AKPROC", "profile `default'");
}

static void process_in_trouble(void **state) {
  scene_t *scene = *state;
  static const struct {
    const char *program, *text;
  } cases[] = {
      {"#!/bin/sh\necho TOPSECRET >&2; exit 3\n", "exit status 3"},
      {"#!/bin/sh\nkill -9 $$\n", "killed by signal 9"},
      {"#!/bin/sh\necho TOPSECRET\n", "not JSON"},
      {"#!/bin/sh\nyes TOPSECRET\n", "Message too long"},
      {"#!/bin/sh\nsleep 100 & wait\n", "timed out"},
      {"#!/bin/sh\nexec >&-; sleep 100\n", "timed out"},
      {"no program", "give keys"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    print_message("# case %zu\n", i);
    write_program(scene, cases[i].program);
    bool hangs = strcmp(cases[i].text, "timed out") == 0;
    scene_session(scene,
                  (tally_aws_options_t){.process_ms = hangs ? 300 : 20000});
    tally_aws_keys_t keys;
    tally_error_t err = {0};
    assert_int_equal(tally_aws_session_keys(scene->session, &keys, &err), -1);
    assert_non_null(strstr(err.message, cases[i].text));
    assert_null(strstr(err.message, "TOPSECRET"));
  }
  write_config(scene, "[default]\ncredential_process = \"open\n");
  scene_session(scene, NO_OPTIONS);
  scene_expect_none(scene, "credential_process", "open quote");
}

/* ---- container ----------------------------------------------------------- */

static void container(void **state) {
  scene_t *scene = *state;
  scene_set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "%s/v1/credentials?id=1",
            harbour_url(scene->harbour));
  scene_set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "ignored");
  scene_set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "%s",
            scene_path(scene, "/token"));
  tree_write(&scene->home, "/token", "Bearer one\n");
  harbour_answer(scene->harbour, "Authorization: Bearer one\r\n", 2, 429, "",
                 "");
  harbour_answer(scene->harbour, "Authorization: Bearer one\r\n", -1, 200, "",
                 scene_keys("ASONE", 3600));
  harbour_answer(scene->harbour, "Authorization: Bearer two\r\n", -1, 200, "",
                 scene_keys("ASTWO", 3600));
  scene_session(scene, (tally_aws_options_t){.metadata_ms = 5000});
  scene_expect(scene, "ASONE", "container");
  assert_int_equal(
      harbour_requests(scene->harbour, "GET /v1/credentials?id=1 "), 3);
  tree_write(&scene->home, "/token", "Bearer two\n");
  tally_aws_session_age(scene->session, 3400);
  scene_expect(scene, "ASTWO", "container");
  tree_write(&scene->home, "/token", "two\r\nX-Evil: 1");
  scene_session(scene, NO_OPTIONS);
  scene_expect_none(scene, "container", "holds no token");
}

static void container_that_refuses(void **state) {
  scene_t *scene = *state;
  scene_set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "%s/c",
            harbour_url(scene->harbour));
  scene_session(scene, NO_OPTIONS);
  harbour_answer(scene->harbour, "GET /c", -1, 400, "",
                 "{\"code\":\"InvalidIdInRequest\"}");
  scene_expect_none(scene, "container", "status 400 InvalidIdInRequest");
  scene_set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/c");
  scene_session(scene, NO_OPTIONS);
  scene_expect_none(scene, "container", "http only to loopback");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(nothing_anywhere),         TEST(options_come_first),
      TEST(environment_comes_second), TEST(profiles),
      TEST(role_with_source_profile), TEST(role_that_is_refused),
      TEST(role_of_the_options),      TEST(web_identity),
      TEST(hostile_answers_of_sts),   TEST(process),
      TEST(process_in_trouble),       TEST(container),
      TEST(container_that_refuses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
