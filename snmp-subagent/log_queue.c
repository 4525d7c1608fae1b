/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "log_queue.h"

#include <pthread.h>
#include <stdio.h>

#include "core/text.h"

#define LINES 64
#define LINE_LENGTH 512

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the queue */
static struct {
  tally_log_level_t level;
  char text[LINE_LENGTH];
} queue[LINES];
static size_t head, count;
static unsigned lost;
static void (*wake_reader)(void);

static void put(tally_log_level_t level, const char *text) {
  pthread_mutex_lock(&lock);
  if (count == LINES) {
    lost++;
  } else {
    size_t tail = (head + count++) % LINES;
    queue[tail].level = level;
    tally_text_copy(queue[tail].text, sizeof(queue[tail].text), text);
  }
  void (*wake)(void) = wake_reader;
  pthread_mutex_unlock(&lock);
  wake();
}

void tally_log_queue_start(void (*wake)(void)) {
  pthread_mutex_lock(&lock);
  wake_reader = wake;
  pthread_mutex_unlock(&lock);
  tally_log_set_callback(put);
}

bool tally_log_queue_take(tally_log_level_t *level, char *text, size_t size) {
  pthread_mutex_lock(&lock);
  bool found = count > 0 || lost > 0;
  if (count > 0) {
    *level = queue[head].level;
    snprintf(text, size, "%s", queue[head].text);
    head = (head + 1) % LINES;
    count--;
  } else if (lost > 0) {
    *level = TALLY_LOG_WARNING;
    snprintf(text, size, "%u lines of the log were lost", lost);
    lost = 0;
  }
  pthread_mutex_unlock(&lock);
  return found;
}
