/* SPDX-License-Identifier: MIT */
/*
 * Requests of the master, answered where they come in.
 *
 * net-snmp's subagent hands every request to its own agent through a pipe to
 * itself, with two copies of it and two further rounds of the loop: several
 * times what it costs to answer. So the callback of the AgentX session is ours:
 * it answers Get and GetNext below the root arc and gives everything else
 * (SETs, contexts, GetBulk, disconnects) to the library's, which uses the
 * handler of answer.c. Both give the same answers.
 *
 * Contract: RFC 2741 sections 6.2.5, 6.2.6 (the requests), 7.2.3.1, 7.2.3.2
 * (how they are answered).
 */
#include "config.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <net-snmp/agent/agent_callbacks.h>

#include "answer.h"
#include "answer_private.h"

#include "mib.h"

/* RFC 2741 section 6.1; net-snmp does not install its names for them. */
enum {
  AGENTX_GET = 5,
  AGENTX_GET_NEXT = 6,
  AGENTX_RESPONSE = 18,
  AGENTX_NON_DEFAULT_CONTEXT = 0x08, /* h.flags */
  AGENTX_NETWORK_BYTE_ORDER = 0x10,
};

static tally_board_t *board;
static netsnmp_callback library_callback; /* of the present session */

static bool is_for_us(const netsnmp_pdu *pdu) {
  if ((pdu->command != AGENTX_GET && pdu->command != AGENTX_GET_NEXT) ||
      (pdu->flags & AGENTX_NON_DEFAULT_CONTEXT) != 0 || pdu->variables == NULL)
    return false;
  for (const netsnmp_variable_list *v = pdu->variables; v != NULL;
       v = v->next_variable)
    if (!tally_answer_is_ours(v->name, v->name_length))
      return false;
  return true;
}

/* A search range ends before an identifier, or nowhere if that is null (which
 * is parsed as 0.0). */
static bool is_bound(const oid *end, size_t length) {
  return length > 0 && !(length == 2 && end[0] == 0 && end[1] == 0);
}

static void answer_next(const tally_view_t *view,
                        netsnmp_variable_list *varbind) {
  oid start[MAX_OID_LEN], end[MAX_OID_LEN];
  size_t start_length = varbind->name_length;
  size_t end_length = varbind->val_len / sizeof(oid);
  if (end_length > MAX_OID_LEN)
    end_length = MAX_OID_LEN;
  memcpy(start, varbind->name, start_length * sizeof(oid));
  memcpy(end, varbind->val.objid, end_length * sizeof(oid));

  bool found =
      tally_answer_next(view, varbind->type == ASN_PRIV_INCL_RANGE, varbind);
  if (found && is_bound(end, end_length) &&
      tally_mib_compare(varbind->name, varbind->name_length, end, end_length) >=
          0) {
    snmp_set_var_objid(varbind, start, start_length);
    found = false;
  }
  if (!found)
    snmp_set_var_typed_value(varbind, SNMP_ENDOFMIBVIEW, NULL, 0);
}

/* Answers with the varbinds of the request itself. */
static void answer(netsnmp_session *session, netsnmp_pdu *request) {
  netsnmp_pdu *response = snmp_pdu_create(AGENTX_RESPONSE);
  if (response == NULL)
    return; /* the master asks again */
  response->version = session->version;
  response->flags = request->flags & AGENTX_NETWORK_BYTE_ORDER;
  response->sessid = request->sessid;
  response->transid = request->transid;
  response->reqid = request->reqid;
  response->errstat = SNMP_ERR_NOERROR;
  response->errindex = 0;
  response->variables = request->variables;
  request->variables = NULL;

  const tally_view_t *view = tally_board_take(board);
  for (netsnmp_variable_list *v = response->variables; v != NULL;
       v = v->next_variable)
    if (request->command == AGENTX_GET)
      tally_answer_get(view, v);
    else
      answer_next(view, v);
  tally_view_unref(view);

  if (snmp_send(session, response) == 0)
    snmp_free_pdu(response);
}

static int receive(int operation, netsnmp_session *session, int reqid,
                   netsnmp_pdu *pdu, void *magic) {
  if (operation != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE || !is_for_us(pdu))
    return library_callback(operation, session, reqid, pdu, magic);
  answer(session, pdu);
  return 1;
}

/* A session with a master was opened. */
static int session_opened(int major, int minor, void *session_data,
                          void *data) {
  netsnmp_session *session = session_data;
  if (session->callback != receive) {
    library_callback = session->callback;
    session->callback = receive;
  }
  return SNMPERR_SUCCESS;
}

void tally_answer_direct_enable(tally_board_t *the_board) {
  board = the_board;
  snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START,
                         session_opened, NULL);
}

void tally_answer_direct_disable(void) {
  snmp_unregister_callback(SNMP_CALLBACK_APPLICATION,
                           SNMPD_CALLBACK_INDEX_START, session_opened, NULL, 1);
}
