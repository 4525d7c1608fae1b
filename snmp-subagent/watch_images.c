/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/json.h"
#include "core/thread.h"
#include "watch_private.h"

/* The Engine looks at every image for its answer. */
#define PERIOD_NS (60 * TALLY_NS_PER_S)
/* As long as the end may have to wait. */
#define TIMEOUT_MS 2000

struct tally_watch_images_s {
  tally_inventory_t *inventory;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool stop, wanted; /* guarded by lock, like all below */
  uint64_t count;    /* TALLY_UNKNOWN */
  uint64_t next_ns;  /* when to ask again; monotonic */
};

static uint64_t ask(tally_inventory_t *inventory) {
  char *answer = NULL;
  int status;
  if (tally_inventory_request(inventory, "GET", "/images/json", NULL,
                              TIMEOUT_MS, &answer, &status, NULL) != 0 ||
      answer == NULL) {
    free(answer);
    return TALLY_UNKNOWN;
  }
  tally_json_t *list = tally_json_parse(answer, strlen(answer), NULL);
  free(answer);
  uint64_t count = list != NULL ? tally_json_count(list) : TALLY_UNKNOWN;
  tally_json_destroy(list);
  return count;
}

static void *ask_when_wanted(void *data) {
  tally_watch_images_t *images = data;
  pthread_mutex_lock(&images->lock);
  while (!images->stop) {
    if (!images->wanted) {
      pthread_cond_wait(&images->changed, &images->lock);
      continue;
    }
    pthread_mutex_unlock(&images->lock);
    uint64_t count = ask(images->inventory);
    pthread_mutex_lock(&images->lock);
    images->count = count;
    images->wanted = false;
  }
  pthread_mutex_unlock(&images->lock);
  return NULL;
}

tally_watch_images_t *tally_watch_images_create(tally_inventory_t *inventory,
                                                tally_error_t *err) {
  tally_watch_images_t *images = calloc(1, sizeof(*images));
  if (images == NULL) {
    tally_error_set(err, ENOMEM, "images");
    return NULL;
  }
  images->inventory = inventory;
  images->count = TALLY_UNKNOWN;
  pthread_mutex_init(&images->lock, NULL);
  pthread_cond_init(&images->changed, NULL);
  if (tally_thread_start(&images->thread, "tally-images", ask_when_wanted,
                         images, err) != 0) {
    pthread_cond_destroy(&images->changed);
    pthread_mutex_destroy(&images->lock);
    free(images);
    return NULL;
  }
  return images;
}

void tally_watch_images_destroy(tally_watch_images_t *images) {
  if (images == NULL)
    return;
  pthread_mutex_lock(&images->lock);
  images->stop = true;
  pthread_cond_signal(&images->changed);
  pthread_mutex_unlock(&images->lock);
  pthread_join(images->thread, NULL);
  pthread_cond_destroy(&images->changed);
  pthread_mutex_destroy(&images->lock);
  free(images);
}

uint64_t tally_watch_images_count(tally_watch_images_t *images,
                                  bool reachable) {
  uint64_t now = tally_clock_monotonic_ns();
  pthread_mutex_lock(&images->lock);
  if (!reachable) {
    images->count = TALLY_UNKNOWN;
    images->next_ns = 0;
  } else if (now >= images->next_ns) {
    images->next_ns = now + PERIOD_NS;
    images->wanted = true;
    pthread_cond_signal(&images->changed);
  }
  uint64_t count = images->count;
  pthread_mutex_unlock(&images->lock);
  return count;
}
