/* SPDX-License-Identifier: MIT */
/* tallyman-agentx.conf: every directive, what it does and what it refuses. */
#include "config.h"

#include "unit.h"

#include "docker/docker.h"
#include "settings.h"

static int setup(void **state) {
  *state = tally_settings_create();
  return *state != NULL ? 0 : -1;
}

static int teardown(void **state) {
  tally_settings_unref(*state);
  return 0;
}

static void apply(tally_settings_t *s, const char *directive,
                  const char *argument) {
  tally_error_t err = {0};
  if (tally_settings_apply(s, directive, argument, &err) != 0)
    fail_msg("%s", err.message);
}

static void assert_threshold(const tally_threshold_t *t, double warning,
                             double critical) {
  assert_true(t->warning == warning);
  assert_true(t->critical == critical);
}

static void test_defaults(void **state) {
  const tally_settings_t *s = *state;
  assert_true(s->interval == 10);
  assert_null(s->docker_endpoint);
  assert_string_equal(s->collectd_socket, "/var/run/collectd-unixsock");
  assert_true(s->disk_timeout == 2);
  assert_threshold(&s->disk_rules->space, 80, 90);
  assert_threshold(&s->disk_rules->inodes, 80, 90);
  assert_true(tally_select_match(s->disk_rules->match, "/any"));
  assert_threshold(&s->container_rules->memory, 90, 95);
  assert_threshold(&s->container_rules->cpu, 0, 0);
  assert_null(s->container_rules->label);
  assert_threshold(&s->node_cpu, 0, 0);
  assert_threshold(&s->node_memory, 90, 95);
  assert_true(s->hysteresis == 5);
  assert_true(s->sink_delayed == 60 && s->sink_stalled == 300);
  for (size_t i = TALLY_NOTICE_CONTAINER_DIED; i < TALLY_NOTICES; i++)
    assert_true(s->notify[i]);
  assert_int_equal(s->notices_per_minute, 60);
}

static void test_ignored_by_default(void **state) {
  static const struct {
    const char *mount, *type;
    bool ignored;
  } cases[] = {
      {"/", "ext4", false},
      {"/boot/efi", "vfat", false},
      {"/srv/nfs", "nfs4", false},
      {"/var/lib/docker", "xfs", false},
      {"/var/lib/docker/volumes/db", "xfs", false},
      {"/var/lib/docker/devicemapper/mnt/ab", "ext4", true},
      {"/data/docker/zfs/graph/ab", "zfs", true},
      {"/var/lib/kubelet/pods/ab/volumes/c", "ext4", true},
  };
  const tally_settings_t *s = *state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    bool ignored = tally_select_match(s->ignored_mounts, cases[i].mount) ||
                   tally_select_match(s->ignored_types, cases[i].type);
    if (ignored != cases[i].ignored)
      fail_msg("%s (%s)", cases[i].mount, cases[i].type);
  }
}

static void test_values(void **state) {
  tally_settings_t *s = *state;
  apply(s, "interval", "2.5");
  apply(s, "INTERVAL", " 30 # seconds");
  assert_true(s->interval == 30);
  apply(s, "dockerEndpoint", "tcp://dock:2376 /tmp");
  assert_string_equal(s->docker_endpoint, "tcp://dock:2376");
  assert_string_equal(s->docker_cert_dir, "/tmp");
  apply(s, "dockerEndpoint", "unix:///run/docker.sock");
  assert_string_equal(s->docker_endpoint, "unix:///run/docker.sock");
  assert_null(s->docker_cert_dir);
  apply(s, "rootfs", "\"/root fs\"");
  assert_string_equal(s->rootfs, "/root fs");
  apply(s, "collectdSocket", "/run/c");
  assert_string_equal(s->collectd_socket, "/run/c");
  apply(s, "collectdSocket", "off");
  assert_null(s->collectd_socket);
  apply(s, "ignoreSelected", "yes");
  assert_true(s->ignore_selected);
  apply(s, "diskTimeout", "0.5");
  assert_true(s->disk_timeout == 0.5);
  apply(s, "nodeCpu", "80% 90%");
  assert_threshold(&s->node_cpu, 80, 90);
  apply(s, "nodeMemory", "off");
  assert_threshold(&s->node_memory, 0, 0);
  apply(s, "nodeSwap", "12.5 100");
  assert_threshold(&s->node_swap, 12.5, 100);
  apply(s, "nodeLoad", "1.5 300");
  assert_threshold(&s->node_load, 1.5, 300);
  apply(s, "hysteresis", "0");
  apply(s, "hold", "60");
  assert_true(s->hysteresis == 0 && s->hold == 60);
  apply(s, "sinkDelayed", "10");
  apply(s, "sinkStalled", "20");
  assert_true(s->sink_delayed == 10 && s->sink_stalled == 20);
  apply(s, "noticeRate", "6000");
  assert_int_equal(s->notices_per_minute, 6000);
}

static void test_ignore(void **state) {
  tally_settings_t *s = *state;
  static const char engine[] = "/var/lib/docker/zfs/graph/ab";
  apply(s, "ignoreMount", "/scratch");
  apply(s, "ignoreType", "/^nfs/");
  assert_true(tally_select_match(s->ignored_mounts, "/scratch"));
  assert_true(tally_select_match(s->ignored_mounts, engine));
  assert_true(tally_select_match(s->ignored_types, "nfs4"));
  apply(s, "ignoreMount", "none");
  assert_false(tally_select_match(s->ignored_mounts, engine));
  apply(s, "ignoreMount", "/data");
  assert_true(tally_select_match(s->ignored_mounts, "/data"));
}

/* The rule for a mount point, as everybody looks it up. */
static const tally_disk_rule_t *disk_rule(const tally_settings_t *s,
                                          const char *mount) {
  const tally_disk_rule_t *rule = s->disk_rules;
  while (!tally_select_match(rule->match, mount))
    rule = rule->next;
  return rule;
}

static void test_disks(void **state) {
  tally_settings_t *s = *state;
  apply(s, "disk", "/data 50% 60% inodes 70% 75%");
  apply(s, "disk", "/^\\/data/ 95 97");
  apply(s, "disk", "\"/my disk\" off inodes off");
  apply(s, "disk", "/data 1 2");

  assert_threshold(&disk_rule(s, "/data")->space, 50, 60);
  assert_threshold(&disk_rule(s, "/data")->inodes, 70, 75);
  assert_threshold(&disk_rule(s, "/data2")->space, 95, 97);
  assert_threshold(&disk_rule(s, "/data2")->inodes, 80, 90);
  assert_threshold(&disk_rule(s, "/my disk")->space, 0, 0);
  assert_threshold(&disk_rule(s, "/my disk")->inodes, 0, 0);
  assert_threshold(&disk_rule(s, "/")->space, 80, 90);
}

static const tally_container_rule_t *container_rule(const tally_settings_t *s,
                                                    const char *label,
                                                    const char *value) {
  const tally_container_rule_t *rule = s->container_rules;
  while (rule->label != NULL &&
         (strcmp(rule->label, label) != 0 ||
          (rule->value != NULL && strcmp(rule->value, value) != 0)))
    rule = rule->next;
  return rule;
}

static void test_containers(void **state) {
  tally_settings_t *s = *state;
  apply(s, "containerThreshold", "tier=web memory 50% 60%");
  apply(s, "containerThreshold", "tier=web cpu 20 30");
  apply(s, "containerThreshold", "tier threads off");
  apply(s, "containerThreshold", "empty= cpu 1 2");
  apply(s, "containerThreshold", "memory 70 80");
  apply(s, "containerThreshold", "* cpu 85 95");

  const tally_container_rule_t *web = container_rule(s, "tier", "web");
  assert_threshold(&web->memory, 50, 60);
  assert_threshold(&web->cpu, 20, 30);
  assert_threshold(&web->threads, 90, 95);
  /* What a rule does not say is as for all, whatever came first. */
  const tally_container_rule_t *tier = container_rule(s, "tier", "db");
  assert_threshold(&tier->memory, 70, 80);
  assert_threshold(&tier->cpu, 85, 95);
  assert_threshold(&tier->threads, 0, 0);
  assert_string_equal(container_rule(s, "empty", "")->value, "");
  const tally_container_rule_t *all = container_rule(s, "other", "");
  assert_null(all->label);
  assert_threshold(&all->memory, 70, 80);
  assert_threshold(&all->cpu, 85, 95);
}

static void test_notify(void **state) {
  tally_settings_t *s = *state;
  apply(s, "notify", "all off");
  for (size_t i = TALLY_NOTICE_CONTAINER_DIED; i < TALLY_NOTICES; i++) {
    assert_false(s->notify[i]);
    char argument[64];
    snprintf(argument, sizeof(argument), "%s on", tally_notice_names[i]);
    apply(s, "notify", argument);
    assert_true(s->notify[i]);
  }
}

static void test_wants(void **state) {
  static const tally_pair_t labels[] = {{"tier", "web"}};
  const tally_container_t web = {
      .name = "web-1", .image = "nginx:1", .labels = labels, .labels_count = 1};
  const tally_container_t db = {.name = "db", .image = "postgres:16"};
  static const struct {
    const char *directive, *argument;
  } cases[] = {
      {"containerName", "/^web-/"},
      {"containerImage", "nginx:1"},
      {"containerLabel", "tier=web"},
      {"containerImage", "\"/^nginx/\""},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_settings_t *s = tally_settings_create();
    assert_true(tally_settings_wants(s, &web) && tally_settings_wants(s, &db));
    apply(s, cases[i].directive, cases[i].argument);
    assert_true(tally_settings_wants(s, &web));
    assert_false(tally_settings_wants(s, &db));
    apply(s, "ignoreSelected", "on");
    assert_false(tally_settings_wants(s, &web));
    assert_true(tally_settings_wants(s, &db));
    tally_settings_unref(s);
  }
}

static void test_wrong(void **state) {
  static const struct {
    const char *directive, *argument, *message;
  } cases[] = {
      {"intervall", "10", "intervall \"10\": there is no such directive"},
      {"", "", " \"\": there is no such directive"},
      {"interval", "", "interval \"\": takes one value"},
      {"interval", "10 20", "interval \"10 20\": takes one value"},
      {"Interval", "0", "interval \"0\": must be a number from 1 to 3600"},
      {"interval", "3601", NULL},
      {"interval", "ten", NULL},
      {"interval", "-1", NULL},
      {"interval", "1e1", NULL},
      {"interval", "0x10", NULL},
      {"interval", "nan", NULL},
      {"interval", "inf", NULL},
      {"interval", "1.2.3", NULL},
      {"interval", "10s", NULL},
      {"interval", "\"\"", NULL},
      {"interval", "\"10", "interval \"\"10\": a quote is not closed"},
      {"interval", "99999999999999999999999999999", NULL},
      {"dockerEndpoint", "", NULL},
      {"dockerEndpoint", "dock:2375", NULL},
      {"dockerEndpoint", "unix://relative", NULL},
      {"dockerEndpoint", "tcp://dock:2376 certs", NULL},
      {"dockerEndpoint", "tcp://dock:2376 /no/such/directory", NULL},
      {"dockerEndpoint", "tcp://dock:2376 /certs more", NULL},
      {"rootfs", "host", "rootfs \"host\": must be an absolute path"},
      {"collectdSocket", "no", NULL},
      {"collectdSocket",
       "/0123456789012345678901234567890123456789012345678901234567890123456789"
       "0123456789012345678901234567890123456789",
       NULL},
      {"containerName", "", NULL},
      {"containerName", "a b", NULL},
      {"containerName", "/(/", NULL},
      {"containerImage", "/[/", NULL},
      {"containerLabel", "/*/ /*/", NULL},
      {"ignoreSelected", "maybe", NULL},
      {"ignoreMount", "", NULL},
      {"ignoreType", "/(/", NULL},
      {"diskTimeout", "0", NULL},
      {"diskTimeout", "61", NULL},
      {"disk", "", NULL},
      {"disk", "/data", NULL},
      {"disk", "data 80 90", NULL},
      {"disk", "/data 80", NULL},
      {"disk", "/data 90 80",
       "disk \"/data 90 80\": the critical level is below the warning"},
      {"disk", "/data 80 101", NULL},
      {"disk", "/data 0 90", NULL},
      {"disk", "/data 80%% 90%", NULL},
      {"disk", "/data % 90%", NULL},
      {"disk", "/data 80 90 inodes", NULL},
      {"disk", "/data 80 90 inode 80 90", NULL},
      {"disk", "/data 80 90 inodes 80 90 100", NULL},
      {"disk", "/data 80 0000000000000000000000000000000000000000000090", NULL},
      {"disk", "/(/ 80 90", NULL},
      {"containerThreshold", "", NULL},
      {"containerThreshold", "memory", NULL},
      {"containerThreshold", "memory 80", NULL},
      {"containerThreshold", "tier=web disk 80 90", NULL},
      {"containerThreshold", "=web memory 80 90", NULL},
      {"containerThreshold", "\"\" memory 80 90", NULL},
      {"containerThreshold", "tier memory 80 90 95", NULL},
      {"containerThreshold", "tier memory 80 90 cpu 80 90", NULL},
      {"nodeCpu", "", NULL},
      {"nodeCpu", "80", NULL},
      {"nodeCpu", "off off", NULL},
      {"nodeMemory", "80 200", NULL},
      {"nodeSwap", "a b", NULL},
      {"nodeLoad", "1% 2%", NULL},
      {"nodeLoad", "1 1001", NULL},
      {"hysteresis", "51", NULL},
      {"hold", "86401", NULL},
      {"sinkDelayed", "0", NULL},
      {"sinkStalled", "604801", NULL},
      {"notify", "containerDied", NULL},
      {"notify", "containerDied maybe", NULL},
      {"notify", "containerdead on", NULL},
      {"notify", "on containerDied", NULL},
      {"noticeRate", "0", NULL},
      {"noticeRate", "1.5", NULL},
      {"interval", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", NULL},
      {"interval\n\x01", "\x80\xff\n10",
       "interval   \"?? 10\": there is no such directive"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_settings_t *s = tally_settings_create();
    tally_error_t err = {0};
    if (tally_settings_apply(s, cases[i].directive, cases[i].argument, &err) !=
        -1)
      fail_msg("%s %s was taken", cases[i].directive, cases[i].argument);
    if (cases[i].message != NULL)
      assert_string_equal(err.message, cases[i].message);
    /* Everybody is told which value it was. */
    assert_non_null(strstr(err.message, "\""));
    assert_true(s->interval == 10);
    tally_settings_unref(s);
  }
}

static void test_long(void **state) {
  tally_settings_t *s = *state;
  char *argument = malloc(100000);
  memset(argument, 'x', 100000 - 1);
  argument[100000 - 1] = '\0';
  for (size_t i = 0; i < tally_directives_count; i++) {
    tally_error_t err = {0};
    assert_int_equal(
        tally_settings_apply(s, tally_directives[i].name, argument, &err), -1);
    assert_non_null(strstr(err.message, "longer than"));
  }
  argument[4000] = '\0';
  apply(s, "containerName", argument);
  free(argument);
}

/* Whatever the bytes: no crash, no overrun (the sanitizers look on). */
static void test_noise(void **state) {
  tally_settings_t *s = *state;
  static const char alphabet[] = "\"\"\\\\ \t#%=*/.09offdisk()[]\x80";
  unsigned seed = 1;
  for (unsigned round = 0; round < 20000; round++) {
    char argument[48];
    size_t len = round % sizeof(argument);
    for (size_t i = 0; i < len; i++) {
      seed = seed * 1103515245 + 12345;
      argument[i] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
    }
    argument[len] = '\0';
    tally_error_t err = {0};
    const char *name = tally_directives[round % tally_directives_count].name;
    /* Compiling regular expressions of noise is the C library's affair. */
    if (strstr(argument, "/") == NULL &&
        tally_settings_apply(s, name, argument, &err) != 0)
      assert_non_null(strstr(err.message, name));
  }
}

static void test_references(void **state) {
  tally_settings_t *s = tally_settings_create();
  assert_ptr_equal(tally_settings_ref(s), s);
  tally_settings_unref(s);
  assert_true(s->interval == 10);
  tally_settings_unref(s);
  tally_settings_unref(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_defaults, setup, teardown),
      cmocka_unit_test_setup_teardown(test_ignored_by_default, setup, teardown),
      cmocka_unit_test_setup_teardown(test_values, setup, teardown),
      cmocka_unit_test_setup_teardown(test_ignore, setup, teardown),
      cmocka_unit_test_setup_teardown(test_disks, setup, teardown),
      cmocka_unit_test_setup_teardown(test_containers, setup, teardown),
      cmocka_unit_test_setup_teardown(test_notify, setup, teardown),
      cmocka_unit_test(test_wants),
      cmocka_unit_test(test_wrong),
      cmocka_unit_test_setup_teardown(test_long, setup, teardown),
      cmocka_unit_test_setup_teardown(test_noise, setup, teardown),
      cmocka_unit_test(test_references),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
