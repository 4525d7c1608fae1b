/* SPDX-License-Identifier: MIT */
/* write_table: from value lists, as collectd hands them to a writer, to the
 * table in a file. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include <setjmp.h>

#include <cmocka.h>

#include "mock.h"

#define TIMEOUT_MS 10000

static char directory[PATH_MAX];
static char file[PATH_MAX + 16];
static char text[65536]; /* what the file held last */

static int load_plugin(void **state) {
  sstrncpy(directory, "/tmp/tally-table-XXXXXX", sizeof(directory));
  assert_non_null(mkdtemp(directory));
  snprintf(file, sizeof(file), "%s/table", directory);
  char config[PATH_MAX + 64];
  snprintf(config, sizeof(config),
           "<Plugin write_table>\n  File \"%s\"\n</Plugin>\n", file);
  interval_g = TIME_T_TO_CDTIME_T_STATIC(1);
  mock_load();
  assert_int_equal(mock_config(config), 0);
  assert_int_equal(mock_init(), 0);
  assert_int_equal(mock_registered(MOCK_WRITE), 1);
  return 0;
}

static int unload_plugin(void **state) {
  mock_assert_content();
  mock_unload();
  unlink(file);
  assert_int_equal(rmdir(directory), 0);
  interval_g = TIME_T_TO_CDTIME_T_STATIC(10);
  return 0;
}

/* Reads the file until it shows what is expected (or, with `shown` false, shows
 * it no longer). */
static void wait_for(const char *part, bool shown) {
  for (int waited = 0; waited < TIMEOUT_MS; waited += 10) {
    FILE *stream = fopen(file, "r");
    size_t len = stream != NULL ? fread(text, 1, sizeof(text) - 1, stream) : 0;
    text[len] = '\0';
    if (stream != NULL)
      fclose(stream);
    if (len > 0 && (strstr(text, part) != NULL) == shown)
      return;
    usleep(10000);
  }
  fail_msg("`%s' %s in:\n%s", part, shown ? "is not" : "is still", text);
}

/* A value list; `values` in the order of types.db. */
static void write_list(const char *host, const char *plugin,
                       const char *instance, const char *type,
                       const char *type_instance, cdtime_t time,
                       const double *values) {
  const data_set_t *ds = plugin_get_ds(type);
  assert_non_null(ds);
  value_t numbers[32];
  for (size_t i = 0; i < ds->ds_num; i++)
    if (ds->ds[i].type == DS_TYPE_GAUGE)
      numbers[i].gauge = values[i];
    else
      numbers[i].derive = (derive_t)values[i];
  value_list_t vl = {.values = numbers,
                     .values_len = ds->ds_num,
                     .time = time,
                     .interval = interval_g};
  sstrncpy(vl.host, host, sizeof(vl.host));
  sstrncpy(vl.plugin, plugin, sizeof(vl.plugin));
  sstrncpy(vl.plugin_instance, instance, sizeof(vl.plugin_instance));
  sstrncpy(vl.type, type, sizeof(vl.type));
  sstrncpy(vl.type_instance, type_instance, sizeof(vl.type_instance));
  assert_int_equal(mock_write(&vl), 0);
}

#define VALUES(...)                                                            \
  (double[32]) { __VA_ARGS__ }

/* state, health, exit_code, restarts, uptime, processes, threads, … */
static void write_state(const char *host, const char *instance, cdtime_t time,
                        double state, double exit_code) {
  write_list(host, "docker", instance, "container_state", "", time,
             VALUES(state, 0, exit_code, 0, 42, 1, 7));
}

static void write_traffic(const char *instance, const char *interface,
                          cdtime_t time, double rx, double tx) {
  write_list("node", "docker", instance, "if_octets", interface, time,
             VALUES(rx, tx));
}

static void write_disk(const char *instance, const char *device, cdtime_t time,
                       double read, double written) {
  write_list("node", "docker", instance, "disk_octets", device, time,
             VALUES(read, written));
}

static void test_one_container(void **state) {
  cdtime_t now = cdtime();
  for (int i = 0; i < 2; i++) {
    cdtime_t time = now + TIME_T_TO_CDTIME_T((time_t)i) / 2; /* 0, 0.5 s */
    write_state("node", "web", time, 2, NAN);
    write_list("node", "docker", "web", "container_cpu", "", time,
               VALUES(0, 0, 0, 37.25, 50, 2));
    write_list("node", "docker", "web", "container_memory", "", time,
               VALUES(9e9, 3 << 20, 9e9, [12] = 64 << 20));
    write_traffic("web", "eth0", time, 1000 * i, 10 * i);
    write_traffic("web", "eth1", time, 3096 * i, 20 * i);
    write_disk("web", "vda", time, 500 * i, 0);
    write_disk("web", "vdb", time, 12 * i, 1 << 20);
  }
  wait_for("8.0K     60", true); /* interfaces and half seconds added up */
  assert_non_null(strstr(text, "  1 container, 1 running\n"));
  assert_non_null(
      strstr(text, "web           running      37.2    3.0M    64M   8.0K     "
                   "60    1.0K        0      7       42s\n"));
}

static void test_names_in_every_host_format(void **state) {
  cdtime_t now = cdtime();
  write_state("node", "plain", now, 2, NAN);
  write_state("node", "far:web", now, 2, NAN);
  write_state("as-a-host", "", now, 2, NAN);
  write_state("as-a-host", "far", now, 2, NAN);
  wait_for("4 containers", true);
  assert_non_null(strstr(text, "\nplain "));
  assert_non_null(strstr(text, "\nfar:web "));
  assert_non_null(strstr(text, "\nas-a-host "));
  assert_non_null(strstr(text, "\nfar:as-a-host "));
}

/* A container that has stopped keeps its state and loses its numbers. */
static void test_stopped_container(void **state) {
  cdtime_t now = cdtime();
  write_state("node", "job", now, 2, NAN);
  write_list("node", "docker", "job", "container_cpu", "", now,
             VALUES(0, 0, 0, 99, 99, 1));
  wait_for("99.0", true);
  write_state("node", "job", now + 1000000, 6, 3);
  wait_for("exit 3", true);
  assert_null(strstr(text, "99.0"));
  assert_non_null(strstr(text, "\njob           exited          -"));
}

static void test_silent_containers_vanish(void **state) {
  cdtime_t now = cdtime();
  write_state("node", "old", now - TIME_T_TO_CDTIME_T_STATIC(2), 2, NAN);
  write_state("node", "new", now, 2, NAN);
  wait_for("2 containers", true);
  wait_for("\nold", false); /* nobody writes anything any more */
  wait_for("\nnew", false);
  wait_for("0 containers", true);
}

static void test_docker_away(void **state) {
  write_list("node", "tallyman", "docker_stats", "tallyman_daemon", "",
             cdtime(), VALUES(0));
  wait_for("Docker does not answer: waiting for it", true);
  write_state("node", "web", cdtime(), 2, NAN);
  wait_for("Docker does not answer: showing the last known", true);
  write_list("node", "tallyman", "docker_stats", "tallyman_daemon", "",
             cdtime(), VALUES(1));
  write_list("node", "tallyman", "docker_stats:far", "tallyman_daemon", "",
             cdtime(), VALUES(0));
  wait_for("Docker \"far\" does not answer: showing", true);
}

static void test_other_values_are_not_shown(void **state) {
  cdtime_t now = cdtime();
  write_list("node", "cpu", "0", "if_octets", "", now, VALUES(1, 1));
  write_list("node", "interface", "eth0", "if_octets", "", now, VALUES(1, 1));
  write_list("node", "docker", "", "containers", "", now,
             VALUES(1, 1, 1, 1, 1, 1, 1, 1));
  write_state("node", "web", now, 2, NAN);
  wait_for("1 container,", true);
}

/* Late values (the daemon's write threads overtake each other) change nothing.
 */
static void test_late_values(void **state) {
  cdtime_t now = cdtime();
  write_state("node", "web", now, 3, NAN);
  write_state("node", "web", now - 1000, 2, NAN);
  write_state("node", "other", now, 2, NAN);
  wait_for("2 containers, 1 running", true);
  assert_non_null(strstr(text, "paused"));
}

static void test_configuration(void **state) {
  static const char *const bad[] = {"File 12", "File \"\"", "Fiel \"/x\""};
  mock_load();
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(bad); i++) {
    char config[128];
    snprintf(config, sizeof(config), "<Plugin write_table>\n%s\n</Plugin>\n",
             bad[i]);
    assert_int_not_equal(mock_config(config), 0);
    assert_int_equal(mock_logged(LOG_ERR, bad[i]), 1);
  }
  mock_assert_content();
  mock_unload();
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, load_plugin, unload_plugin)
  const struct CMUnitTest tests[] = {
      TEST(test_one_container),     TEST(test_names_in_every_host_format),
      TEST(test_stopped_container), TEST(test_silent_containers_vanish),
      TEST(test_docker_away),       TEST(test_other_values_are_not_shown),
      TEST(test_late_values),       cmocka_unit_test(test_configuration),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
