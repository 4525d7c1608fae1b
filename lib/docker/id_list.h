/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_ID_LIST_H
#define TALLY_DOCKER_ID_LIST_H

/*
 * Items that begin with the id of a container (`char id[65]`), sorted by it.
 * The list owns their memory, not what they point to. Belongs to one thread.
 */

#include <stddef.h>

typedef struct tally_id_list_s {
  void **items;
  size_t count, size;
} tally_id_list_t;

/* NULL: there is none. */
void *tally_id_list_find(const tally_id_list_t *list, const char *id);
/* Finds it, or makes it: `item_size` bytes, zero but for the id. NULL: out of
 * memory. */
void *tally_id_list_add(tally_id_list_t *list, const char *id,
                        size_t item_size);
/* Frees it; `item` is one of the list. */
void tally_id_list_remove(tally_id_list_t *list, void *item);
/* Frees all of them. */
void tally_id_list_clear(tally_id_list_t *list);

#endif
