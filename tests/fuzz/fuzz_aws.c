/* SPDX-License-Identifier: MIT */
/* What AWS's services answer: refusals, and documents with credentials. */
#include "config.h"

#include "fuzz.h"

#include <string.h>

#include "aws/fault.h"
#include "aws/keys.h"
#include "aws/request.h"

static void require_one_line(const char *text, size_t size) {
  FUZZ_REQUIRE(strlen(text) < size);
  FUZZ_REQUIRE(strpbrk(text, "\r\n") == NULL);
}

/* Whatever is taken for a key fits into a header. */
static void require_keys(int code, const tally_aws_keys_t *keys) {
  require_one_line(keys->access_key, sizeof(keys->access_key));
  require_one_line(keys->secret_key, sizeof(keys->secret_key));
  require_one_line(keys->token, sizeof(keys->token));
  FUZZ_REQUIRE((code == 0) == (*keys->access_key != '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  FUZZ_REQUIRE(text != NULL);
  memcpy(text, data, size);
  text[size] = '\0';

  tally_aws_refusal_t refusal;
  tally_aws_refusal_read(&refusal, text, size, "");
  require_one_line(refusal.code, sizeof(refusal.code));
  require_one_line(refusal.words, sizeof(refusal.words));
  FUZZ_REQUIRE(tally_aws_refusal_classify(&refusal, 400, 0) != TALLY_AWS_OK);

  tally_aws_keys_t keys = {0};
  require_keys(tally_aws_keys_parse_json(&keys, text, size, NULL), &keys);
  tally_aws_keys_clear(&keys);
  require_keys(tally_aws_keys_parse_xml(&keys, text, NULL), &keys);

  char host[300], path[256], url[TALLY_AWS_URL_MAX];
  if (tally_aws_url_split(text, host, path, NULL) == 0)
    FUZZ_REQUIRE(*host != '\0' && *path == '/');
  if (tally_aws_container_url(NULL, text, url, NULL) == 1)
    require_one_line(url, sizeof(url));
  free(text);
  return 0;
}
