/* SPDX-License-Identifier: MIT */
/* The root arc in net-snmp's agent library: one handler for all of it. */
#include "config.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>

#include "answer.h"
#include "answer_private.h"

#include <string.h>

#include "mib.h"

static const oid root[] = {TALLYMAN_ROOT_OID};
#define ROOT_LENGTH OID_LENGTH(root)

_Static_assert(sizeof(oid) == sizeof(tally_subid_t),
               "identifiers are handed over as they are");
_Static_assert(TALLY_MIB_OID_MAX <= MAX_OID_LEN, "names fit");

static netsnmp_handler_registration *registration;

/* ---- one varbind --------------------------------------------------------- */

static bool is_ours(const oid *name, size_t length) {
  return length >= ROOT_LENGTH && memcmp(name, root, sizeof(root)) == 0;
}

static void set_value(netsnmp_variable_list *varbind,
                      const tally_mib_value_t *value) {
  long number = (long)value->number;
  struct counter64 wide = {.high = (u_long)(value->number >> 32),
                           .low = (u_long)(value->number & UINT32_MAX)};
  switch (value->syntax) {
  case TALLY_SYNTAX_INTEGER:
    snmp_set_var_typed_value(varbind, ASN_INTEGER, &number, sizeof(number));
    break;
  case TALLY_SYNTAX_GAUGE:
    snmp_set_var_typed_value(varbind, ASN_GAUGE, &number, sizeof(number));
    break;
  case TALLY_SYNTAX_TICKS:
    snmp_set_var_typed_value(varbind, ASN_TIMETICKS, &number, sizeof(number));
    break;
  case TALLY_SYNTAX_COUNTER64:
    snmp_set_var_typed_value(varbind, ASN_COUNTER64, &wide, sizeof(wide));
    break;
  case TALLY_SYNTAX_DATE:
  case TALLY_SYNTAX_TEXT:
    snmp_set_var_typed_value(varbind, ASN_OCTET_STR, value->text,
                             value->text_length);
    break;
  }
}

static void answer_get(const tally_view_t *view,
                       netsnmp_variable_list *varbind) {
  tally_mib_value_t value;
  switch (tally_mib_get(view, varbind->name + ROOT_LENGTH,
                        varbind->name_length - ROOT_LENGTH, &value)) {
  case TALLY_MIB_FOUND:
    set_value(varbind, &value);
    break;
  case TALLY_MIB_NO_SUCH_OBJECT:
    snmp_set_var_typed_value(varbind, SNMP_NOSUCHOBJECT, NULL, 0);
    break;
  case TALLY_MIB_NO_SUCH_INSTANCE:
    snmp_set_var_typed_value(varbind, SNMP_NOSUCHINSTANCE, NULL, 0);
    break;
  }
}

/* Replaces name and value by those that follow (`inclusive`: or by those of
 * the name itself, if it has one). Nothing there: nothing changes, and the
 * library goes on behind the root arc. */
static void answer_next(const tally_view_t *view, bool inclusive,
                        netsnmp_variable_list *varbind) {
  const oid *after = varbind->name + ROOT_LENGTH;
  size_t length = varbind->name_length - ROOT_LENGTH;
  if (!is_ours(varbind->name, varbind->name_length)) {
    if (tally_mib_compare(varbind->name, varbind->name_length, root,
                          ROOT_LENGTH) > 0)
      return;
    length = 0; /* from the beginning */
  }
  tally_mib_value_t value;
  if (inclusive &&
      tally_mib_get(view, after, length, &value) == TALLY_MIB_FOUND) {
    set_value(varbind, &value);
    return;
  }
  oid next[ROOT_LENGTH + TALLY_MIB_OID_MAX];
  size_t next_length = 0;
  if (!tally_mib_next(view, after, length, next + ROOT_LENGTH, &next_length,
                      &value))
    return;
  memcpy(next, root, sizeof(root));
  snmp_set_var_objid(varbind, next, ROOT_LENGTH + next_length);
  set_value(varbind, &value);
}

/* ---- the handler --------------------------------------------------------- */

/* The library has turned GETBULK into GETNEXT and refused SET. */
static int handle(netsnmp_mib_handler *handler,
                  netsnmp_handler_registration *reginfo,
                  netsnmp_agent_request_info *reqinfo,
                  netsnmp_request_info *requests) {
  const tally_view_t *view = tally_board_take(handler->myvoid);
  for (; requests != NULL; requests = requests->next) {
    if (requests->processed)
      continue;
    if (reqinfo->mode == MODE_GET)
      answer_get(view, requests->requestvb);
    else if (reqinfo->mode == MODE_GETNEXT)
      answer_next(view, requests->inclusive, requests->requestvb);
  }
  tally_view_unref(view);
  return SNMP_ERR_NOERROR;
}

int tally_answer_register(tally_board_t *board, tally_error_t *err) {
  netsnmp_mib_handler *handler = netsnmp_create_handler("tallyman", handle);
  if (handler == NULL)
    return tally_error_set(err, 0, "net-snmp has no memory for a handler");
  handler->myvoid = board;
  registration = netsnmp_handler_registration_create(
      "tallyman", handler, root, ROOT_LENGTH, HANDLER_CAN_RONLY);
  if (registration == NULL) {
    netsnmp_handler_free(handler);
    return tally_error_set(err, 0, "net-snmp has no memory for the root arc");
  }
  /* Frees the registration if it fails. */
  if (netsnmp_register_handler(registration) != MIB_REGISTERED_OK) {
    registration = NULL;
    return tally_error_set(err, 0, "net-snmp refuses the root arc");
  }
  tally_answer_direct_enable(board);
  return 0;
}

void tally_answer_unregister(void) {
  if (registration == NULL)
    return;
  tally_answer_direct_disable();
  netsnmp_unregister_handler(registration);
  registration = NULL;
}
