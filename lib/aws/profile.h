/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_PROFILE_H
#define TALLY_AWS_PROFILE_H

/*
 * The two shared files as one: what the credentials file says of a profile wins
 * over the config file.
 */

#include <limits.h>

#include "aws/ini.h"

typedef struct tally_aws_profiles_s {
  tally_ini_t *config, *credentials; /* NULL: no such file */
  char config_path[PATH_MAX], credentials_path[PATH_MAX];
} tally_aws_profiles_t;

/* A file that is missing is no error; one that cannot be read is. Needs no
 * clear after a failure. */
int tally_aws_profiles_load(tally_aws_profiles_t *profiles, tally_error_t *err);
void tally_aws_profiles_clear(tally_aws_profiles_t *profiles);

bool tally_aws_profiles_has(const tally_aws_profiles_t *profiles,
                            const char *profile);
/* NULL: not set. Lives until the clear. */
const char *tally_aws_profiles_get(const tally_aws_profiles_t *profiles,
                                   const char *profile, const char *key);
/* Which of the two files that comes from; `key` NULL: the profile, from
 * whichever has it. */
const char *tally_aws_profiles_file(const tally_aws_profiles_t *profiles,
                                    const char *profile, const char *key);
/* A key of a [services NAME] section. */
const char *tally_aws_profiles_service(const tally_aws_profiles_t *profiles,
                                       const char *services, const char *key);

#endif
