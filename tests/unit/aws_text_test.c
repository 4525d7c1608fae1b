/* SPDX-License-Identifier: MIT */
/* The parts of lib/aws that only compute: files, refusals, URLs. */
#include "config.h"

#include "unit.h"

#include "aws/endpoint.h"
#include "aws/fault.h"
#include "aws/ini.h"
#include "aws/keys.h"
#include "aws/request.h"

/* ---- shared files -------------------------------------------------------- */

static void ini_file(void **state) {
  static const char text[] =
      "\xef\xbb\xbf# a comment\r\nlost = 1\r\n[default]\r\nRegion=eu-west-1\r\n"
      "  [profile   \"web\"] ; why\n" /* an indented title is no title */
      "[ profile  'web' ]\naws_access_key_id =  A B  # not this\n"
      "url = http://x/#anchor\nempty =\nnonsense\n= nothing\n"
      "s3 =\n  endpoint_url = http://s3\n  max = 1\nregion = a\nregion = b\n"
      "  folded = line\n[broken\nkey = 1\n[profile web]\nlast = 1";
  tally_error_t err = {0};
  tally_ini_t *ini = tally_ini_parse(text, sizeof(text) - 1, &err);
  assert_non_null(ini);
  assert_true(tally_ini_has(ini, "default"));
  assert_true(tally_ini_has(ini, "profile web"));
  assert_false(tally_ini_has(ini, "web"));
  static const struct {
    const char *title, *key, *value;
  } cases[] = {
      {"default", "region", "eu-west-1"},
      {"default", "lost", NULL},
      {"profile web", "aws_access_key_id", "A B"},
      {"profile web", "url", "http://x/#anchor"},
      {"profile web", "empty", NULL},
      {"profile web", "nonsense", NULL},
      {"profile web", "s3.endpoint_url", "http://s3"},
      {"profile web", "s3.max", "1"},
      {"profile web", "endpoint_url", NULL},
      {"profile web", "region", "b"},
      {"profile web", "folded", NULL},
      {"profile web", "key", NULL},
      {"profile web", "last", "1"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    const char *value = tally_ini_get(ini, cases[i].title, cases[i].key);
    print_message("# %s\n", cases[i].key);
    if (cases[i].value == NULL)
      assert_null(value);
    else
      assert_string_equal(value, cases[i].value);
  }
  tally_ini_destroy(ini);
  assert_null(tally_ini_get(NULL, "a", "b"));
}

static void hostile_ini_files(void **state) {
  tally_error_t err = {0};
  char *large = malloc(TALLY_INI_MAX + 1);
  memset(large, '\n', TALLY_INI_MAX + 1);
  assert_null(tally_ini_parse(large, TALLY_INI_MAX + 1, &err));
  memset(large, '[', TALLY_INI_MAX);
  tally_ini_t *ini = tally_ini_parse(large, TALLY_INI_MAX, &err);
  assert_non_null(ini);
  tally_ini_destroy(ini);
  for (size_t i = 0; i + 4 <= TALLY_INI_MAX; i += 4)
    memcpy(large + i, "a=1\n", 4);
  memcpy(large, "[t]\n", 4);
  assert_null(tally_ini_parse(large, TALLY_INI_MAX, &err));
  assert_non_null(strstr(err.message, "lines"));
  free(large);
  ini = tally_ini_parse("[a]\nk\0=v\nl=w\0x\n[]\n=\n", 20, &err);
  assert_non_null(ini);
  assert_string_equal(tally_ini_get(ini, "a", "l"), "w");
  tally_ini_destroy(ini);
}

/* ---- refusals ------------------------------------------------------------ */

static const struct {
  const char *body, *type;
  int status;
  int64_t skew_s;
  const char *code, *words;
  tally_aws_fault_t fault;
} refusals[] = {
    {"{\"__type\":\"com.amazonaws.kinesis#"
     "ProvisionedThroughputExceededException\",\"message\":\"Rate\"}",
     "", 400, 0, "ProvisionedThroughputExceededException", "Rate",
     TALLY_AWS_THROTTLED},
    {"{\"__type\":\"ResourceNotFoundException\",\"Message\":\"Stream x\"}", "",
     400, 0, "ResourceNotFoundException", "Stream x", TALLY_AWS_MISCONFIGURED},
    {"{\"message\":\"m\"}", "ValidationException:http://internal/", 400, 0,
     "ValidationException", "m", TALLY_AWS_PERMANENT},
    {"<ErrorResponse xmlns=\"x\"><Error><Type>Sender</Type><Code>Throttling"
     "</Code><Message>Rate &lt;exceeded&gt; &#65;&amp;&#x42; &bogus; &#0;"
     "</Message></Error><RequestId>r-1</RequestId></ErrorResponse>",
     "", 400, 0, "Throttling", "Rate <exceeded> A&B &bogus; &#0;",
     TALLY_AWS_THROTTLED},
    {"{\"__type\":\"ExpiredTokenException\",\"message\":\"The security token "
     "included in the request is expired\"}",
     "", 400, 0, "ExpiredTokenException",
     "The security token included in the request is expired",
     TALLY_AWS_EXPIRED},
    {"{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature "
     "expired\\nThe Canonical String: x-amz-security-token:SECRET\"}",
     "", 400, 3600, "InvalidSignatureException", "Signature expired",
     TALLY_AWS_SKEW},
    {"{\"__type\":\"InvalidSignatureException\",\"message\":\"does not "
     "match\"}",
     "", 400, 2, "InvalidSignatureException", "does not match",
     TALLY_AWS_MISCONFIGURED},
    {"<Error><Code>RequestTimeTooSkewed</Code></Error>", "", 403, 0,
     "RequestTimeTooSkewed", "", TALLY_AWS_SKEW},
    {"<Error><Code>SignatureDoesNotMatch</Code></Error>", "", 403, -900,
     "SignatureDoesNotMatch", "", TALLY_AWS_SKEW},
    {"<html>\n<body>Bad gateway</body>", "", 502, 0, "", "",
     TALLY_AWS_TEMPORARY},
    {"slow down\nplease", "", 429, 0, "", "slow down", TALLY_AWS_THROTTLED},
    {"", "", 500, 0, "", "", TALLY_AWS_TEMPORARY},
    {"", "", 301, 0, "", "", TALLY_AWS_MISCONFIGURED},
    {"", "", 413, 0, "", "", TALLY_AWS_PERMANENT},
    {"", "", 404, 0, "", "", TALLY_AWS_MISCONFIGURED},
    {"{\"__type\":{\"a\":1},\"message\":[]}", "", 400, 0, "", "",
     TALLY_AWS_PERMANENT},
    {"{\"__type\":\"#\"}", "", 400, 0, "#", "", TALLY_AWS_PERMANENT},
    {"<Code><Code><Code", "", 400, 0, "", "", TALLY_AWS_PERMANENT},
    {"<Code/><Message", "", 400, 0, "", "", TALLY_AWS_PERMANENT},
    {"{{{{", "", 503, 0, "", "", TALLY_AWS_TEMPORARY},
};

static void refusals_and_what_follows(void **state) {
  for (size_t i = 0; i < COUNT_OF(refusals); i++) {
    tally_aws_refusal_t refusal;
    print_message("# case %zu\n", i);
    tally_aws_refusal_read(&refusal, refusals[i].body, strlen(refusals[i].body),
                           refusals[i].type);
    assert_string_equal(refusal.code, refusals[i].code);
    assert_string_equal(refusal.words, refusals[i].words);
    assert_int_equal(tally_aws_refusal_classify(&refusal, refusals[i].status,
                                                refusals[i].skew_s),
                     refusals[i].fault);
  }
  assert_int_equal(
      tally_aws_refusal_classify(&(tally_aws_refusal_t){0}, 200, 0),
      TALLY_AWS_OK);
}

static void what_a_refusal_blames(void **state) {
  static const struct {
    tally_aws_fault_t fault;
    int status;
    const char *code;
    bool body;
  } cases[] = {
      {TALLY_AWS_PERMANENT, 400, "ValidationException", true},
      {TALLY_AWS_PERMANENT, 400, "InvalidParameterValue", true},
      {TALLY_AWS_PERMANENT, 413, "", true},
      {TALLY_AWS_PERMANENT, 400, "UnknownOperationException", false},
      {TALLY_AWS_PERMANENT, 400, "", false},
      {TALLY_AWS_TEMPORARY, 500, "ValidationException", false},
      {TALLY_AWS_OK, 200, "", false},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_aws_answer_t answer = {.fault = cases[i].fault,
                                 .status = cases[i].status};
    strcpy(answer.code, cases[i].code);
    assert_int_equal(tally_aws_answer_blames_body(&answer), cases[i].body);
  }
}

static void texts_of_xml(void **state) {
  char text[8];
  assert_true(tally_aws_xml_text("<a><Code x='1'>abc</Code>", "Code", text, 8));
  assert_string_equal(text, "abc");
  assert_true(
      tally_aws_xml_text("<Coder>1</Coder><Code>2</Code>", "Code", text, 8));
  assert_string_equal(text, "2");
  assert_false(tally_aws_xml_text("<Code>12345678</Code>", "Code", text, 8));
  assert_string_equal(text, "");
  assert_false(tally_aws_xml_text("<Code>1", "Code", text, 8));
  assert_false(tally_aws_xml_text("<Code><b>1</b></Code>", "Code", text, 8));
  assert_false(tally_aws_xml_text("<Code", "Code", text, 8));
  assert_false(tally_aws_xml_text("", "Code", text, 8));
}

/* ---- credentials as documents -------------------------------------------- */

static void documents_with_keys(void **state) {
  static const struct {
    const char *text;
    bool good;
  } cases[] = {
      {"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\"}", true},
      {"{\"Code\":\"Success\",\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\","
       "\"Token\":\"T\",\"Expiration\":\"2030-01-01T00:00:00Z\"}",
       true},
      {"{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"AccessKeyId\":\"A\","
       "\"SecretAccessKey\":\"S\"}",
       false},
      {"{\"AccessKeyId\":\"A\"}", false},
      {"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":7}", false},
      {"{\"AccessKeyId\":\"A\\r\\nX: y\",\"SecretAccessKey\":\"S\"}", false},
      {"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Expiration\":\"x\"}",
       false},
      {"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"SECRET\"", false},
      {"[]", false},
      {"", false},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_aws_keys_t keys = {0};
    tally_error_t err = {0};
    print_message("# case %zu\n", i);
    int code = tally_aws_keys_parse_json(&keys, cases[i].text,
                                         strlen(cases[i].text), &err);
    assert_int_equal(code, cases[i].good ? 0 : -1);
    assert_string_equal(keys.access_key, cases[i].good ? "A" : "");
    assert_null(strstr(err.message, "SECRET"));
  }
}

/* ---- endpoints ----------------------------------------------------------- */

static void endpoints_of_services(void **state) {
  static const struct {
    tally_aws_service_t service;
    const char *region;
    bool fips, dualstack;
    const char *url;
  } cases[] = {
      {TALLY_AWS_KINESIS, "eu-west-1", false, false,
       "https://kinesis.eu-west-1.amazonaws.com"},
      {TALLY_AWS_CLOUDWATCH, "us-east-1", true, false,
       "https://monitoring-fips.us-east-1.amazonaws.com"},
      {TALLY_AWS_LOGS, "us-east-1", false, true,
       "https://logs.us-east-1.api.aws"},
      {TALLY_AWS_LOGS, "us-east-1", true, true,
       "https://logs-fips.us-east-1.api.aws"},
      {TALLY_AWS_KINESIS, "cn-north-1", false, false,
       "https://kinesis.cn-north-1.amazonaws.com.cn"},
      {TALLY_AWS_STS, "cn-north-1", false, true,
       "https://sts.cn-north-1.api.amazonwebservices.com.cn"},
      {TALLY_AWS_KINESIS, "us-gov-west-1", true, false,
       "https://kinesis.us-gov-west-1.amazonaws.com"},
      {TALLY_AWS_ECS, "us-gov-west-1", true, false,
       "https://ecs-fips.us-gov-west-1.amazonaws.com"},
      {TALLY_AWS_AUTOSCALING, "us-gov-east-1", true, true,
       "https://autoscaling-fips.us-gov-east-1.api.aws"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char url[TALLY_AWS_URL_MAX];
    tally_aws_endpoint_make(cases[i].service, cases[i].region, cases[i].fips,
                            cases[i].dualstack, url);
    assert_string_equal(url, cases[i].url);
  }
  assert_true(tally_aws_region_is_valid("eu-west-1"));
  assert_false(tally_aws_region_is_valid("eu-west-1.evil.example/"));
  assert_false(tally_aws_region_is_valid(""));
}

static void urls(void **state) {
  static const struct {
    const char *url, *host, *path; /* host NULL: refused */
  } cases[] = {
      {"https://a.example", "a.example", "/"},
      {"HTTPS://a.example:443/", "a.example", "/"},
      {"https://a.example:80", "a.example:80", "/"},
      {"http://127.0.0.1:4566/x/y/", "127.0.0.1:4566", "/x/y"},
      {"http://[::1]:80", "[::1]", "/"},
      {"ftp://a.example", NULL, NULL},
      {"http://", NULL, NULL},
      {"http:///x", NULL, NULL},
      {"http://:80/x", NULL, NULL},
      {"http://user:secret@host/", NULL, NULL},
      {"http://host\r\nX: y", NULL, NULL},
      {"http://host/a%20b", NULL, NULL},
      {"http://host/?a=b", NULL, NULL},
      {"", NULL, NULL},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char host[300], path[256];
    tally_error_t err = {0};
    print_message("# case %zu\n", i);
    int code = tally_aws_url_split(cases[i].url, host, path, &err);
    assert_int_equal(code, cases[i].host != NULL ? 0 : -1);
    assert_null(strstr(err.message, "secret"));
    if (code == 0) {
      assert_string_equal(host, cases[i].host);
      assert_string_equal(path, cases[i].path);
    }
  }
}

static void hosts_of_containers(void **state) {
  static const struct {
    const char *relative, *full;
    int code;
    const char *url;
  } cases[] = {
      {NULL, NULL, 0, NULL},
      {"/v2/credentials/x?y", NULL, 1,
       "http://169.254.170.2/v2/credentials/x?y"},
      {"v2", NULL, -1, NULL},
      {"/a b", NULL, -1, NULL},
      {"/x", "http://evil.example/", 1, "http://169.254.170.2/x"},
      {NULL, "http://169.254.170.23/v1/credentials", 1,
       "http://169.254.170.23/v1/credentials"},
      {NULL, "http://[fd00:ec2::23]/v1/c", 1, "http://[fd00:ec2::23]/v1/c"},
      {NULL, "http://[::1]:8080/c?d", 1, "http://[::1]:8080/c?d"},
      {NULL, "http://127.9.9.9/c", 1, "http://127.9.9.9/c"},
      {NULL, "http://localhost/c", 1, "http://localhost/c"},
      {NULL, "https://any.example/c", 1, "https://any.example/c"},
      {NULL, "http://any.example/c", -1, NULL},
      {NULL, "http://169.254.169.254/c", -1, NULL},
      {NULL, "http://127.0.0.1.evil.example/c", -1, NULL},
      {NULL, "http://127.0.0.1@evil.example/c", -1, NULL},
      {NULL, "http://[::1]evil/c", -1, NULL},
      {NULL, "gopher://127.0.0.1/c", -1, NULL},
      {NULL, "/c", -1, NULL},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char url[TALLY_AWS_URL_MAX];
    tally_error_t err = {0};
    print_message("# %s\n", cases[i].full ? cases[i].full : "-");
    assert_int_equal(
        tally_aws_container_url(cases[i].relative, cases[i].full, url, &err),
        cases[i].code);
    if (cases[i].code == 1)
      assert_string_equal(url, cases[i].url);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ini_file),
      cmocka_unit_test(hostile_ini_files),
      cmocka_unit_test(refusals_and_what_follows),
      cmocka_unit_test(what_a_refusal_blames),
      cmocka_unit_test(texts_of_xml),
      cmocka_unit_test(documents_with_keys),
      cmocka_unit_test(endpoints_of_services),
      cmocka_unit_test(urls),
      cmocka_unit_test(hosts_of_containers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
