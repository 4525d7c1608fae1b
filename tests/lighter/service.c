/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "form.h"

/* Who answers, by what a request begins with. */
typedef struct protocol_s {
  const char *target; /* of X-Amz-Target; NULL: a form */
  const char *scope;  /* of the signature */
  operation_t (*operation)(const char *name);
} protocol_t;

static const protocol_t protocols[] = {
    {"Kinesis_20131202.", "kinesis", kinesis_operation},
    {"Logs_20140328.", "logs", logs_operation},
    {NULL, "monitoring", cloudwatch_operation},
};

int64_t service_now_s(const service_t *service) {
  return (int64_t)(tally_clock_realtime_ns() / TALLY_NS_PER_S) +
         service->clock_offset_s;
}

void service_clear(service_t *service) {
  streams_clear(&service->streams);
  logs_clear(service);
}

/* ---- answers
 * ----------------------------------------------------------------- */

void answer_error(answer_t *answer, unsigned status, const char *code,
                  const char *message) {
  tally_buffer_reset(&answer->body);
  answer->status = status;
  if (answer->xml) {
    tally_buffer_printf(
        &answer->body,
        "<ErrorResponse><Error><Type>%s</Type><Code>%s</Code><Message>%s"
        "</Message></Error><RequestId>lighter</RequestId></ErrorResponse>",
        status < 500 ? "Sender" : "Receiver", code, message);
    return;
  }
  tally_buffer_printf(&answer->body, "{\"__type\":\"%s\",\"message\":", code);
  tally_json_quote(&answer->body, message);
  tally_buffer_append_str(&answer->body, "}");
}

uint64_t call_number(call_t *call) {
  if (call->answer->call == 0)
    call->answer->call = ledger_call(call->service->ledger, call->resource);
  return call->answer->call;
}

/* Services with forms answer 403 and have other names for some faults. */
static void answer_signature_fault(answer_t *answer,
                                   const signature_fault_t *fault) {
  static const struct {
    const char *json, *xml;
  } names[] = {
      {"InvalidSignatureException", "SignatureDoesNotMatch"},
      {"UnrecognizedClientException", "InvalidClientTokenId"},
      {"MissingAuthenticationTokenException", "MissingAuthenticationToken"},
      {"IncompleteSignatureException", "IncompleteSignature"},
      {"ExpiredTokenException", "ExpiredToken"},
  };
  const char *code = fault->code;
  for (size_t i = 0; answer->xml && i < sizeof(names) / sizeof(names[0]); i++)
    if (strcmp(names[i].json, fault->code) == 0)
      code = names[i].xml;
  answer_error(answer, answer->xml ? 403 : 400, code, fault->message);
}

/* ---- faults
 * ------------------------------------------------------------------ */

static void answer_denied(call_t *call) {
  const char *service = "kinesis";
  if (call->answer->xml)
    service = "cloudwatch";
  else if (strstr(call->operation, "Log") != NULL ||
           strstr(call->operation, "Retention") != NULL)
    service = "logs";
  char message[256];
  snprintf(message, sizeof(message),
           "User: arn:aws:iam::123456789012:user/lighter is not authorized to "
           "perform: %s:%s because no identity-based policy allows it",
           service, call->operation);
  answer_error(call->answer, call->answer->xml ? 403 : 400,
               call->answer->xml ? "AccessDenied" : "AccessDeniedException",
               message);
}

/* True: that is the answer, and nothing is taken. */
static bool fail_at_once(call_t *call, fault_t fault) {
  answer_t *answer = call->answer;
  switch (fault) {
  case FAULT_THROTTLED:
    answer_error(answer, 400,
                 answer->xml ? "Throttling" : "ThrottlingException",
                 "Rate exceeded");
    return true;
  case FAULT_LIMITED:
    answer_error(answer, 429, "LimitExceededException", "Too many requests");
    return true;
  case FAULT_INTERNAL:
    answer_error(answer, 500, "InternalFailure", "lighter was told to fail");
    return true;
  case FAULT_UNAVAILABLE:
    answer_error(answer, 503, "ServiceUnavailable", "Please try again later");
    return true;
  case FAULT_EXPIRED:
    answer_error(answer, answer->xml ? 403 : 400,
                 answer->xml ? "ExpiredToken" : "ExpiredTokenException",
                 "The security token included in the request is expired");
    return true;
  case FAULT_DENIED:
    answer_denied(call);
    return true;
  case FAULT_MISSING:
    answer_error(answer, 400, "ResourceNotFoundException",
                 "The specified resource was not found");
    return true;
  case FAULT_HANG:
    answer->how = DELIVER_NOTHING;
    return true;
  case FAULT_RESET:
    answer->how = DELIVER_RESET;
    return true;
  default:
    return false;
  }
}

/* What goes wrong after all was taken. */
static void fail_late(answer_t *answer, fault_t fault) {
  if (fault == FAULT_TAKEN_HANG)
    answer->how = DELIVER_NOTHING;
  else if (fault == FAULT_TAKEN_RESET)
    answer->how = DELIVER_RESET;
  else if (fault == FAULT_TAKEN_HALF)
    answer->how = DELIVER_HALF;
  else if (fault == FAULT_DRIP)
    answer->how = DELIVER_DRIP;
  if (fault == FAULT_TAKEN_GARBAGE) {
    answer->call = 0; /* what is seen of this tells nobody what was taken */
    tally_buffer_reset(&answer->body);
    tally_buffer_append_str(&answer->body, "<html>\xff no answer at all }{");
  }
}

/* ---- dispatching
 * ------------------------------------------------------------- */

static const protocol_t *find_protocol(const http_request_t *request) {
  const char *target = http_header(request, "x-amz-target");
  const protocol_t *protocol = protocols;
  for (; protocol->target != NULL; protocol++)
    if (target != NULL &&
        strncmp(target, protocol->target, strlen(protocol->target)) == 0)
      break;
  return protocol;
}

/* "arn:aws:kinesis:us-east-1:123456789012:stream/lines" is "lines". */
static const char *resource_of(const tally_json_t *json) {
  static const char *const keys[] = {"StreamName", "logGroupName"};
  for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
    const char *name = tally_json_string(tally_json_get(json, keys[i]));
    if (name != NULL)
      return name;
  }
  const char *arn = tally_json_string(tally_json_get(json, "StreamARN"));
  const char *slash = arn != NULL ? strchr(arn, '/') : NULL;
  return slash != NULL ? slash + 1 : "";
}

static void perform(call_t *call, operation_t operation) {
  fault_t fault =
      faults_of_call(&call->service->faults, call->operation, call->resource);
  if (fail_at_once(call, fault))
    return;
  operation(call);
  fail_late(call->answer, fault);
}

static void answer_json(call_t *call, const protocol_t *protocol,
                        const http_request_t *request) {
  const char *target = http_header(request, "x-amz-target");
  call->operation = target + strlen(protocol->target);
  operation_t operation = protocol->operation(call->operation);
  tally_error_t err;
  tally_json_t *json = tally_json_parse(request->body, request->body_len, &err);
  if (operation == NULL) {
    answer_error(call->answer, 400, "UnknownOperationException", "");
  } else if (json == NULL) {
    answer_error(call->answer, 400, "SerializationException", err.message);
  } else {
    call->json = json;
    call->resource = resource_of(json);
    perform(call, operation);
  }
  if (json != NULL)
    tally_json_destroy(json);
}

static void answer_form(call_t *call, const protocol_t *protocol,
                        const http_request_t *request) {
  tally_autofree char *form = form_body(request);
  tally_autofree char *action = form != NULL ? form_get(form, "Action") : NULL;
  tally_autofree char *name = form != NULL ? form_get(form, "Namespace") : NULL;
  operation_t operation = action != NULL ? protocol->operation(action) : NULL;
  if (operation == NULL) {
    answer_error(call->answer, 400, "InvalidAction",
                 "Could not find the operation");
    return;
  }
  call->operation = action;
  call->resource = name != NULL ? name : "";
  call->form = form;
  perform(call, operation);
}

void service_answer(service_t *service, const http_request_t *request,
                    answer_t *answer) {
  const protocol_t *protocol = find_protocol(request);
  answer->status = 200;
  answer->xml = protocol->target == NULL;
  service->counts.requests++;
  service->counts.bytes += request->body_len;

  signature_fault_t fault;
  signature_check(&service->signer, protocol->scope, request,
                  service_now_s(service), &fault);
  if (fault.code != NULL) {
    service->counts.refused++;
    answer_signature_fault(answer, &fault);
    return;
  }
  call_t call = {.service = service, .answer = answer, .resource = ""};
  if (answer->xml)
    answer_form(&call, protocol, request);
  else
    answer_json(&call, protocol, request);
}
