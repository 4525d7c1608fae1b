/* SPDX-License-Identifier: MIT */
/*
 * A manager that walks as fast as it is answered, in one process, so that
 * starting a client is not measured.
 *
 *   agentx_walk HOST:PORT OID BULK COLUMNS SECONDS
 *
 * Walks the subtree again and again for so long. BULK is max-repetitions (0:
 * GETNEXT). COLUMNS 0: one variable after the other, as snmpbulkwalk does. With
 * a number OID is the entry of a table, and its columns 2, 3, … are asked for
 * together, as snmptable does. Prints one line: walks, varbinds, seconds,
 * longest request in seconds, timeouts.
 */
#include "config.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

#define COLUMNS_MAX 64

typedef struct {
  oid name[MAX_OID_LEN];
  size_t length;
} name_t;

static netsnmp_session *session;
static name_t base;
static long bulk;
static size_t columns; /* asked for together; at least one */
static uint64_t varbinds, longest_ns, timeouts;

static bool is_below(const netsnmp_variable_list *v, const name_t *top) {
  return v->type != SNMP_ENDOFMIBVIEW && v->name_length > top->length &&
         memcmp(v->name, top->name, top->length * sizeof(oid)) == 0;
}

static netsnmp_pdu *ask(const name_t *from) {
  netsnmp_pdu *pdu =
      snmp_pdu_create(bulk > 0 ? SNMP_MSG_GETBULK : SNMP_MSG_GETNEXT);
  if (bulk > 0) {
    pdu->non_repeaters = 0;
    pdu->max_repetitions = bulk;
  }
  for (size_t i = 0; i < columns; i++)
    snmp_add_null_var(pdu, from[i].name, from[i].length);
  uint64_t start = tally_clock_monotonic_ns();
  netsnmp_pdu *answer = NULL;
  int status = snmp_synch_response(session, pdu, &answer);
  uint64_t spent = tally_clock_monotonic_ns() - start;
  if (spent > longest_ns)
    longest_ns = spent;
  if (status == STAT_TIMEOUT) {
    timeouts++;
    return NULL;
  }
  if (status != STAT_SUCCESS || answer->errstat != SNMP_ERR_NOERROR) {
    fprintf(stderr, "agentx_walk: no answer\n");
    exit(EXIT_FAILURE);
  }
  return answer;
}

/* False: a request was not answered in time. */
static bool walk(const name_t *tops) {
  name_t from[COLUMNS_MAX];
  memcpy(from, tops, columns * sizeof(from[0]));
  for (bool more = true; more;) {
    netsnmp_pdu *answer = ask(from);
    if (answer == NULL)
      return false;
    more = false; /* unless the last one is still in its column */
    size_t at = 0;
    for (const netsnmp_variable_list *v = answer->variables; v != NULL;
         v = v->next_variable, at = (at + 1) % columns) {
      more = is_below(v, &tops[at]);
      if (!more)
        continue;
      varbinds++;
      memcpy(from[at].name, v->name, v->name_length * sizeof(oid));
      from[at].length = v->name_length;
    }
    snmp_free_pdu(answer);
  }
  return true;
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: agentx_walk HOST:PORT OID BULK COLUMNS SECONDS\n");
    return EXIT_FAILURE;
  }
  setenv("MIBS", "", 1);
  init_snmp("agentx_walk");
  base.length = MAX_OID_LEN;
  if (!read_objid(argv[2], base.name, &base.length))
    return EXIT_FAILURE;
  bulk = strtol(argv[3], NULL, 10);
  columns = strtoul(argv[4], NULL, 10);
  if (columns > COLUMNS_MAX)
    columns = COLUMNS_MAX;
  double seconds = strtod(argv[5], NULL);

  netsnmp_session wanted;
  snmp_sess_init(&wanted);
  wanted.peername = argv[1];
  wanted.version = SNMP_VERSION_2c;
  wanted.community = (u_char *)"public";
  wanted.community_len = strlen("public");
  session = snmp_open(&wanted);
  if (session == NULL) {
    snmp_perror("agentx_walk");
    return EXIT_FAILURE;
  }

  name_t tops[COLUMNS_MAX] = {base};
  for (size_t i = 0; i < columns; i++) {
    tops[i] = base;
    tops[i].name[tops[i].length++] = 2 + i;
  }
  if (columns == 0)
    columns = 1;
  uint64_t walks = 0, start = tally_clock_monotonic_ns(), spent;
  do {
    if (walk(tops))
      walks++;
    spent = tally_clock_monotonic_ns() - start;
  } while ((double)spent < seconds * 1e9);
  printf("%ju %ju %.6f %.6f %ju\n", (uintmax_t)walks, (uintmax_t)varbinds,
         (double)spent / 1e9, (double)longest_ns / 1e9, (uintmax_t)timeouts);
  snmp_close(session);
  return EXIT_SUCCESS;
}
