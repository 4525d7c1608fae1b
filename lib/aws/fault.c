/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/text.h"

/* The services accept five minutes. */
#define SKEW_HARMLESS_S 240

/* ---- XML ----------------------------------------------------------------- */

/* The text after <name> or <name …>; NULL: no such element. */
static const char *element(const char *xml, const char *name) {
  size_t len = strlen(name);
  for (const char *p = xml; (p = strchr(p, '<')) != NULL; p++) {
    if (strncmp(p + 1, name, len) != 0)
      continue;
    char next = p[1 + len];
    if (next == '>')
      return p + 1 + len + 1;
    if (next != ' ' && next != '\t' && next != '\n' && next != '\r')
      continue;
    const char *end = strchr(p, '>');
    return end != NULL && end[-1] != '/' ? end + 1 : NULL;
  }
  return NULL;
}

/* One character of an entity at `*p`, which is moved behind it; 0: none that we
 * know (then '&' stands for itself). */
static char entity(const char **p) {
  static const struct {
    const char *text;
    char character;
  } known[] = {{"&lt;", '<'},
               {"&gt;", '>'},
               {"&amp;", '&'},
               {"&quot;", '"'},
               {"&apos;", '\''}};
  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
    if (strncmp(*p, known[i].text, strlen(known[i].text)) == 0) {
      *p += strlen(known[i].text);
      return known[i].character;
    }
  if (strncmp(*p, "&#", 2) != 0)
    return 0;
  bool hex = (*p)[2] == 'x';
  char *end;
  unsigned long value = strtoul(*p + (hex ? 3 : 2), &end, hex ? 16 : 10);
  if (*end != ';' || value == 0 || value > 0x7e)
    return 0;
  *p = end + 1;
  return (char)value;
}

bool tally_aws_xml_text(const char *xml, const char *name, char *text,
                        size_t size) {
  *text = '\0';
  const char *p = element(xml, name);
  if (p == NULL)
    return false;
  size_t len = 0;
  while (*p != '<' && *p != '\0') {
    char c = *p == '&' ? entity(&p) : 0;
    if (c == 0)
      c = *p++;
    if (len + 1 == size) {
      *text = '\0';
      return false;
    }
    text[len++] = c;
  }
  text[len] = '\0';
  if (p[0] == '<' && p[1] == '/')
    return true;
  *text = '\0';
  return false;
}

/* ---- what it says -------------------------------------------------------- */

/* "com.amazonaws.kinesis#Some:http://…" is "Some". */
static void copy_code(char code[96], const char *text) {
  const char *hash = strrchr(text, '#');
  if (hash != NULL && hash[1] != '\0')
    text = hash + 1;
  char copy[96];
  size_t len = strcspn(text, ": \t\r\n");
  if (len >= sizeof(copy))
    len = sizeof(copy) - 1;
  memcpy(copy, text, len);
  copy[len] = '\0';
  tally_text_copy(code, sizeof(copy), copy);
}

/* A complaint about a signature goes on with the request that it was computed
 * from, session token and all: the first line is enough. */
static void copy_words(char words[256], const char *text) {
  char copy[256];
  text += strspn(text, " \t\r\n");
  size_t len = strcspn(text, "\r\n");
  if (len >= sizeof(copy))
    len = sizeof(copy) - 1;
  memcpy(copy, text, len);
  copy[len] = '\0';
  tally_text_copy(words, sizeof(copy), copy);
}

static void read_json(tally_aws_refusal_t *refusal, const tally_json_t *json) {
  const char *code = tally_json_string(tally_json_get(json, "__type"));
  if (code == NULL)
    code = tally_json_string(tally_json_get(json, "code"));
  if (code == NULL) /* of the metadata and container services */
    code = tally_json_string(tally_json_get(json, "Code"));
  if (code != NULL)
    copy_code(refusal->code, code);
  const char *words = tally_json_string(tally_json_get(json, "message"));
  if (words == NULL)
    words = tally_json_string(tally_json_get(json, "Message"));
  if (words != NULL)
    copy_words(refusal->words, words);
}

static void read_xml(tally_aws_refusal_t *refusal, const char *body) {
  char text[1024];
  if (tally_aws_xml_text(body, "Code", text, sizeof(text)))
    copy_code(refusal->code, text);
  if (tally_aws_xml_text(body, "Message", text, sizeof(text)))
    copy_words(refusal->words, text);
  if (tally_aws_xml_text(body, "RequestId", text, sizeof(text)))
    tally_text_copy(refusal->request_id, sizeof(refusal->request_id), text);
}

void tally_aws_refusal_read(tally_aws_refusal_t *refusal, const char *body,
                            size_t len, const char *error_type) {
  *refusal = (tally_aws_refusal_t){0};
  size_t start = strspn(body, " \t\r\n");
  if (body[start] == '{') {
    tally_json_t *json = tally_json_parse(body, len, NULL);
    read_json(refusal, json);
    tally_json_destroy(json);
  } else if (body[start] == '<') {
    read_xml(refusal, body);
  } else {
    copy_words(refusal->words, body);
  }
  if (*refusal->code == '\0' && *error_type != '\0')
    copy_code(refusal->code, error_type);
}

/* ---- what follows -------------------------------------------------------- */

static const struct {
  const char *code;
  tally_aws_fault_t fault;
} meanings[] = {
    {"BandwidthLimitExceeded", TALLY_AWS_THROTTLED},
    {"EC2ThrottledException", TALLY_AWS_THROTTLED},
    {"KMSThrottlingException", TALLY_AWS_THROTTLED},
    {"LimitExceededException", TALLY_AWS_THROTTLED},
    {"PriorRequestNotComplete", TALLY_AWS_THROTTLED},
    {"ProvisionedThroughputExceededException", TALLY_AWS_THROTTLED},
    {"RequestLimitExceeded", TALLY_AWS_THROTTLED},
    {"RequestThrottled", TALLY_AWS_THROTTLED},
    {"RequestThrottledException", TALLY_AWS_THROTTLED},
    {"SlowDown", TALLY_AWS_THROTTLED},
    {"ThrottledException", TALLY_AWS_THROTTLED},
    {"Throttling", TALLY_AWS_THROTTLED},
    {"ThrottlingException", TALLY_AWS_THROTTLED},
    {"TooManyRequestsException", TALLY_AWS_THROTTLED},
    {"IDPCommunicationError", TALLY_AWS_TEMPORARY},
    {"InternalError", TALLY_AWS_TEMPORARY},
    {"InternalFailure", TALLY_AWS_TEMPORARY},
    {"InternalServerError", TALLY_AWS_TEMPORARY},
    {"OperationAbortedException", TALLY_AWS_TEMPORARY},
    {"RequestTimeout", TALLY_AWS_TEMPORARY},
    {"RequestTimeoutException", TALLY_AWS_TEMPORARY},
    {"ServiceUnavailable", TALLY_AWS_TEMPORARY},
    {"ServiceUnavailableException", TALLY_AWS_TEMPORARY},
    {"AccessDenied", TALLY_AWS_MISCONFIGURED},
    {"AccessDeniedException", TALLY_AWS_MISCONFIGURED},
    {"KMSAccessDeniedException", TALLY_AWS_MISCONFIGURED},
    {"KMSDisabledException", TALLY_AWS_MISCONFIGURED},
    {"KMSInvalidStateException", TALLY_AWS_MISCONFIGURED},
    {"KMSNotFoundException", TALLY_AWS_MISCONFIGURED},
    {"KMSOptInRequired", TALLY_AWS_MISCONFIGURED},
    {"MissingAuthenticationToken", TALLY_AWS_MISCONFIGURED},
    {"NotAuthorized", TALLY_AWS_MISCONFIGURED},
    {"OptInRequired", TALLY_AWS_MISCONFIGURED},
    {"ResourceNotFoundException", TALLY_AWS_MISCONFIGURED},
    {"ExpiredToken", TALLY_AWS_EXPIRED},
    {"ExpiredTokenException", TALLY_AWS_EXPIRED},
    {"InvalidAccessKeyId", TALLY_AWS_EXPIRED},
    {"InvalidClientTokenId", TALLY_AWS_EXPIRED},
    {"InvalidToken", TALLY_AWS_EXPIRED},
    {"UnrecognizedClientException", TALLY_AWS_EXPIRED},
    {"RequestExpired", TALLY_AWS_SKEW},
    {"RequestInTheFuture", TALLY_AWS_SKEW},
    {"RequestTimeTooSkewed", TALLY_AWS_SKEW},
};

/* The list ends with NULL. */
static bool is_one_of(const char *const *codes, const char *code) {
  while (*codes != NULL && strcmp(*codes, code) != 0)
    codes++;
  return *codes != NULL;
}

/* These may be about the clock, or about the secret key. */
static bool is_about_signature(const char *code) {
  static const char *const codes[] = {
      "AuthFailure", "InvalidSignatureException", "IncompleteSignature",
      "SignatureDoesNotMatch", NULL};
  return is_one_of(codes, code);
}

tally_aws_fault_t tally_aws_refusal_classify(const tally_aws_refusal_t *refusal,
                                             int status, int64_t skew_s) {
  if (status >= 200 && status < 300)
    return TALLY_AWS_OK;
  for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
    if (strcmp(refusal->code, meanings[i].code) == 0)
      return meanings[i].fault;
  if (is_about_signature(refusal->code))
    return skew_s > SKEW_HARMLESS_S || skew_s < -SKEW_HARMLESS_S
               ? TALLY_AWS_SKEW
               : TALLY_AWS_MISCONFIGURED;
  if (status == 429)
    return TALLY_AWS_THROTTLED;
  if (status >= 500 || status == 408)
    return TALLY_AWS_TEMPORARY;
  if (status == 401 || status == 403 || status == 404 ||
      (status >= 300 && status < 400)) /* of a wrong endpoint, of a proxy */
    return TALLY_AWS_MISCONFIGURED;
  return TALLY_AWS_PERMANENT;
}

tally_aws_setting_t tally_aws_refusal_blames(const tally_aws_refusal_t *refusal,
                                             int status,
                                             tally_aws_fault_t fault) {
  static const char *const keys[] = {"AccessDenied",
                                     "AccessDeniedException",
                                     "InvalidAccessKeyId",
                                     "InvalidClientTokenId",
                                     "InvalidToken",
                                     "ExpiredToken",
                                     "ExpiredTokenException",
                                     "KMSAccessDeniedException",
                                     "MissingAuthenticationToken",
                                     "NotAuthorized",
                                     "OptInRequired",
                                     "UnrecognizedClientException",
                                     NULL};
  static const char *const others[] = {"InvalidAction",
                                       "UnknownOperationException", NULL};
  if (fault == TALLY_AWS_SKEW)
    return TALLY_AWS_SETTING_NONE;
  if (is_about_signature(refusal->code)) {
    if (strstr(refusal->words, "Signature expired") != NULL ||
        strstr(refusal->words, "not yet current") != NULL)
      return TALLY_AWS_SETTING_NONE; /* a clock, on one side or the other */
    if (strstr(refusal->words, "valid region") != NULL)
      return TALLY_AWS_SETTING_REGION;
    return strstr(refusal->words, "correct service") != NULL
               ? TALLY_AWS_SETTING_ENDPOINT
               : TALLY_AWS_SETTING_KEYS;
  }
  if (is_one_of(keys, refusal->code))
    return TALLY_AWS_SETTING_KEYS;
  if (is_one_of(others, refusal->code))
    return TALLY_AWS_SETTING_ENDPOINT;
  /* A service of AWS has a code for whatever it refuses. */
  bool nameless = *refusal->code == '\0' && (fault == TALLY_AWS_PERMANENT ||
                                             fault == TALLY_AWS_MISCONFIGURED);
  return nameless && status != 413 ? TALLY_AWS_SETTING_ENDPOINT
                                   : TALLY_AWS_SETTING_NONE;
}

tally_aws_setting_t tally_aws_obstacle_blames(tally_aws_obstacle_t obstacle) {
  switch (obstacle) {
  case TALLY_AWS_OBSTACLE_NAME:
    return TALLY_AWS_SETTING_HOST;
  case TALLY_AWS_OBSTACLE_PEER:
    return TALLY_AWS_SETTING_ENDPOINT;
  case TALLY_AWS_OBSTACLE_CA_FILE:
    return TALLY_AWS_SETTING_CA_FILE;
  case TALLY_AWS_OBSTACLE_PROXY:
    return TALLY_AWS_SETTING_PROXY;
  default:
    return TALLY_AWS_SETTING_NONE;
  }
}

void tally_aws_key_hint(const char *access_key,
                        char hint[TALLY_AWS_KEY_HINT_MAX]) {
  size_t len = strlen(access_key);
  snprintf(hint, TALLY_AWS_KEY_HINT_MAX, "%.4s…%s", access_key,
           len > 12 ? access_key + len - 4 : "");
}

bool tally_aws_answer_blames_body(const tally_aws_answer_t *answer) {
  static const char *const codes[] = {
      "InvalidArgumentException",
      "InvalidFormat",
      "InvalidParameterCombination",
      "InvalidParameterException",
      "InvalidParameterValue",
      "MissingParameter",
      "MissingRequiredParameter",
      "RequestEntityTooLarge",
      "RequestEntityTooLargeException",
      "RequestTooLargeException",
      "SerializationException",
      "ValidationError",
      "ValidationException",
      NULL,
  };
  return answer->fault == TALLY_AWS_PERMANENT &&
         (is_one_of(codes, answer->code) || answer->status == 413);
}
