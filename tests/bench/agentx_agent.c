/* SPDX-License-Identifier: MIT */
/*
 * Subagents to be measured, with nothing to do but answer:
 *
 *   agentx_agent helper SOCKET ROWS    net-snmp's table_dataset and its own
 * loop agentx_agent ours SOCKET ROWS      our answers and our loop agentx_agent
 * whole SOCKET ROWS     the same with every column known
 *
 * Both tables stand at the same place (tallyContainerTable, so 1.3.1 below the
 * root arc), have string indexes of the same length and COLUMNS columns with
 * the same values. Ends on SIGTERM.
 */
#include "config.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "mib.h"

#define COLUMNS 20

static void row_name(unsigned row, char name[32]) {
  snprintf(name, 32, "shop-web-%05u", row);
}

static int fail(const char *what) {
  fprintf(stderr, "agentx_agent: %s\n", what);
  return EXIT_FAILURE;
}

/* ---- ours -----------------------------------------------------------------
 */

static const tally_mib_table_t *container_table(void) {
  for (size_t i = 0; i < tally_mib_tables_count; i++)
    if (tally_mib_tables[i]->table == TALLY_TABLE_CONTAINERS)
      return tally_mib_tables[i];
  return NULL;
}

static tally_view_t *fixed_view(unsigned rows, size_t columns) {
  const tally_mib_table_t *table = container_table();
  if (columns > table->columns_count)
    columns = table->columns_count;
  tally_view_t *view = tally_view_create();
  for (unsigned i = 0; i < rows && view != NULL; i++) {
    char name[32];
    row_name(i, name);
    char *row = (char *)tally_view_add_container(view, name);
    /* the name, the first column, is there already */
    for (size_t c = 1; c < columns && row != NULL; c++) {
      void *member = row + table->columns[c].field;
      if (table->columns[c].syntax == TALLY_SYNTAX_TEXT)
        *(const char **)member = tally_view_text(view, name);
      else
        *(uint64_t *)member = 1 + i;
    }
  }
  if (view == NULL || tally_view_finish(view, NULL) != 0)
    exit(fail("out of memory"));
  return view;
}

static void no_reload(void *data) {}
static void no_wake(void *data) {}
static bool always_alive(void *data) { return true; }

static int run_ours(const char *socket, unsigned rows, size_t columns) {
  const tally_agent_options_t options = {
      .name = "agentx_agent", .socket = socket, .only_config_file = true};
  const tally_agent_callbacks_t callbacks = {.reload = no_reload,
                                             .alive = always_alive};
  tally_error_t err = {0};
  tally_settings_t *settings = tally_settings_create();
  tally_board_t *board = tally_board_create();
  tally_board_publish(board, fixed_view(rows, columns));
  tally_notices_t *notices = tally_notices_create(no_wake, NULL, &err);
  int status = notices != NULL ? 0 : -1;
  if (status == 0)
    status = tally_agent_configure(&options, settings, &err);
  if (status == 0)
    status = tally_agent_run(&options, board, notices, &callbacks, &err);
  tally_notices_destroy(notices);
  tally_board_destroy(board);
  tally_settings_unref(settings);
  return status == 0 ? EXIT_SUCCESS : fail(err.message);
}

/* ---- the helper -----------------------------------------------------------
 */

static volatile sig_atomic_t stop_wanted;

static void on_signal(int number) { stop_wanted = 1; }

/* The columns that the fixed view has, in the types in which they travel. */
static u_char asn_type(tally_syntax_t syntax) {
  switch (syntax) {
  case TALLY_SYNTAX_INTEGER:
    return ASN_INTEGER;
  case TALLY_SYNTAX_GAUGE:
    return ASN_GAUGE;
  case TALLY_SYNTAX_COUNTER64:
    return ASN_COUNTER64;
  case TALLY_SYNTAX_TICKS:
    return ASN_TIMETICKS;
  default:
    return ASN_OCTET_STR;
  }
}

static void set_cell(netsnmp_table_row *row, const tally_mib_column_t *column,
                     unsigned value, const char *text) {
  long number = (long)value;
  struct counter64 wide = {.low = value};
  char date[11] = {7, (char)0xea, 11, 21, 12, 0, 0, 0, '+', 0, 0};
  const void *data = &number;
  size_t size = sizeof(number);
  if (column->syntax == TALLY_SYNTAX_COUNTER64) {
    data = &wide;
    size = sizeof(wide);
  } else if (column->syntax == TALLY_SYNTAX_TEXT) {
    data = text;
    size = strlen(text);
  } else if (column->syntax == TALLY_SYNTAX_DATE) {
    data = date;
    size = sizeof(date);
  }
  netsnmp_set_row_column(row, column->subid, asn_type(column->syntax), data,
                         size);
}

static void register_helper(unsigned rows) {
  const tally_mib_table_t *columns = container_table();
  oid base[] = {TALLYMAN_ROOT_OID, 1, 3};
  netsnmp_table_data_set *table =
      netsnmp_create_table_data_set("tallyContainerTable");
  netsnmp_table_dataset_add_index(table, ASN_OCTET_STR);
  for (size_t c = 0; c < COLUMNS; c++)
    netsnmp_table_set_add_default_row(table, columns->columns[c].subid,
                                      asn_type(columns->columns[c].syntax), 0,
                                      NULL, 0);
  netsnmp_register_table_data_set(
      netsnmp_create_handler_registration("tallyContainerTable", NULL, base,
                                          OID_LENGTH(base), HANDLER_CAN_RONLY),
      table, NULL);
  for (unsigned i = 0; i < rows; i++) {
    char name[32];
    row_name(i, name);
    netsnmp_table_row *row = netsnmp_create_table_data_row();
    netsnmp_table_row_add_index(row, ASN_OCTET_STR, name, strlen(name));
    for (size_t c = 0; c < COLUMNS; c++)
      set_cell(row, &columns->columns[c], 1 + i, name);
    netsnmp_table_dataset_add_row(table, row);
  }
}

static int run_helper(const char *socket, unsigned rows) {
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGTERM, &action, NULL);
  setenv("MIBS", "", 1);
  netsnmp_enable_subagent();
  netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID,
                         NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
  netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID,
                         NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
  netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET,
                        socket);
  init_agent("agentx_agent");
  register_helper(rows);
  init_snmp("agentx_agent");
  while (!stop_wanted)
    agent_check_and_process(1);
  snmp_shutdown("agentx_agent");
  shutdown_agent();
  return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
  if (argc != 4)
    return fail("usage: agentx_agent helper|ours|whole SOCKET ROWS");
  snmp_enable_stderrlog();
  unsigned rows = (unsigned)strtoul(argv[3], NULL, 10);
  if (strcmp(argv[1], "helper") == 0)
    return run_helper(argv[2], rows);
  if (strcmp(argv[1], "ours") == 0)
    return run_ours(argv[2], rows, COLUMNS);
  if (strcmp(argv[1], "whole") == 0)
    return run_ours(argv[2], rows, SIZE_MAX);
  return fail("helper, ours or whole?");
}
