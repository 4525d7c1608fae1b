/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_FAULT_H
#define TALLY_AWS_FAULT_H

/*
 * What a service says when it refuses: its code, its words, and what follows
 * from them.
 */

#include "aws/aws.h"
#include "aws/http.h"

/* The text of the first element <name>, entities undone. false: there is none,
 * it has elements of its own, or it does not fit. */
bool tally_aws_xml_text(const char *xml, const char *name, char *text,
                        size_t size);

typedef struct tally_aws_refusal_s {
  char code[96];       /* "" where none is given */
  char words[256];     /* the first line; "" */
  char request_id[64]; /* "" */
} tally_aws_refusal_t;

/* JSON ("__type" or "code", "message"), XML (<Code>, <Message>), headers; from
 * anything else as much as there is. */
void tally_aws_refusal_read(tally_aws_refusal_t *refusal, const char *body,
                            size_t len, const char *error_type);

/* `skew_s`: the service's clock minus that of the signature, 0 if unknown. */
tally_aws_fault_t tally_aws_refusal_classify(const tally_aws_refusal_t *refusal,
                                             int status, int64_t skew_s);

/* ---- what it speaks of --------------------------------------------------- */

/* A setting that may be wrong. */
typedef enum tally_aws_setting_e {
  TALLY_AWS_SETTING_NONE = 0,
  TALLY_AWS_SETTING_REGION,
  TALLY_AWS_SETTING_KEYS,     /* not known, not a pair, or not allowed to */
  TALLY_AWS_SETTING_ENDPOINT, /* nobody there, or somebody else */
  TALLY_AWS_SETTING_HOST,     /* of the endpoint: there is no such name */
  TALLY_AWS_SETTING_CA_FILE,
  TALLY_AWS_SETTING_PROXY,
} tally_aws_setting_t;

/* `fault` as it was classified: what comes from a clock is nobody's setting. */
tally_aws_setting_t tally_aws_refusal_blames(const tally_aws_refusal_t *refusal,
                                             int status,
                                             tally_aws_fault_t fault);
tally_aws_setting_t tally_aws_obstacle_blames(tally_aws_obstacle_t obstacle);

/* The beginning and the end of an access key's id: "AKID…MPLE". */
#define TALLY_AWS_KEY_HINT_MAX 16
void tally_aws_key_hint(const char *access_key,
                        char hint[TALLY_AWS_KEY_HINT_MAX]);

#endif
