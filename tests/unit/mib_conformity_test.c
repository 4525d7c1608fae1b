/* SPDX-License-Identifier: MIT */
/* The tables of columns say what TALLYMAN-MIB says: smidump reads the module,
 * and every accessible object must be in the tables with its name, identifier
 * and syntax, and nothing else may. */
#include "config.h"

#include "unit.h"

#include <limits.h>

#include "core/file.h"
#include "docker/docker.h"
#include "mib.h"

#define OBJECTS_MAX 512

typedef struct object_s {
  char name[64], oid[128], access[4], syntax[64];
} object_t;

static object_t objects[OBJECTS_MAX];
static size_t objects_count;

static const char *environment(const char *name) {
  const char *value = getenv(name);
  return value != NULL ? value : ".";
}

static void module_path(char path[PATH_MAX]) {
  snprintf(path, PATH_MAX, "%s/snmp-subagent/TALLYMAN-MIB.txt",
           environment("TALLY_BUILDDIR"));
}

/* The output of a command with the module as its last argument, or NULL. */
static FILE *run(const char *tool) {
  char command[2 * PATH_MAX + 256], path[PATH_MAX];
  module_path(path);
  snprintf(command, sizeof(command),
           "SMIPATH='%s/snmp-subagent/basic-mibs': %s '%s' 2>&1",
           environment("TALLY_SRCDIR"), tool, path);
  return popen(command, "r");
}

static object_t *find_object(const char *name) {
  for (size_t i = 0; i < objects_count; i++)
    if (strcmp(objects[i].name, name) == 0)
      return &objects[i];
  return NULL;
}

/* "TALLYMAN-MIB tallyNodeName    scalar    1.3.6.1…" */
static void read_identifiers(void) {
  FILE *stream = run("smidump -f identifiers");
  assert_non_null(stream);
  char line[1024], kind[32];
  while (fgets(line, sizeof(line), stream) != NULL) {
    object_t object = {0};
    if (sscanf(line, "%*s %63s %31s %127s", object.name, kind, object.oid) !=
            3 ||
        (strcmp(kind, "scalar") != 0 && strcmp(kind, "column") != 0))
      continue;
    assert_in_range(objects_count, 0, OBJECTS_MAX - 1);
    objects[objects_count++] = object;
  }
  assert_int_equal(pclose(stream), 0);
}

/* "  |  +-- r-n SnmpAdminString     tallyNodeName(1)" */
static void read_tree(void) {
  FILE *stream = run("smidump -f tree");
  assert_non_null(stream);
  char line[1024];
  while (fgets(line, sizeof(line), stream) != NULL) {
    const char *entry = strstr(line, "+-- ");
    char access[4], syntax[64], name[64];
    if (entry == NULL ||
        sscanf(entry, "+-- %3s %63s %63[^(]", access, syntax, name) != 3)
      continue;
    object_t *object = find_object(name);
    if (object == NULL)
      fail_msg("%s has no identifier", name);
    strcpy(object->access, access);
    strcpy(object->syntax, syntax);
  }
  assert_int_equal(pclose(stream), 0);
}

static int read_module(void **state) {
  read_identifiers();
  read_tree();
  return 0;
}

/* How a syntax of the module travels. 0: in none of our ways. */
static tally_syntax_t syntax_of(const char *text) {
  static const struct {
    const char *text;
    tally_syntax_t syntax;
  } syntaxes[] = {
      {"Integer32", TALLY_SYNTAX_INTEGER},
      {"Enumeration", TALLY_SYNTAX_INTEGER},
      {"TruthValue", TALLY_SYNTAX_INTEGER},
      {"TallyLevel", TALLY_SYNTAX_INTEGER},
      {"TallyRunState", TALLY_SYNTAX_INTEGER},
      {"TallyHealthState", TALLY_SYNTAX_INTEGER},
      {"TallyNetworkKind", TALLY_SYNTAX_INTEGER},
      {"TallyDeliveryState", TALLY_SYNTAX_INTEGER},
      {"Gauge32", TALLY_SYNTAX_GAUGE},
      {"Counter64", TALLY_SYNTAX_COUNTER64},
      {"CounterBasedGauge64", TALLY_SYNTAX_COUNTER64},
      {"TimeTicks", TALLY_SYNTAX_TICKS},
      {"DateAndTime", TALLY_SYNTAX_DATE},
      {"SnmpAdminString", TALLY_SYNTAX_TEXT},
  };
  for (size_t i = 0; i < COUNT_OF(syntaxes); i++)
    if (strcmp(syntaxes[i].text, text) == 0)
      return syntaxes[i].syntax;
  return 0;
}

static void print_oid(const tally_mib_table_t *table,
                      const tally_mib_column_t *column, char text[256]) {
  static const tally_subid_t root[] = {TALLYMAN_ROOT_OID};
  size_t at = 0;
  for (size_t i = 0; i < COUNT_OF(root); i++)
    at += (size_t)sprintf(text + at, "%lu.", root[i]);
  for (size_t i = 0; i < table->base_length; i++)
    at += (size_t)sprintf(text + at, "%lu.", table->base[i]);
  sprintf(text + at, "%lu", column->subid);
}

static void test_no_complaint(void **state) {
  FILE *stream = run("smilint -l 6 -s");
  assert_non_null(stream);
  char line[1024];
  if (fgets(line, sizeof(line), stream) != NULL)
    fail_msg("%s", line);
  assert_int_equal(pclose(stream), 0);
}

static void test_every_column_is_in_the_module(void **state) {
  for (size_t t = 0; t < tally_mib_tables_count; t++)
    for (size_t c = 0; c < tally_mib_tables[t]->columns_count; c++) {
      const tally_mib_column_t *column = &tally_mib_tables[t]->columns[c];
      const object_t *object = find_object(column->name);
      if (object == NULL)
        fail_msg("%s is not in the module", column->name);
      char oid[256];
      print_oid(tally_mib_tables[t], column, oid);
      assert_string_equal(oid, object->oid);
      assert_string_equal(object->access, "r-n");
      if (syntax_of(object->syntax) != column->syntax)
        fail_msg("%s is a %s", column->name, object->syntax);
    }
}

static bool is_in_tables(const char *name) {
  for (size_t t = 0; t < tally_mib_tables_count; t++)
    for (size_t c = 0; c < tally_mib_tables[t]->columns_count; c++)
      if (strcmp(tally_mib_tables[t]->columns[c].name, name) == 0)
        return true;
  return false;
}

static void test_every_object_is_in_the_tables(void **state) {
  assert_true(objects_count > 100);
  for (size_t i = 0; i < objects_count; i++) {
    bool readable = strcmp(objects[i].access, "r-n") == 0;
    /* indexes, and what only notifications carry, are not to be read */
    assert_true(readable || strcmp(objects[i].access, "---") == 0 ||
                strcmp(objects[i].access, "--n") == 0);
    if (is_in_tables(objects[i].name) != readable)
      fail_msg("%s", objects[i].name);
  }
}

static void test_columns_are_sorted(void **state) {
  for (size_t t = 0; t < tally_mib_tables_count; t++) {
    const tally_mib_table_t *table = tally_mib_tables[t];
    for (size_t c = 1; c < table->columns_count; c++)
      assert_true(table->columns[c - 1].subid < table->columns[c].subid);
    if (t > 0)
      assert_true(tally_mib_compare(tally_mib_tables[t - 1]->base,
                                    tally_mib_tables[t - 1]->base_length,
                                    table->base, table->base_length) < 0);
  }
}

/* ---- enumerations ---------------------------------------------------------
 */

/* Whether the textual convention gives `name` this number, and no other name
 * does. */
static void check_enumeration(const char *convention, const char *name,
                              int number) {
  static char text[1 << 18];
  char path[PATH_MAX], wanted[128];
  module_path(path);
  tally_error_t err = {0};
  if (tally_file_read(path, text, sizeof(text), &err) < 0)
    fail_msg("%s", err.message);
  snprintf(wanted, sizeof(wanted), "%s ::= TEXTUAL-CONVENTION", convention);
  char *begin = strstr(text, wanted);
  assert_non_null(begin);
  begin = strstr(begin, "INTEGER {");
  assert_non_null(begin);
  char *end = strchr(begin, '}');
  assert_non_null(end);
  *end = '\0';
  snprintf(wanted, sizeof(wanted), " %s(%d)", name, number);
  if (strstr(begin, wanted) == NULL)
    fail_msg("%s has no%s", convention, wanted);
}

static void test_enumerations(void **state) {
  for (int i = 0; i < TALLY_CONTAINER_STATES; i++)
    check_enumeration("TallyRunState",
                      tally_container_state_name((tally_container_state_t)i),
                      i + 1);
  for (int i = TALLY_HEALTH_NONE; i <= TALLY_HEALTH_UNHEALTHY; i++)
    check_enumeration("TallyHealthState", tally_health_name((tally_health_t)i),
                      i + 1);
  check_enumeration("TallyLevel", "ok", TALLY_LEVEL_OK);
  check_enumeration("TallyLevel", "warning", TALLY_LEVEL_WARNING);
  check_enumeration("TallyLevel", "critical", TALLY_LEVEL_CRITICAL);
  check_enumeration("TallyLevel", "unknown", TALLY_LEVEL_UNKNOWN);
}

int main(void) {
  if (system("{ command -v smilint && command -v smidump; } > /dev/null") !=
      0) {
    puts("1..0 # SKIP smilint and smidump (smitools) are not installed");
    return 0;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_no_complaint),
      cmocka_unit_test(test_every_column_is_in_the_module),
      cmocka_unit_test(test_every_object_is_in_the_tables),
      cmocka_unit_test(test_columns_are_sorted),
      cmocka_unit_test(test_enumerations),
  };
  return cmocka_run_group_tests_name("mib_conformity", tests, read_module,
                                     NULL);
}
