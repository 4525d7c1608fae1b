/* SPDX-License-Identifier: MIT */
/* What a failed request says of the settings: which, and where it came from. */
#include "config.h"

#include "aws_scene.h"

static const tally_aws_names_t names = {
    .region = "option Region",
    .endpoint_url = "option Endpoint",
    .profile = "option Profile",
    .role_arn = "option RoleARN",
    .ca_file = "option CACert",
    .proxy = "option Proxy",
    .keys = "options AccessKeyID, SecretAccessKey",
};

/* The message of a request that fails; static. */
static const char *message(scene_t *scene, tally_aws_options_t options) {
  static tally_error_t err;
  err = (tally_error_t){0};
  options.names = &names;
  options.timeout_ms = 2000;
  scene_session(scene, options);
  tally_aws_client_t *client =
      tally_aws_client_create(scene->session, TALLY_AWS_KINESIS, &err);
  assert_non_null(client);
  const tally_aws_request_t request = {.target = "Kinesis_20131202.PutRecords",
                                       .content_type = "x",
                                       .body = "{}",
                                       .body_len = 2};
  tally_aws_answer_t answer;
  assert_int_equal(tally_aws_client_send(client, &request, &answer, &err), -1);
  tally_aws_answer_clear(&answer);
  tally_aws_client_destroy(client);
  assert_null(strstr(err.message, "hush"));
  return err.message;
}

static void expect(const char *found, const char *beginning, const char *part) {
  if (strncmp(found, beginning, strlen(beginning)) != 0 ||
      strstr(found, part) == NULL)
    fail_msg("`%s' is not `%s' … `%s'", found, beginning, part);
}

static tally_aws_options_t right(const scene_t *scene) {
  return (tally_aws_options_t){.access_key = "AKIDEXAMPLE1234",
                               .secret_key = "hush",
                               .region = "eu-west-1",
                               .endpoint_url = harbour_url(scene->harbour)};
}

/* ---- which --------------------------------------------------------------- */

#define KEYS "access key AKID…1234 (options AccessKeyID, SecretAccessKey): kin"
#define REGION "region eu-west-1 (option Region): kinesis at http"
#define ENDPOINT "endpoint http://127.0.0.1:"
#define NOTHING "kinesis at http://127.0.0.1:"

static void refusals(void **state) {
  scene_t *scene = *state;
  static const struct {
    int status;
    const char *code, *words, *beginning;
  } cases[] = {
      {400, "UnrecognizedClientException", "The security token", KEYS},
      {403, "InvalidClientTokenId", "The security token", KEYS},
      {400, "ExpiredTokenException", "expired", KEYS},
      {400, "AccessDeniedException",
       "User: arn:aws:iam::1:user/x is not authorized to perform: "
       "kinesis:PutRecords",
       KEYS},
      {403, "AccessDenied", "no", KEYS},
      {400, "InvalidSignatureException",
       "The request signature we calculated does not match", KEYS},
      {403, "SignatureDoesNotMatch", "Check your AWS Secret Access Key", KEYS},
      {400, "InvalidSignatureException",
       "Credential should be scoped to a valid region, not 'eu-west-1'.",
       REGION},
      {403, "SignatureDoesNotMatch",
       "Credential should be scoped to a valid region.", REGION},
      {400, "InvalidSignatureException",
       "Credential should be scoped to correct service: 'logs'.", ENDPOINT},
      {400, "UnknownOperationException", "", ENDPOINT},
      {404, "", "Not here", ENDPOINT},
      {405, "", "Not so", ENDPOINT},
      {302, "", "", ENDPOINT},
      {400, "ResourceNotFoundException", "Stream x not found", NOTHING},
      {400, "ThrottlingException", "Rate exceeded", NOTHING},
      {400, "ValidationException", "of a record", NOTHING},
      {413, "", "Too large", NOTHING},
      {502, "", "Bad gateway", NOTHING},
      {400, "RequestTimeTooSkewed", "a clock", NOTHING},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char body[400];
    snprintf(body, sizeof(body),
             *cases[i].code != '\0' ? "{\"__type\":\"%s\",\"message\":\"%s\"}"
                                    : "%s%s",
             cases[i].code, cases[i].words);
    harbour_forget(scene->harbour);
    harbour_answer(scene->harbour, "POST", -1, cases[i].status, "", body);
    const char *found = message(scene, right(scene));
    expect(found, cases[i].beginning, cases[i].code);
    expect(found, cases[i].beginning, cases[i].words);
  }
}

/* A signature of another time is no matter of keys. */
static void clocks(void **state) {
  scene_t *scene = *state;
  harbour_answer(scene->harbour, "POST", -1, 400,
                 "Date: Tue, 01 Jan 2030 00:00:00 GMT\r\n",
                 "{\"__type\":\"InvalidSignatureException\",\"message\":"
                 "\"Signature expired\"}");
  expect(message(scene, right(scene)), NOTHING, "Signature expired");
}

/* ---- nobody there -------------------------------------------------------- */

static void nobody(void **state) {
  scene_t *scene = *state;
  tally_aws_options_t options = right(scene);
  options.endpoint_url = "http://127.0.0.1:1";
  expect(message(scene, options),
         "endpoint http://127.0.0.1:1 (option Endpoint): kinesis: ", "onnect");
  options.endpoint_url = "http://nobody.invalid/";
  expect(message(scene, options),
         "endpoint http://nobody.invalid (option Endpoint): kinesis: ",
         "resolve host");
  options.endpoint_url = NULL;
  options.region = "eu-wset-1";
  expect(message(scene, options),
         "region eu-wset-1 (option Region): kinesis at "
         "https://kinesis.eu-wset-1.amazonaws.com: ",
         "resolve host");
  char url[100];
  snprintf(url, sizeof(url), "https%s", harbour_url(scene->harbour) + 4);
  options.endpoint_url = url; /* no TLS there */
  expect(message(scene, options),
         "endpoint https://127.0.0.1:", "(option Endpoint): kinesis: ");
}

static void proxies_and_certificates(void **state) {
  scene_t *scene = *state;
  tally_aws_options_t options = right(scene);
  options.proxy = "http://me:hush@nobody.invalid:1";
  expect(message(scene, options),
         "proxy (option Proxy): kinesis at http://127.0.0.1:", "resolve proxy");
  options.proxy = "http://me:hush@127.0.0.1:1";
  expect(message(scene, options), "proxy (option Proxy): ", "onnect");
  options.proxy = NULL;
  options.ca_file = "/nowhere/ca.pem";
  options.endpoint_url = "https://127.0.0.1:1";
  char url[100];
  snprintf(url, sizeof(url), "https%s", harbour_url(scene->harbour) + 4);
  options.endpoint_url = url;
  expect(message(scene, options),
         "certificates /nowhere/ca.pem (option CACert): kinesis at https",
         "/nowhere/ca.pem");
}

/* ---- from where ---------------------------------------------------------- */

#define INVALID                                                                \
  "{\"__type\":\"UnrecognizedClientException\",\"message\":\"invalid\"}"
#define UNSCOPED                                                               \
  "{\"__type\":\"InvalidSignatureException\",\"message\":\"Credential should " \
  "be scoped to a valid region\"}"

static void origins_of_keys(void **state) {
  scene_t *scene = *state;
  char text[400];
  tally_aws_options_t options = right(scene);
  options.access_key = options.secret_key = NULL;
  harbour_answer(scene->harbour, "POST", -1, 400, "", INVALID);
  expect(message(scene, options),
         "no AWS credentials: none in options AccessKeyID, SecretAccessKey; "
         "environment: ",
         "AWS_ACCESS_KEY_ID is not set");

  tree_write(&scene->home, "/.aws/credentials",
             "[shop]\naws_access_key_id=AKIDSHOP\n"
             "aws_secret_access_key=hush\n");
  options.profile = "shop";
  snprintf(text, sizeof(text), "access key AKID… (profile `shop' of %s): ",
           scene_path(scene, "/.aws/credentials"));
  expect(message(scene, options), text, "UnrecognizedClientException: invalid");
  options.profile = "shoop";
  expect(message(scene, options),
         "AWS credentials from profile: `shoop' (option Profile): not "
         "in ",
         "/.aws/credentials");
  options.profile = NULL;
  scene_set("AWS_PROFILE", "shoop");
  expect(message(scene, options),
         "AWS credentials from profile: `shoop' (AWS_PROFILE): ", "");

  scene_set("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT");
  scene_set("AWS_SECRET_ACCESS_KEY", "hush");
  expect(message(scene, options),
         "access key AKID…MENT (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY): ",
         "invalid");
}

static void origins_of_regions(void **state) {
  scene_t *scene = *state;
  char text[400];
  tally_aws_options_t options = right(scene);
  options.region = NULL;
  harbour_answer(scene->harbour, "POST", -1, 400, "", UNSCOPED);
  harbour_answer(scene->harbour, "/placement/region ", -1, 200, "",
                 "ap-south-1");
  expect(message(scene, options),
         "no AWS region: not in option Region, AWS_REGION, AWS_DEFAULT_REGION, "
         "or the profile",
         "");
  scene_set("AWS_EC2_METADATA_DISABLED", "false");
  scene_set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "%s",
            harbour_url(scene->harbour));
  expect(message(scene, options),
         "region ap-south-1 (instance metadata): ", "valid region");
  tree_write(&scene->home, "/.aws/config", "[default]\nregion = eu-north-1\n");
  snprintf(text, sizeof(text), "region eu-north-1 (profile `default' of %s): ",
           scene_path(scene, "/.aws/config"));
  expect(message(scene, options), text, "valid region");
  scene_set("AWS_DEFAULT_REGION", "eu-west-2");
  expect(message(scene, options),
         "region eu-west-2 (AWS_DEFAULT_REGION): ", "");
  scene_set("AWS_REGION", "Europe");
  expect(message(scene, options), "AWS region `Europe' (AWS_REGION): no region",
         "");
}

static void origins_of_endpoints(void **state) {
  scene_t *scene = *state;
  char text[400];
  tally_aws_options_t options = right(scene);
  options.endpoint_url = NULL;
  tree_write(&scene->home, "/.aws/config",
             "[default]\nendpoint_url = http://127.0.0.1:1\n");
  snprintf(text, sizeof(text),
           "endpoint http://127.0.0.1:1 (profile `default' of %s): kinesis: ",
           scene_path(scene, "/.aws/config"));
  expect(message(scene, options), text, "onnect");
  scene_set("AWS_ENDPOINT_URL", "http://127.0.0.1:2");
  expect(message(scene, options),
         "endpoint http://127.0.0.1:2 (AWS_ENDPOINT_URL): kinesis: ", "");
  scene_set("AWS_ENDPOINT_URL_KINESIS", "http://127.0.0.1:3");
  expect(message(scene, options),
         "endpoint http://127.0.0.1:3 (AWS_ENDPOINT_URL_KINESIS): ", "");
  scene_set("AWS_ENDPOINT_URL_KINESIS", "http://me:hush@127.0.0.1:3");
  expect(message(scene, options), "AWS_ENDPOINT_URL_KINESIS: endpoint `(with",
         "not http(s)://");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(refusals),
      TEST(clocks),
      TEST(nobody),
      TEST(proxies_and_certificates),
      TEST(origins_of_keys),
      TEST(origins_of_regions),
      TEST(origins_of_endpoints),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
