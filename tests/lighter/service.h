/* SPDX-License-Identifier: MIT */
#ifndef LIGHTER_SERVICE_H
#define LIGHTER_SERVICE_H

/* What the services answer: a request in, an answer out, and nothing of
 * sockets. */

#include <stdbool.h>
#include <stdint.h>

#include "core/buffer.h"
#include "core/json.h"
#include "faults.h"
#include "http.h"
#include "ledger.h"
#include "shards.h"
#include "signature.h"

#define ANSWER_MAX (16U << 20) /* bytes */

/* How an answer goes out. */
typedef enum delivery_e {
  DELIVER_WHOLE = 0,
  DELIVER_DRIP,
  DELIVER_HALF,
  DELIVER_NOTHING, /* and wait for the client to have enough */
  DELIVER_RESET,
} delivery_t;

typedef struct answer_s {
  unsigned status;
  bool xml; /* or JSON */
  tally_buffer_t body;
  delivery_t how;
  uint64_t call; /* its number in the ledger; 0: it took nothing */
} answer_t;

typedef struct log_stream_s log_stream_t;

typedef struct service_counts_s {
  uint64_t requests;
  uint64_t refused;    /* for their signatures */
  uint64_t aggregates; /* of the KPL, taken apart */
  uint64_t broken;     /* records that begin like one and are none */
  uint64_t astray;     /* records in an aggregate of another shard: a KCL drops
                          them */
  uint64_t bytes;      /* of request bodies */
} service_counts_t;

typedef struct service_s {
  signer_t signer;
  int64_t clock_offset_s;
  faults_t faults;
  streams_t streams;
  log_stream_t *log_streams; /* and groups: those have no stream */
  ledger_t *ledger;
  service_counts_t counts;
  uint64_t next_sequence;
} service_t;

int64_t service_now_s(const service_t *service);

/* Fills in an answer, whose body is an empty buffer. */
void service_answer(service_t *service, const http_request_t *request,
                    answer_t *answer);
void service_clear(service_t *service); /* streams and groups */

/* ---- for those who speak one protocol
 * ---------------------------------------- */

/* One call whose signature is right. */
typedef struct call_s {
  service_t *service;
  const char *operation; /* "PutRecords" */
  const char *resource;  /* stream, log group, namespace; "" */
  const tally_json_t *json;
  char *form; /* of services without JSON: may be taken apart */
  answer_t *answer;
} call_t;

typedef void (*operation_t)(call_t *call);

/* NULL: no such operation. */
operation_t kinesis_operation(const char *name);
operation_t logs_operation(const char *name);
operation_t cloudwatch_operation(const char *name);
void logs_clear(service_t *service);

/* Replaces what is there. */
void answer_error(answer_t *answer, unsigned status, const char *code,
                  const char *message);
/* The number under which the call takes; the first time it gets one. */
uint64_t call_number(call_t *call);

#endif
