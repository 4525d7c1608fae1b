/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_AGENTX_H
#define TALLY_SNMP_AGENTX_H

/*
 * AgentX as bytes: Get and GetNext answered from a view. Knows no net-snmp,
 * allocates nothing, does no I/O.
 *
 * Contract: RFC 2741 sections 5 (encodings), 6.1 (header), 6.2.5, 6.2.6 and
 * 6.2.16 (Get, GetNext, Response), 7.2.3 (how they are answered). Both byte
 * orders; the answer has that of the request.
 */

#include "view.h"

#define TALLY_AGENTX_HEADER 20

/* A session opened with the largest payload that net-snmp sends and takes. */
#define TALLY_AGENTX_PDU_MAX (TALLY_AGENTX_HEADER + 65536)

/* How long the PDU that begins with these bytes is, header included; 0: its
 * header is not complete. */
size_t tally_agentx_length(const uint8_t *bytes, size_t count);

/*
 * The response to one whole PDU; its length. 0: it is not ours to answer, which
 * is everything but a well-formed Get or GetNext in the default context with
 * all identifiers below the root arc, and what has no room in `size`. Hostile
 * bytes are welcome. `view` NULL: nothing is known yet.
 */
size_t tally_agentx_answer(const tally_view_t *view, const uint8_t *pdu,
                           size_t length, uint8_t *response, size_t size);

#endif
