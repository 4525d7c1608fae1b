/* SPDX-License-Identifier: MIT */
/* Where a daemon listens. */
#include "config.h"

#include "unit.h"

#include "docker/docker.h"

static int forget_environment(void **state) {
  unsetenv("DOCKER_HOST");
  unsetenv("DOCKER_TLS_VERIFY");
  unsetenv("DOCKER_CERT_PATH");
  return 0;
}

static void test_good(void **state) {
  static const struct {
    const char *text, *cert_dir;
    const char *name, *socket_path, *base_url;
  } cases[] = {
      {NULL, NULL, "unix:///var/run/docker.sock", "/var/run/docker.sock",
       "http://localhost"},
      {"", "", "unix:///var/run/docker.sock", "/var/run/docker.sock",
       "http://localhost"},
      {"unix:///a b", NULL, "unix:///a b", "/a b", "http://localhost"},
      {"/run/d.sock", NULL, "unix:///run/d.sock", "/run/d.sock",
       "http://localhost"},
      {"tcp://10.0.0.7", NULL, "http://10.0.0.7:2375", NULL,
       "http://10.0.0.7:2375"},
      {"tcp://h:99/", NULL, "http://h:99", NULL, "http://h:99"},
      {"tcp://[::1]:99", NULL, "http://[::1]:99", NULL, "http://[::1]:99"},
      {"tcp://[::1]", NULL, "http://[::1]:2375", NULL, "http://[::1]:2375"},
      {"tcp://h", "/etc", "https://h:2376", NULL, "https://h:2376"},
      {"http://h", "/etc", "http://h:2375", NULL, "http://h:2375"},
      {"https://h", NULL, "https://h:2376", NULL, "https://h:2376"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_endpoint_t e;
    assert_int_equal(
        tally_endpoint_parse(&e, cases[i].text, cases[i].cert_dir, NULL), 0);
    assert_string_equal(e.name, cases[i].name);
    assert_string_equal(e.base_url, cases[i].base_url);
    if (cases[i].socket_path != NULL)
      assert_string_equal(e.socket_path, cases[i].socket_path);
    else
      assert_null(e.socket_path);
    assert_true(e.verify);
    tally_endpoint_clear(&e);
  }
}

static void test_bad(void **state) {
  static const struct {
    const char *text, *why;
  } cases[] = {
      {"unix://relative", "absolute"},
      {"docker.sock", "must be"},
      {"ftp://x", "must be"},
      {"tcp://", "host is missing"},
      {"tcp://:2375", "host is missing"},
      {"tcp://h:0", "port"},
      {"tcp://h:65536", "port"},
      {"tcp://h:12x", "port"},
      {"tcp://h:", "port"},
      {"tcp://h/path", "path"},
      {"tcp://[::1", "]"},
      {"tcp://[::1]x", "port"},
      {"tcp://a b", "host name"},
      {"tcp://user@h", "host name"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_endpoint_t e;
    tally_error_t err = {0};
    assert_int_equal(tally_endpoint_parse(&e, cases[i].text, NULL, &err), -1);
    assert_non_null(strstr(err.message, cases[i].text));
    assert_non_null(strstr(err.message, cases[i].why));
    assert_null(e.name);
  }

  char longer[300] = "/";
  memset(longer + 1, 'x', sizeof(longer) - 2);
  tally_endpoint_t e;
  assert_int_equal(tally_endpoint_parse(&e, longer, NULL, NULL), -1);

  tally_error_t err = {0};
  assert_int_equal(tally_endpoint_parse(&e, "tcp://h", "/nonexistent", &err),
                   -1);
  assert_non_null(strstr(err.message, "\"/nonexistent\": No such file"));
  assert_int_equal(tally_endpoint_parse(&e, "tcp://h", "/dev/null", &err), -1);
  assert_non_null(strstr(err.message, "Not a directory"));
}

static void test_environment(void **state) {
  tally_endpoint_t e;
  setenv("DOCKER_HOST", "tcp://10.0.0.7", 1);
  assert_int_equal(tally_endpoint_parse(&e, NULL, NULL, NULL), 0);
  assert_string_equal(e.name, "http://10.0.0.7:2375");
  tally_endpoint_clear(&e);

  setenv("DOCKER_TLS_VERIFY", "1", 1);
  setenv("DOCKER_CERT_PATH", "/elsewhere", 1);
  assert_int_equal(tally_endpoint_parse(&e, NULL, NULL, NULL), 0);
  assert_string_equal(e.name, "https://10.0.0.7:2376");
  assert_string_equal(e.cert_dir, "/elsewhere");
  tally_endpoint_clear(&e);

  unsetenv("DOCKER_CERT_PATH");
  setenv("HOME", "/home/agent", 1);
  assert_int_equal(tally_endpoint_parse(&e, NULL, NULL, NULL), 0);
  assert_string_equal(e.cert_dir, "/home/agent/.docker");
  tally_endpoint_clear(&e);

  /* what is said beats the environment */
  assert_int_equal(tally_endpoint_parse(&e, "unix:///x", NULL, NULL), 0);
  assert_null(e.cert_dir);
  tally_endpoint_clear(&e);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_good, forget_environment),
      cmocka_unit_test_setup(test_bad, forget_environment),
      cmocka_unit_test_setup(test_environment, forget_environment),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
