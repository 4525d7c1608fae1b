/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/secret.h"
#include "core/file.h"

/* collectd runs as root with HOME set or not; the others of this account see
 * the same files. */
static void find_path(char path[PATH_MAX], const char *variable,
                      const char *name) {
  const char *value = getenv(variable);
  if (value != NULL && *value != '\0' && strncmp(value, "~/", 2) != 0) {
    snprintf(path, PATH_MAX, "%s", value);
    return;
  }
  const char *home = getenv("HOME");
  if (home == NULL)
    home = "/root";
  if (value != NULL && *value != '\0')
    snprintf(path, PATH_MAX, "%s%s", home, value + 1);
  else
    snprintf(path, PATH_MAX, "%s/.aws/%s", home, name);
}

static int load(const char *path, tally_ini_t **ini, tally_error_t *err) {
  *ini = NULL;
  const size_t size = TALLY_INI_MAX + 2; /* one more shows that it is longer */
  char *text = malloc(size);
  if (text == NULL)
    return tally_error_set(err, ENOMEM, "read `%s'", path);

  tally_error_t problem;
  ssize_t len = tally_file_read(path, text, size, &problem);
  int code = 0;
  if (len >= 0) {
    *ini = tally_ini_parse(text, (size_t)len, &problem);
    tally_secret_wipe(text, (size_t)len);
    if (*ini == NULL)
      code = tally_error_wrap(&problem, "`%s'", path);
  } else if (problem.code != ENOENT && problem.code != ENOTDIR) {
    code = -1;
  }
  free(text);
  if (code != 0 && err != NULL)
    *err = problem;
  return code;
}

int tally_aws_profiles_load(tally_aws_profiles_t *profiles,
                            tally_error_t *err) {
  *profiles = (tally_aws_profiles_t){0};
  find_path(profiles->credentials_path, "AWS_SHARED_CREDENTIALS_FILE",
            "credentials");
  find_path(profiles->config_path, "AWS_CONFIG_FILE", "config");
  if (load(profiles->credentials_path, &profiles->credentials, err) == 0 &&
      load(profiles->config_path, &profiles->config, err) == 0)
    return 0;
  tally_aws_profiles_clear(profiles);
  return -1;
}

void tally_aws_profiles_clear(tally_aws_profiles_t *profiles) {
  tally_ini_destroy(profiles->config);
  tally_ini_destroy(profiles->credentials);
  profiles->config = profiles->credentials = NULL;
}

/* "profile NAME"; false: too long for any file of ours. */
static bool title_of(char title[512], const char *kind, const char *name) {
  int len = snprintf(title, 512, "%s %s", kind, name);
  return len > 0 && len < 512;
}

bool tally_aws_profiles_has(const tally_aws_profiles_t *profiles,
                            const char *profile) {
  char title[512];
  return tally_ini_has(profiles->credentials, profile) ||
         (title_of(title, "profile", profile) &&
          tally_ini_has(profiles->config, title)) ||
         (strcmp(profile, "default") == 0 &&
          tally_ini_has(profiles->config, "default"));
}

const char *tally_aws_profiles_get(const tally_aws_profiles_t *profiles,
                                   const char *profile, const char *key) {
  const char *value = tally_ini_get(profiles->credentials, profile, key);
  char title[512];
  if (value == NULL && title_of(title, "profile", profile))
    value = tally_ini_get(profiles->config, title, key);
  if (value == NULL && strcmp(profile, "default") == 0)
    value = tally_ini_get(profiles->config, "default", key);
  return value;
}

const char *tally_aws_profiles_file(const tally_aws_profiles_t *profiles,
                                    const char *profile, const char *key) {
  bool has = key != NULL
                 ? tally_ini_get(profiles->credentials, profile, key) != NULL
                 : tally_ini_has(profiles->credentials, profile);
  return has ? profiles->credentials_path : profiles->config_path;
}

const char *tally_aws_profiles_service(const tally_aws_profiles_t *profiles,
                                       const char *services, const char *key) {
  char title[512];
  if (!title_of(title, "services", services))
    return NULL;
  return tally_ini_get(profiles->config, title, key);
}
