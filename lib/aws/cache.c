/* SPDX-License-Identifier: MIT */
#include "config.h"

/* The keys of a session: kept, renewed in time, and in trouble kept on. */

#include <errno.h>
#include <string.h>

#include "aws/keys.h"
#include "core/clock.h"

#define AHEAD_S 300    /* before the expiry */
#define LATE_S 60      /* keys that come expired: the issuer is in trouble */
#define RETRY_MAX_S 30 /* after failures */
#define REJECTED_AGAIN_S                                                       \
  10 /* the chain insists on what the service refuses                          \
      */

static uint64_t after_s(uint64_t now_ns, uint64_t seconds) {
  return now_ns + seconds * TALLY_NS_PER_S;
}

/* When to renew keys that were got just now. */
static uint64_t renewal(const tally_aws_keys_t *keys, uint64_t now_ns) {
  if (keys->expires_ns == 0)
    return UINT64_MAX;
  uint64_t wall_ns = tally_clock_realtime_ns();
  if (keys->expires_ns <= wall_ns)
    return after_s(now_ns, LATE_S);
  uint64_t life_ns = keys->expires_ns - wall_ns;
  uint64_t ahead_ns = AHEAD_S * TALLY_NS_PER_S;
  return now_ns + (life_ns > 2 * ahead_ns ? life_ns - ahead_ns : life_ns / 2);
}

static bool are_same(const tally_aws_keys_t *a, const tally_aws_keys_t *b) {
  return strcmp(a->access_key, b->access_key) == 0 &&
         strcmp(a->secret_key, b->secret_key) == 0 &&
         strcmp(a->token, b->token) == 0;
}

/* With the lock held. */
static void keep(tally_aws_session_t *session, const tally_aws_keys_t *keys) {
  uint64_t now_ns = tally_clock_monotonic_ns();
  bool again = session->rejected && are_same(&session->keys, keys);
  session->retry_ns = again ? after_s(now_ns, REJECTED_AGAIN_S) : 0;
  session->rejected = again;
  session->failures = 0;
  session->renew_ns = renewal(keys, now_ns);
  session->keys = *keys;
  session->have_keys = true;
}

static void note_failure(tally_aws_session_t *session,
                         const tally_error_t *problem) {
  unsigned pause_s =
      session->failures < 5 ? 1U << session->failures : (unsigned)RETRY_MAX_S;
  session->failures++;
  session->retry_ns = after_s(tally_clock_monotonic_ns(), pause_s);
  session->why_no_keys = *problem;
}

/* With the lock held, which is given back while it works. -1 and *err: stopped.
 * Other failures are noted in the session. */
static int renew(tally_aws_session_t *session, tally_error_t *err) {
  tally_aws_autokeys tally_aws_keys_t keys = {0};
  tally_error_t problem = {0};
  int code = tally_aws_session_sit_locked(session, &problem);
  if (code == 0) {
    pthread_mutex_unlock(&session->lock);
    code = tally_aws_keys_find(session, &keys, &problem);
    pthread_mutex_lock(&session->lock);
    tally_aws_session_rise_locked(session);
  }
  if (session->stopped) {
    if (err != NULL)
      *err = problem;
    return tally_error_set(err, ECANCELED, "AWS credentials");
  }
  if (code == 0)
    keep(session, &keys);
  else
    note_failure(session, &problem);
  return 0;
}

static bool are_due(const tally_aws_session_t *session, uint64_t now_ns) {
  return !session->have_keys || session->rejected ||
         now_ns >= session->renew_ns;
}

/* Whether waiting for somebody else's new keys is better than the old ones. */
static bool are_good(const tally_aws_session_t *session) {
  return session->have_keys && !session->rejected &&
         (session->keys.expires_ns == 0 ||
          session->keys.expires_ns > tally_clock_realtime_ns());
}

int tally_aws_session_keys(tally_aws_session_t *session, tally_aws_keys_t *keys,
                           tally_error_t *err) {
  pthread_mutex_lock(&session->lock);
  int code = 0;
  for (;;) {
    uint64_t now_ns = tally_clock_monotonic_ns();
    if (!are_due(session, now_ns) || now_ns < session->retry_ns ||
        (session->busy && are_good(session)))
      break;
    if (session->busy && !session->stopped) {
      pthread_cond_wait(&session->changed, &session->lock);
      continue;
    }
    code = renew(session, err);
    if (code != 0)
      break;
  }
  if (code == 0 && session->have_keys) {
    *keys = session->keys;
  } else {
    memset(keys, 0, sizeof(*keys));
    if (code == 0 && err != NULL)
      *err = session->why_no_keys;
    code = -1;
  }
  pthread_mutex_unlock(&session->lock);
  return code;
}

void tally_aws_session_reject(tally_aws_session_t *session,
                              const tally_aws_keys_t *keys) {
  pthread_mutex_lock(&session->lock);
  if (session->have_keys && are_same(&session->keys, keys))
    session->rejected = true;
  pthread_mutex_unlock(&session->lock);
}

void tally_aws_session_age(tally_aws_session_t *session, unsigned seconds) {
  uint64_t ns = seconds * TALLY_NS_PER_S;
  pthread_mutex_lock(&session->lock);
  if (session->renew_ns != UINT64_MAX)
    session->renew_ns -= session->renew_ns > ns ? ns : session->renew_ns;
  session->retry_ns -= session->retry_ns > ns ? ns : session->retry_ns;
  if (session->keys.expires_ns != 0)
    session->keys.expires_ns -= ns;
  pthread_mutex_unlock(&session->lock);
}
