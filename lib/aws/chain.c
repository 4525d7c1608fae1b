/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "aws/keys.h"

static const struct {
  const char *name;
  tally_aws_link_t link;
} links[] = {
    {"options", tally_aws_keys_from_options},
    {"environment", tally_aws_keys_from_environment},
    {"profile", tally_aws_keys_from_profile},
    {"web identity", tally_aws_keys_from_web_identity},
    {"container", tally_aws_keys_from_container},
    {"instance metadata", tally_aws_keys_from_metadata},
};

/* One sentence of all links and reasons; each has its share of the room. */
static int give_up(const tally_aws_session_t *session,
                   const tally_error_t *reasons, size_t count,
                   tally_error_t *err) {
  char text[sizeof(err->message)] = "";
  size_t len = 0;
  for (size_t i = 1; i < count; i++) { /* the options have none */
    int n = snprintf(text + len, sizeof(text) - len, "%s%s: %.110s",
                     len ? "; " : "", links[i].name, reasons[i].message);
    if (n < 0 || (size_t)n >= sizeof(text) - len)
      break;
    len += (size_t)n;
  }
  return tally_error_set(err, 0, "no AWS credentials: none in %.60s; %.400s",
                         session->options.names->keys, text);
}

static int walk(tally_aws_session_t *session, tally_aws_keys_t *keys,
                tally_error_t *err) {
  tally_error_t reasons[sizeof(links) / sizeof(links[0])] = {0};
  const size_t count = sizeof(links) / sizeof(links[0]);
  for (size_t i = 0; i < count; i++) {
    int code = links[i].link(session, keys, &reasons[i]);
    if (code == 1) {
      if (*keys->source == '\0')
        snprintf(keys->source, sizeof(keys->source), "%s", links[i].name);
      return 0;
    }
    if (code < 0) {
      tally_aws_keys_clear(keys);
      if (err != NULL)
        *err = reasons[i];
      return tally_error_wrap(err, "AWS credentials from %s", links[i].name);
    }
  }
  return give_up(session, reasons, count, err);
}

int tally_aws_keys_find(tally_aws_session_t *session, tally_aws_keys_t *keys,
                        tally_error_t *err) {
  *keys = (tally_aws_keys_t){0};
  const tally_aws_options_t *options = &session->options;
  if (options->role_arn == NULL)
    return walk(session, keys, err);

  tally_aws_autokeys tally_aws_keys_t base = {0};
  if (walk(session, &base, err) != 0)
    return -1;
  tally_aws_role_t role = {.arn = options->role_arn,
                           .external_id = options->external_id};
  if (tally_aws_sts_assume(session, &role, &base, keys, err) != 0)
    return tally_error_wrap(err, "AWS credentials: %s, with keys of %s",
                            options->names->role_arn, base.source);
  snprintf(keys->source, sizeof(keys->source), "%.40s, %.100s",
           options->names->role_arn, base.source);
  return 0;
}
