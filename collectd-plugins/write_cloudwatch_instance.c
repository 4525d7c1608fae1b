/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "write_cloudwatch_instance.h"

#define PLUGIN_NAME "write_cloudwatch"
#define RETRY_S 60

/* false: it is time to stop. */
static bool rest(write_cloudwatch_instance_t *instance) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += RETRY_S;
  pthread_mutex_lock(&instance->lock);
  while (!instance->stop &&
         pthread_cond_timedwait(&instance->news, &instance->lock, &until) !=
             ETIMEDOUT)
    ;
  bool go_on = !instance->stop;
  pthread_mutex_unlock(&instance->lock);
  return go_on;
}

static bool ask(write_cloudwatch_instance_t *instance, tally_error_t *err) {
  tally_aws_identity_t identity;
  if (tally_aws_session_identity(instance->session, &identity, err) != 0)
    return false;
  pthread_mutex_lock(&instance->lock);
  instance->identity = identity;
  instance->known = true;
  pthread_mutex_unlock(&instance->lock);
  INFO(PLUGIN_NAME " plugin: this is instance %s (%s) in %s", identity.instance,
       identity.type, identity.zone);
  return true;
}

/* A metadata service that comes late is better than none. */
static void *run(void *data) {
  write_cloudwatch_instance_t *instance = data;
  tally_error_t err = {0};
  bool known = ask(instance, &err);
  if (!known && err.code != ECANCELED)
    WARNING(PLUGIN_NAME " plugin: not known which instance this is: %s; "
                        "dimensions that name it are left out",
            err.message);
  instance->settled(write_cloudwatch_instance_get(instance));
  while (!known && rest(instance))
    known = ask(instance, &err);
  return NULL;
}

int write_cloudwatch_instance_start(
    write_cloudwatch_instance_t *instance, tally_aws_session_t *session,
    void (*settled)(const tally_aws_identity_t *identity)) {
  instance->session = session;
  instance->settled = settled;
  int status = plugin_thread_create(&instance->thread, run, instance, "cw_id");
  if (status != 0) {
    ERROR(PLUGIN_NAME " plugin: no thread: %s", STRERROR(status));
    return -1;
  }
  instance->thread_runs = true;
  return 0;
}

const tally_aws_identity_t *
write_cloudwatch_instance_get(write_cloudwatch_instance_t *instance) {
  pthread_mutex_lock(&instance->lock);
  bool known = instance->known;
  pthread_mutex_unlock(&instance->lock);
  return known ? &instance->identity : NULL;
}

void write_cloudwatch_instance_stop(write_cloudwatch_instance_t *instance) {
  if (!instance->thread_runs)
    return;
  pthread_mutex_lock(&instance->lock);
  instance->stop = true;
  pthread_cond_signal(&instance->news);
  pthread_mutex_unlock(&instance->lock);
  tally_aws_session_stop(instance->session);
  pthread_join(instance->thread, NULL);
  instance->thread_runs = false;
}
