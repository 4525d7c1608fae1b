/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "aws/cloudwatch_logs_private.h"

struct tally_logs_token_s {
  UT_hash_handle hh;
  char token[TALLY_LOGS_TOKEN_MAX];
  char stream[];
};

static tally_logs_token_t *find(tally_logs_tokens_t *tokens,
                                const char *stream) {
  tally_logs_token_t *found;
  HASH_FIND_STR(tokens->first, stream, found);
  return found;
}

static void forget(tally_logs_tokens_t *tokens, tally_logs_token_t *token) {
  HASH_DEL(tokens->first, token);
  tokens->count--;
  free(token);
}

/* NULL: no memory. Then the service will say once more what it expects. */
static tally_logs_token_t *add(tally_logs_tokens_t *tokens,
                               const char *stream) {
  size_t size = strlen(stream) + 1;
  tally_logs_token_t *token = calloc(1, sizeof(*token) + size);
  if (token == NULL)
    return NULL;
  if (tokens->count == TALLY_LOGS_TOKENS_MAX)
    forget(tokens, tokens->first);
  memcpy(token->stream, stream, size);
  HASH_ADD_STR(tokens->first, stream, token);
  tokens->count++;
  return token;
}

const char *tally_logs_token(tally_logs_tokens_t *tokens, const char *stream) {
  tally_logs_token_t *token = tokens->wanted ? find(tokens, stream) : NULL;
  return token != NULL ? token->token : "";
}

void tally_logs_token_keep(tally_logs_tokens_t *tokens, const char *stream,
                           const char *text) {
  if (!tokens->wanted)
    return;
  tally_logs_token_t *token = find(tokens, stream);
  if (*text == '\0') {
    if (token != NULL)
      forget(tokens, token);
    return;
  }
  if (token == NULL)
    token = add(tokens, stream);
  if (token != NULL)
    strcpy(token->token, text);
}

void tally_logs_tokens_clear(tally_logs_tokens_t *tokens) {
  tally_logs_token_t *token, *next;
  HASH_ITER(hh, tokens->first, token, next) { forget(tokens, token); }
}
