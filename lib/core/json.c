/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "core/cleanup.h"

/*
 * yajl reports the text from left to right. Values are collected on a stack;
 * when an object or array ends, its members are moved from the stack into one
 * block of the arena, so that they can be indexed later. Everything a document
 * consists of lives in its arena and goes with it.
 */

typedef enum json_kind_e {
  JSON_OTHER = 0, /* null, and numbers that are no int64 */
  JSON_BOOL,
  JSON_INT,
  JSON_STRING,
  JSON_ARRAY,
  JSON_OBJECT,
} json_kind_t;

struct tally_json_s {
  const char *key; /* members of an object only */
  union {
    const char *string;
    int64_t integer;
    bool boolean;
    const tally_json_t *members;
  };
  uint32_t count; /* of members */
  json_kind_t kind;
};

/* ---- arena --------------------------------------------------------------- */

typedef struct arena_block_s {
  struct arena_block_s *next;
  size_t used, size;
  _Alignas(max_align_t) char bytes[];
} arena_block_t;

typedef struct arena_s {
  arena_block_t *blocks; /* the first one has room */
  size_t total, limit;
} arena_t;

typedef struct document_s {
  tally_json_t root; /* what the caller holds; first member on purpose */
  arena_t arena;
} document_t;

/* Memory of the document, at least this much of it is always allowed; beyond
 * it, a multiple of the text. Docker's answers need two to four times their
 * size; "[1,1,1,…" would need twelve times. */
#define ARENA_BASE 65536
#define ARENA_PER_BYTE 8
#define ARENA_BLOCK 4096

static void *arena_alloc(arena_t *arena, size_t size) {
  const size_t align = _Alignof(tally_json_t);
  size = (size + align - 1) / align * align;

  arena_block_t *block = arena->blocks;
  if (block == NULL || block->size - block->used < size) {
    size_t room = size > ARENA_BLOCK ? size : ARENA_BLOCK;
    if (room > arena->limit - arena->total)
      return NULL;
    block = malloc(sizeof(*block) + room);
    if (block == NULL)
      return NULL;
    *block = (arena_block_t){.next = arena->blocks, .size = room};
    arena->blocks = block;
    arena->total += room;
  }
  void *p = block->bytes + block->used;
  block->used += size;
  return p;
}

static void arena_clear(arena_t *arena) {
  while (arena->blocks != NULL) {
    arena_block_t *block = arena->blocks;
    arena->blocks = block->next;
    free(block);
  }
}

/* ---- parser -------------------------------------------------------------- */

typedef struct parser_s {
  arena_t *arena;
  tally_json_t *stack; /* values whose parent is still open */
  size_t used, size;
  const char *key; /* of the value that comes next */
  struct {
    const char *key;
    size_t base; /* where its members begin on the stack */
  } open[TALLY_JSON_DEPTH_MAX];
  size_t depth;
  const char *problem; /* why a callback gave up */
} parser_t;

enum { GIVE_UP = 0, GO_ON = 1 }; /* what yajl wants to hear */

static int give_up(parser_t *parser, const char *problem) {
  parser->problem = problem;
  return GIVE_UP;
}

static int push(parser_t *parser, tally_json_t value) {
  if (parser->used == parser->size) {
    size_t size = parser->size ? 2 * parser->size : 64;
    if (size * sizeof(*parser->stack) > parser->arena->limit)
      return give_up(parser, "too many values");
    tally_json_t *stack = realloc(parser->stack, size * sizeof(*stack));
    if (stack == NULL)
      return give_up(parser, "out of memory");
    parser->stack = stack;
    parser->size = size;
  }
  value.key = parser->key;
  parser->key = NULL;
  parser->stack[parser->used++] = value;
  return GO_ON;
}

static const char *copy_string(parser_t *parser, const unsigned char *text,
                               size_t len) {
  char *copy = arena_alloc(parser->arena, len + 1);
  if (copy == NULL) {
    give_up(parser, "too many values");
    return NULL;
  }
  memcpy(copy, text, len);
  copy[len] = '\0';
  return copy;
}

static int on_null(void *ctx) {
  return push(ctx, (tally_json_t){.kind = JSON_OTHER});
}

static int on_boolean(void *ctx, int value) {
  return push(ctx, (tally_json_t){.kind = JSON_BOOL, .boolean = value != 0});
}

static int on_number(void *ctx, const char *text, size_t len) {
  char copy[24]; /* "-9223372036854775808" fits */
  if (len < sizeof(copy) && memchr(text, '.', len) == NULL &&
      memchr(text, 'e', len) == NULL && memchr(text, 'E', len) == NULL) {
    memcpy(copy, text, len);
    copy[len] = '\0';
    errno = 0;
    long long value = strtoll(copy, NULL, 10);
    if (errno == 0)
      return push(ctx, (tally_json_t){.kind = JSON_INT, .integer = value});
  }
  return push(ctx, (tally_json_t){.kind = JSON_OTHER});
}

static int on_string(void *ctx, const unsigned char *text, size_t len) {
  const char *string = copy_string(ctx, text, len);
  if (string == NULL)
    return GIVE_UP;
  return push(ctx, (tally_json_t){.kind = JSON_STRING, .string = string});
}

static int on_map_key(void *ctx, const unsigned char *text, size_t len) {
  parser_t *parser = ctx;
  parser->key = copy_string(parser, text, len);
  return parser->key == NULL ? GIVE_UP : GO_ON;
}

static int on_open(void *ctx) {
  parser_t *parser = ctx;
  if (parser->depth == TALLY_JSON_DEPTH_MAX)
    return give_up(parser, "nested too deeply");
  parser->open[parser->depth].key = parser->key;
  parser->open[parser->depth].base = parser->used;
  parser->depth++;
  parser->key = NULL;
  return GO_ON;
}

static int on_close(parser_t *parser, json_kind_t kind) {
  parser->depth--;
  size_t base = parser->open[parser->depth].base;
  size_t count = parser->used - base;
  if (count > UINT32_MAX)
    return give_up(parser, "too many values");

  tally_json_t *members = NULL;
  if (count > 0) {
    members = arena_alloc(parser->arena, count * sizeof(*members));
    if (members == NULL)
      return give_up(parser, "too many values");
    memcpy(members, parser->stack + base, count * sizeof(*members));
  }
  parser->used = base;
  parser->key = parser->open[parser->depth].key;
  return push(parser, (tally_json_t){.kind = kind,
                                     .members = members,
                                     .count = (uint32_t)count});
}

static int on_end_map(void *ctx) { return on_close(ctx, JSON_OBJECT); }

static int on_end_array(void *ctx) { return on_close(ctx, JSON_ARRAY); }

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_open,
    .yajl_map_key = on_map_key,
    .yajl_end_map = on_end_map,
    .yajl_start_array = on_open,
    .yajl_end_array = on_end_array,
};

static void cleanup_yajl(yajl_handle *yajl) {
  if (*yajl != NULL)
    yajl_free(*yajl);
}

static int report(yajl_handle yajl, const parser_t *parser,
                  tally_error_t *err) {
  if (parser->problem != NULL)
    return tally_error_set(err, 0, "JSON: %s", parser->problem);

  unsigned char *text = yajl_get_error(yajl, 0, NULL, 0);
  size_t len = text != NULL ? strcspn((char *)text, "\n") : 0;
  tally_error_set(err, 0, "JSON: %.*s", (int)len,
                  text != NULL ? (char *)text : "");
  if (text != NULL)
    yajl_free_error(yajl, text);
  return -1;
}

tally_json_t *tally_json_parse(const char *text, size_t len,
                               tally_error_t *err) {
  document_t *document = calloc(1, sizeof(*document));
  if (document == NULL) {
    tally_error_set(err, ENOMEM, "JSON");
    return NULL;
  }
  document->arena.limit = ARENA_BASE + len * ARENA_PER_BYTE;

  parser_t parser = {.arena = &document->arena};
  __attribute__((cleanup(cleanup_yajl))) yajl_handle yajl =
      yajl_alloc(&callbacks, NULL, &parser);
  if (yajl == NULL) {
    tally_error_set(err, ENOMEM, "JSON");
    tally_json_destroy(&document->root);
    return NULL;
  }

  if (yajl_parse(yajl, (const unsigned char *)text, len) != yajl_status_ok ||
      yajl_complete_parse(yajl) != yajl_status_ok || parser.used != 1) {
    report(yajl, &parser, err);
    free(parser.stack);
    tally_json_destroy(&document->root);
    return NULL;
  }
  document->root = parser.stack[0];
  free(parser.stack);
  return &document->root;
}

void tally_json_destroy(tally_json_t *value) {
  if (value == NULL)
    return;
  document_t *document = (document_t *)value;
  arena_clear(&document->arena);
  free(document);
}

/* ---- getters ------------------------------------------------------------- */

const tally_json_t *tally_json_get(const tally_json_t *object,
                                   const char *key) {
  if (object == NULL || object->kind != JSON_OBJECT)
    return NULL;
  for (size_t i = 0; i < object->count; i++)
    if (strcmp(object->members[i].key, key) == 0)
      return &object->members[i];
  return NULL;
}

const tally_json_t *tally_json_find(const tally_json_t *object, ...) {
  va_list keys;
  va_start(keys, object);
  const char *key;
  while (object != NULL && (key = va_arg(keys, const char *)) != NULL)
    object = tally_json_get(object, key);
  va_end(keys);
  return object;
}

const char *tally_json_string(const tally_json_t *value) {
  return value != NULL && value->kind == JSON_STRING ? value->string : NULL;
}

int64_t tally_json_int(const tally_json_t *value, int64_t fallback) {
  return value != NULL && value->kind == JSON_INT ? value->integer : fallback;
}

bool tally_json_bool(const tally_json_t *value, bool fallback) {
  return value != NULL && value->kind == JSON_BOOL ? value->boolean : fallback;
}

size_t tally_json_count(const tally_json_t *value) {
  if (value == NULL ||
      (value->kind != JSON_ARRAY && value->kind != JSON_OBJECT))
    return 0;
  return value->count;
}

const tally_json_t *tally_json_at(const tally_json_t *value, size_t i,
                                  const char **key) {
  if (key != NULL)
    *key = NULL;
  if (i >= tally_json_count(value))
    return NULL;
  const tally_json_t *member = &value->members[i];
  if (key != NULL)
    *key = member->key;
  return member;
}
