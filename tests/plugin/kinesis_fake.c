/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include <setjmp.h>

#include <cmocka.h>

#include "kinesis_fake.h"

#define PATIENCE 20 /* seconds */

typedef struct {
  char stream[64];
  tally_kinesis_options_t options;
  bool cancelled;
} fake_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
kinesis_fake_t kinesis_fake; /* guarded by lock */

static void remember(const fake_t *fake, const tally_record_t *record) {
  kinesis_fake_t *k = &kinesis_fake;
  if (k->sent_count == k->sent_size) {
    k->sent_size = k->sent_size > 0 ? 2 * k->sent_size : 64;
    k->sent = realloc(k->sent, k->sent_size * sizeof(*k->sent));
    assert_non_null(k->sent);
  }
  kinesis_fake_sent_t *s = &k->sent[k->sent_count++];
  memcpy(s->stream, fake->stream, sizeof(s->stream));
  snprintf(s->key, sizeof(s->key), "%.*s", (int)record->key_len, record->key);
  snprintf(s->data, sizeof(s->data), "%.*s", (int)record->len, record->data);
}

static int hang(fake_t *fake, tally_error_t *err) {
  kinesis_fake.hanging++;
  pthread_cond_broadcast(&changed);
  while (!fake->cancelled)
    pthread_cond_wait(&changed, &lock);
  kinesis_fake.hanging--;
  return tally_error_set(err, ECANCELED, "Kinesis");
}

static int fake_send(void *data, const tally_record_t *records, size_t count,
                     tally_fate_t *fates, tally_answer_t *answer,
                     tally_error_t *err) {
  fake_t *fake = data;
  int status = 0;
  pthread_mutex_lock(&lock);
  if (strcmp(fake->stream, "dead") == 0)
    status = hang(fake, err);
  else if (strcmp(fake->stream, "missing") == 0)
    status = tally_error_set(err, 0, "ResourceNotFoundException");
  for (size_t i = 0; status == 0 && i < count; i++) {
    remember(fake, &records[i]);
    fates[i] = TALLY_FATE_SENT;
  }
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
  return status;
}

static void fake_cancel(void *data) {
  pthread_mutex_lock(&lock);
  ((fake_t *)data)->cancelled = true;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

static void fake_release(void *data) {
  pthread_mutex_lock(&lock);
  kinesis_fake.released++;
  pthread_mutex_unlock(&lock);
  free(data);
}

/* In place of the library's. */
int tally_kinesis_open(tally_aws_session_t *session,
                       const tally_kinesis_options_t *options,
                       tally_destination_t *destination,
                       tally_outbox_options_t *outbox, tally_error_t *err) {
  assert_non_null(session);
  if (strchr(options->stream, ' ') != NULL)
    return tally_error_set(err, 0, "`%s' is no name", options->stream);
  fake_t *fake = calloc(1, sizeof(*fake));
  assert_non_null(fake);
  snprintf(fake->stream, sizeof(fake->stream), "%s", options->stream);
  kinesis_fake.last = *options;
  *destination = (tally_destination_t){.data = fake,
                                       .send = fake_send,
                                       .cancel = fake_cancel,
                                       .release = fake_release};
  return 0;
}

void kinesis_fake_forget(void) {
  free(kinesis_fake.sent);
  kinesis_fake = (kinesis_fake_t){.sent = NULL};
}

bool kinesis_fake_wait(const size_t *number, size_t wanted) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += PATIENCE;
  pthread_mutex_lock(&lock);
  int status = 0;
  while (*number < wanted && status == 0)
    status = pthread_cond_timedwait(&changed, &lock, &until);
  bool reached = *number >= wanted;
  pthread_mutex_unlock(&lock);
  return reached;
}

size_t kinesis_fake_count(const char *stream) {
  size_t count = 0;
  pthread_mutex_lock(&lock);
  for (size_t i = 0; i < kinesis_fake.sent_count; i++)
    count += strcmp(kinesis_fake.sent[i].stream, stream) == 0;
  pthread_mutex_unlock(&lock);
  return count;
}
