/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws_scene.h"

#include <time.h>

extern char **environ;

static void clear_environment(void) {
  static const char *const prefixes[] = {
      "AWS_",        "EC2_METADATA_ENDPOINT=", "DEVELOPMENT=", "http_proxy=",
      "HTTP_PROXY=", "https_proxy=",           "HTTPS_PROXY=", "all_proxy=",
      "ALL_PROXY="};
  for (char **entry = environ; *entry != NULL;) {
    bool gone = false;
    for (size_t i = 0; i < COUNT_OF(prefixes) && !gone; i++)
      if (strncmp(*entry, prefixes[i], strlen(prefixes[i])) == 0) {
        char name[256];
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(*entry, "="), *entry);
        unsetenv(name);
        gone = true;
      }
    entry = gone ? environ : entry + 1;
  }
}

int scene_setup(void **state) {
  scene_t *scene = calloc(1, sizeof(*scene));
  assert_non_null(scene);
  clear_environment();
  tree_create(&scene->home);
  scene->harbour = harbour_open();
  scene_set("HOME", "%s", scene->home.root);
  scene_set("AWS_EC2_METADATA_DISABLED", "true");
  *state = scene;
  return 0;
}

int scene_teardown(void **state) {
  scene_t *scene = *state;
  tally_aws_session_unref(scene->session);
  harbour_close(scene->harbour);
  tree_destroy(&scene->home);
  clear_environment();
  free(scene);
  return 0;
}

void scene_set(const char *name, const char *format, ...) {
  char value[4096];
  va_list ap;
  va_start(ap, format);
  vsnprintf(value, sizeof(value), format, ap);
  va_end(ap);
  assert_int_equal(setenv(name, value, 1), 0);
}

tally_aws_session_t *scene_session(scene_t *scene,
                                   tally_aws_options_t options) {
  tally_error_t err = {0};
  tally_aws_session_unref(scene->session);
  scene->session = tally_aws_session_create(&options, &err);
  if (scene->session == NULL)
    fail_msg("%s", err.message);
  return scene->session;
}

const char *scene_path(const scene_t *scene, const char *name) {
  static char path[256];
  snprintf(path, sizeof(path), "%s%s", scene->home.root, name);
  return path;
}

void scene_expect(scene_t *scene, const char *access_key, const char *source) {
  tally_aws_keys_t keys;
  tally_error_t err = {0};
  if (tally_aws_session_keys(scene->session, &keys, &err) != 0)
    fail_msg("%s", err.message);
  assert_string_equal(keys.access_key, access_key);
  if (strncmp(keys.source, source, strlen(source)) != 0)
    fail_msg("source `%s', not `%s'", keys.source, source);
}

void scene_expect_none(scene_t *scene, const char *text, const char *other) {
  tally_aws_keys_t keys;
  tally_error_t err = {0};
  assert_int_equal(tally_aws_session_keys(scene->session, &keys, &err), -1);
  if (strstr(err.message, text) == NULL || strstr(err.message, other) == NULL)
    fail_msg("`%s' without `%s' or `%s'", err.message, text, other);
}

const char *scene_time(int seconds) {
  static char text[64];
  time_t t = time(NULL) + seconds;
  struct tm tm;
  gmtime_r(&t, &tm);
  strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
  return text;
}

const char *scene_keys(const char *access_key, int life_s) {
  static char text[512];
  snprintf(text, sizeof(text),
           "{\"Code\":\"Success\",\"AccessKeyId\":\"%s\",\"SecretAccessKey\":"
           "\"sec\\/ret\",\"Token\":\"tok\",\"Expiration\":\"%s\"}",
           access_key, scene_time(life_s));
  return text;
}
