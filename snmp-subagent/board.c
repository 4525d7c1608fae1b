/* SPDX-License-Identifier: MIT */
/* Where the newest view hangs. */
#include "config.h"

#include "view.h"
#include "view_private.h"

#include <pthread.h>
#include <stdlib.h>

struct tally_board_s {
  pthread_mutex_t lock;     /* held for as long as it takes to move a pointer */
  const tally_view_t *view; /* guarded by lock */
};

tally_board_t *tally_board_create(void) {
  tally_board_t *board = calloc(1, sizeof(*board));
  if (board != NULL)
    pthread_mutex_init(&board->lock, NULL);
  return board;
}

void tally_board_destroy(tally_board_t *board) {
  if (board == NULL)
    return;
  tally_view_unref(board->view);
  pthread_mutex_destroy(&board->lock);
  free(board);
}

void tally_board_publish(tally_board_t *board, tally_view_t *view) {
  pthread_mutex_lock(&board->lock);
  const tally_view_t *before = board->view;
  board->view = view;
  pthread_mutex_unlock(&board->lock);
  tally_view_unref(before);
}

const tally_view_t *tally_board_take(tally_board_t *board) {
  pthread_mutex_lock(&board->lock);
  const tally_view_t *view = board->view;
  if (view != NULL)
    tally_view_ref(view);
  pthread_mutex_unlock(&board->lock);
  return view;
}
