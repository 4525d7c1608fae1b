/* SPDX-License-Identifier: MIT */
/* A view with something in every table and with holes in first, middle and last
 * rows; and what SNMP has to show of it. Every value is another. */
#include "config.h"

#include "unit.h"

#include "mib_scene.h"

#include "core/clock.h"

static uint64_t ago(uint64_t seconds) {
  return tally_clock_realtime_ns() - seconds * TALLY_NS_PER_S;
}

static void add_nodes(tally_view_t *view) {
  tally_node_row_t *row = tally_view_node(view);
  assert_non_null(row);
  row->version = tally_view_text(view, "version 1");
  row->health = 3;
  row->health_reason = tally_view_text(view, "health reason 3");
  row->health_changed_ns = UINT64_C(1795610340400000000);
  row->boot_ns = ago(5);
  row->cpu_percent = 6000;
  row->cpus = 7000;
  row->load1 = 8000;
  row->load5 = 9000;
  row->load15 = 10000;
  row->memory_total = UINT64_C(47244640267);
  row->memory_used = UINT64_C(51539607564);
  row->memory_available = UINT64_C(55834574861);
  row->swap_total = UINT64_C(60129542158);
  row->processes = 15000;
  row->docker_reachable = 2;
  row->docker_version = tally_view_text(view, "docker version 17");
  row->docker_api_version = tally_view_text(view, "docker api version 18");
  row->docker_problem = tally_view_text(view, "docker problem 19");
  row->docker_changed_ns = UINT64_C(1796993716000000000);
  row->containers_running = 21000;
  row->containers_paused = 22000;
  row->containers_restarting = 23000;
  row->containers_exited = 24000;
  row->containers_created = 25000;
  row->containers_dead = 26000;
  row->containers_unhealthy = 27000;
  row->sample_ns = ago(28);
  row->sample_wall_us = 29000;
  row->sample_cpu_us = 30000;
  row->sinks_state = 2;
  row->notifications_sent = UINT64_C(137438953504);
}

static void add_disks(tally_view_t *view) {
  tally_disk_row_t *row = tally_view_add_disk(view, "/");
  assert_non_null(row);
  row->device = tally_view_text(view, "device 33");
  row->used = UINT64_C(146028888098);
  row->percent = 35000;
  row->level = 1;
  row = tally_view_add_disk(view, "/srv");
  assert_non_null(row);
  row->device = tally_view_text(view, "device 37");
  row->type = tally_view_text(view, "type 38");
  row->total = UINT64_C(167503724583);
  row->used = UINT64_C(171798691880);
  row->available = UINT64_C(176093659177);
  row->percent = 42000;
  row->inodes = UINT64_C(184683593771);
  row->inodes_used = UINT64_C(188978561068);
  row->inodes_percent = 45000;
  row->read_only = 2;
  row->answering = 3;
  row->level = 1;
  row = tally_view_add_disk(view, "/data");
  assert_non_null(row);
  row->type = tally_view_text(view, "type 49");
  row->total = UINT64_C(214748364850);
  row->inodes = UINT64_C(219043332147);
  row->answering = 2;
}

static void add_containers(tally_view_t *view) {
  tally_container_row_t *row = tally_view_add_container(view, "db");
  assert_non_null(row);
  row->id = tally_view_text(view, "id 53");
  row->state = 1;
  row->created_ns = UINT64_C(1800019851500000000);
  row->exit_code = 3;
  row->restarts = 57000;
  row->level = 2;
  row = tally_view_add_container(view, "web");
  assert_non_null(row);
  row->id = tally_view_text(view, "id 59");
  row->image = tally_view_text(view, "image 60");
  row->state = 2;
  row->health = 3;
  row->created_ns = UINT64_C(1800711539300000000);
  row->started_ns = UINT64_C(1800798000400000000);
  row->finished_ns = UINT64_C(1800884461500000000);
  row->exit_code = 1;
  row->restarts = 67000;
  row->cpu_time_us = UINT64_C(292057776196);
  row->cpu_user_us = UINT64_C(296352743493);
  row->cpu_system_us = UINT64_C(300647710790);
  row->cpu_percent = 71000;
  row->cpu_limit = 72000;
  row->cpu_limit_percent = 73000;
  row->cpu_periods = UINT64_C(317827579978);
  row->cpu_throttled = UINT64_C(322122547275);
  row->cpu_throttled_us = UINT64_C(326417514572);
  row->memory_used = UINT64_C(330712481869);
  row->memory_working_set = UINT64_C(335007449166);
  row->memory_limit = UINT64_C(339302416463);
  row->memory_percent = 80000;
  row->memory_swap = UINT64_C(347892351057);
  row->memory_page_faults = UINT64_C(352187318354);
  row->memory_limit_hits = UINT64_C(356482285651);
  row->memory_oom_kills = UINT64_C(360777252948);
  row->network = 2;
  row->rx_bytes = UINT64_C(369367187542);
  row->rx_packets = UINT64_C(373662154839);
  row->rx_errors = UINT64_C(377957122136);
  row->rx_dropped = UINT64_C(382252089433);
  row->tx_bytes = UINT64_C(386547056730);
  row->tx_packets = UINT64_C(390842024027);
  row->tx_errors = UINT64_C(395136991324);
  row->tx_dropped = UINT64_C(399431958621);
  row->read_bytes = UINT64_C(403726925918);
  row->write_bytes = UINT64_C(408021893215);
  row->read_ops = UINT64_C(412316860512);
  row->write_ops = UINT64_C(416611827809);
  row->threads = 98000;
  row->threads_limit = 99000;
  row->processes = 100000;
  row->cpu_some = 101000;
  row->cpu_full = 102000;
  row->memory_some = 103000;
  row->memory_full = 104000;
  row->io_some = 105000;
  row->io_full = 106000;
  row->level = 3;
  row = tally_view_add_container(view, "cache");
  assert_non_null(row);
  row->image = tally_view_text(view, "image 108");
  row->health = 2;
  row->cpu_time_us = UINT64_C(472446402670);
  row->memory_used = UINT64_C(476741369967);
  row->io_full = 112000;
}

static void add_interfaces(tally_view_t *view) {
  tally_interface_row_t *row = tally_view_add_interface(view, "web", "eth0");
  assert_non_null(row);
  row->rx_bytes = UINT64_C(485331304561);
  row->tx_bytes = UINT64_C(489626271858);
  row = tally_view_add_interface(view, "web", "eth1");
  assert_non_null(row);
  row->rx_bytes = UINT64_C(493921239155);
  row->rx_packets = UINT64_C(498216206452);
  row->rx_errors = UINT64_C(502511173749);
  row->rx_dropped = UINT64_C(506806141046);
  row->tx_bytes = UINT64_C(511101108343);
  row->tx_packets = UINT64_C(515396075640);
  row->tx_errors = UINT64_C(519691042937);
  row->tx_dropped = UINT64_C(523986010234);
  row = tally_view_add_interface(view, "web", "wlan0");
  assert_non_null(row);
  row->rx_errors = UINT64_C(528280977531);
}

static void add_sinks(tally_view_t *view) {
  tally_sink_row_t *row = tally_view_add_sink(view, "write_nsq");
  assert_non_null(row);
  row->accepted = UINT64_C(532575944828);
  row->sent = UINT64_C(536870912125);
  row->failed = UINT64_C(541165879422);
  row->retried = UINT64_C(545460846719);
  row->dropped = UINT64_C(549755814016);
  row->queued = UINT64_C(554050781313);
  row->spooled_bytes = UINT64_C(558345748610);
  row->oldest_age_ms = UINT64_C(562640715907);
  row->last_error = 132000;
  row->last_error_text = tally_view_text(view, "last error text 133");
  row->state = 3;
}

static void add_alarms(tally_view_t *view) {
  tally_alarm_row_t *row = tally_view_add_alarm(view, 2);
  assert_non_null(row);
  row->object = tally_view_text(view, "object 135");
  row->level = 2;
  row->since_ns = UINT64_C(1807109653700000000);
  row = tally_view_add_alarm(view, 10);
  assert_non_null(row);
  row->object = tally_view_text(view, "object 138");
  row->cause = tally_view_text(view, "cause 139");
  row->level = 3;
  row->since_ns = UINT64_C(1807455497100000000);
  row->text = tally_view_text(view, "text 142");
}

tally_view_t *mib_scene_view(void) {
  tally_view_t *view = tally_view_create();
  assert_non_null(view);
  /* not in the order of the MIB */
  add_alarms(view);
  add_interfaces(view);
  add_containers(view);
  add_nodes(view);
  add_sinks(view);
  add_disks(view);
  tally_error_t err = {0};
  if (tally_view_finish(view, &err) != 0)
    fail_msg("%s", err.message);
  return view;
}

#define I TALLY_SYNTAX_INTEGER
#define G TALLY_SYNTAX_GAUGE
#define C TALLY_SYNTAX_COUNTER64
#define T TALLY_SYNTAX_TICKS
#define D TALLY_SYNTAX_DATE
#define S TALLY_SYNTAX_TEXT

const mib_scene_value_t mib_scene_values[] = {
    {"1.1.2.0", S, 0, "version 1"},
    {"1.1.3.0", I, 3, NULL},
    {"1.1.4.0", S, 0, "health reason 3"},
    {"1.1.5.0", D, 0, "07ea0b190c2700042b0000"},
    {"1.1.6.0", T, 500, NULL},
    {"1.1.7.0", G, 6000, NULL},
    {"1.1.8.0", G, 7000, NULL},
    {"1.1.9.0", G, 8000, NULL},
    {"1.1.10.0", G, 9000, NULL},
    {"1.1.11.0", G, 10000, NULL},
    {"1.1.12.0", C, UINT64_C(47244640267), NULL},
    {"1.1.13.0", C, UINT64_C(51539607564), NULL},
    {"1.1.14.0", C, UINT64_C(55834574861), NULL},
    {"1.1.15.0", C, UINT64_C(60129542158), NULL},
    {"1.1.17.0", G, 15000, NULL},
    {"1.1.18.0", I, 2, NULL},
    {"1.1.19.0", S, 0, "docker version 17"},
    {"1.1.20.0", S, 0, "docker api version 18"},
    {"1.1.21.0", S, 0, "docker problem 19"},
    {"1.1.22.0", D, 0, "07ea0c0b0c3710002b0000"},
    {"1.1.24.0", G, 21000, NULL},
    {"1.1.25.0", G, 22000, NULL},
    {"1.1.26.0", G, 23000, NULL},
    {"1.1.27.0", G, 24000, NULL},
    {"1.1.28.0", G, 25000, NULL},
    {"1.1.29.0", G, 26000, NULL},
    {"1.1.30.0", G, 27000, NULL},
    {"1.1.31.0", T, 2800, NULL},
    {"1.1.32.0", G, 29000, NULL},
    {"1.1.33.0", G, 30000, NULL},
    {"1.1.34.0", I, 2, NULL},
    {"1.1.36.0", C, UINT64_C(137438953504), NULL},
    {"1.2.1.2.1.47", S, 0, "/"},
    {"1.2.1.2.4.47.115.114.118", S, 0, "/srv"},
    {"1.2.1.2.5.47.100.97.116.97", S, 0, "/data"},
    {"1.2.1.3.1.47", S, 0, "device 33"},
    {"1.2.1.3.4.47.115.114.118", S, 0, "device 37"},
    {"1.2.1.4.4.47.115.114.118", S, 0, "type 38"},
    {"1.2.1.4.5.47.100.97.116.97", S, 0, "type 49"},
    {"1.2.1.5.4.47.115.114.118", C, UINT64_C(167503724583), NULL},
    {"1.2.1.5.5.47.100.97.116.97", C, UINT64_C(214748364850), NULL},
    {"1.2.1.6.1.47", C, UINT64_C(146028888098), NULL},
    {"1.2.1.6.4.47.115.114.118", C, UINT64_C(171798691880), NULL},
    {"1.2.1.7.4.47.115.114.118", C, UINT64_C(176093659177), NULL},
    {"1.2.1.8.1.47", G, 35000, NULL},
    {"1.2.1.8.4.47.115.114.118", G, 42000, NULL},
    {"1.2.1.9.4.47.115.114.118", C, UINT64_C(184683593771), NULL},
    {"1.2.1.9.5.47.100.97.116.97", C, UINT64_C(219043332147), NULL},
    {"1.2.1.10.4.47.115.114.118", C, UINT64_C(188978561068), NULL},
    {"1.2.1.11.4.47.115.114.118", G, 45000, NULL},
    {"1.2.1.12.4.47.115.114.118", I, 2, NULL},
    {"1.2.1.13.4.47.115.114.118", I, 3, NULL},
    {"1.2.1.13.5.47.100.97.116.97", I, 2, NULL},
    {"1.2.1.14.1.47", I, 1, NULL},
    {"1.2.1.14.4.47.115.114.118", I, 1, NULL},
    {"1.3.1.2.2.100.98", S, 0, "db"},
    {"1.3.1.2.3.119.101.98", S, 0, "web"},
    {"1.3.1.2.5.99.97.99.104.101", S, 0, "cache"},
    {"1.3.1.3.2.100.98", S, 0, "id 53"},
    {"1.3.1.3.3.119.101.98", S, 0, "id 59"},
    {"1.3.1.4.3.119.101.98", S, 0, "image 60"},
    {"1.3.1.4.5.99.97.99.104.101", S, 0, "image 108"},
    {"1.3.1.5.2.100.98", I, 1, NULL},
    {"1.3.1.5.3.119.101.98", I, 2, NULL},
    {"1.3.1.6.3.119.101.98", I, 3, NULL},
    {"1.3.1.6.5.99.97.99.104.101", I, 2, NULL},
    {"1.3.1.7.2.100.98", D, 0, "07eb010f0d1e33052b0000"},
    {"1.3.1.7.3.119.101.98", D, 0, "07eb01170d263b032b0000"},
    {"1.3.1.8.3.119.101.98", D, 0, "07eb01180d2800042b0000"},
    {"1.3.1.9.3.119.101.98", D, 0, "07eb01190d2901052b0000"},
    {"1.3.1.10.2.100.98", I, 3, NULL},
    {"1.3.1.10.3.119.101.98", I, 1, NULL},
    {"1.3.1.11.2.100.98", G, 57000, NULL},
    {"1.3.1.11.3.119.101.98", G, 67000, NULL},
    {"1.3.1.12.3.119.101.98", C, UINT64_C(292057776196), NULL},
    {"1.3.1.12.5.99.97.99.104.101", C, UINT64_C(472446402670), NULL},
    {"1.3.1.13.3.119.101.98", C, UINT64_C(296352743493), NULL},
    {"1.3.1.14.3.119.101.98", C, UINT64_C(300647710790), NULL},
    {"1.3.1.15.3.119.101.98", G, 71000, NULL},
    {"1.3.1.16.3.119.101.98", G, 72000, NULL},
    {"1.3.1.17.3.119.101.98", G, 73000, NULL},
    {"1.3.1.18.3.119.101.98", C, UINT64_C(317827579978), NULL},
    {"1.3.1.19.3.119.101.98", C, UINT64_C(322122547275), NULL},
    {"1.3.1.20.3.119.101.98", C, UINT64_C(326417514572), NULL},
    {"1.3.1.21.3.119.101.98", C, UINT64_C(330712481869), NULL},
    {"1.3.1.21.5.99.97.99.104.101", C, UINT64_C(476741369967), NULL},
    {"1.3.1.22.3.119.101.98", C, UINT64_C(335007449166), NULL},
    {"1.3.1.23.3.119.101.98", C, UINT64_C(339302416463), NULL},
    {"1.3.1.24.3.119.101.98", G, 80000, NULL},
    {"1.3.1.25.3.119.101.98", C, UINT64_C(347892351057), NULL},
    {"1.3.1.26.3.119.101.98", C, UINT64_C(352187318354), NULL},
    {"1.3.1.27.3.119.101.98", C, UINT64_C(356482285651), NULL},
    {"1.3.1.28.3.119.101.98", C, UINT64_C(360777252948), NULL},
    {"1.3.1.29.3.119.101.98", I, 2, NULL},
    {"1.3.1.30.3.119.101.98", C, UINT64_C(369367187542), NULL},
    {"1.3.1.31.3.119.101.98", C, UINT64_C(373662154839), NULL},
    {"1.3.1.32.3.119.101.98", C, UINT64_C(377957122136), NULL},
    {"1.3.1.33.3.119.101.98", C, UINT64_C(382252089433), NULL},
    {"1.3.1.34.3.119.101.98", C, UINT64_C(386547056730), NULL},
    {"1.3.1.35.3.119.101.98", C, UINT64_C(390842024027), NULL},
    {"1.3.1.36.3.119.101.98", C, UINT64_C(395136991324), NULL},
    {"1.3.1.37.3.119.101.98", C, UINT64_C(399431958621), NULL},
    {"1.3.1.38.3.119.101.98", C, UINT64_C(403726925918), NULL},
    {"1.3.1.39.3.119.101.98", C, UINT64_C(408021893215), NULL},
    {"1.3.1.40.3.119.101.98", C, UINT64_C(412316860512), NULL},
    {"1.3.1.41.3.119.101.98", C, UINT64_C(416611827809), NULL},
    {"1.3.1.42.3.119.101.98", G, 98000, NULL},
    {"1.3.1.43.3.119.101.98", G, 99000, NULL},
    {"1.3.1.44.3.119.101.98", G, 100000, NULL},
    {"1.3.1.45.3.119.101.98", G, 101000, NULL},
    {"1.3.1.46.3.119.101.98", G, 102000, NULL},
    {"1.3.1.47.3.119.101.98", G, 103000, NULL},
    {"1.3.1.48.3.119.101.98", G, 104000, NULL},
    {"1.3.1.49.3.119.101.98", G, 105000, NULL},
    {"1.3.1.50.3.119.101.98", G, 106000, NULL},
    {"1.3.1.50.5.99.97.99.104.101", G, 112000, NULL},
    {"1.3.1.51.2.100.98", I, 2, NULL},
    {"1.3.1.51.3.119.101.98", I, 3, NULL},
    {"1.4.1.2.3.119.101.98.4.101.116.104.48", S, 0, "web"},
    {"1.4.1.2.3.119.101.98.4.101.116.104.49", S, 0, "web"},
    {"1.4.1.2.3.119.101.98.5.119.108.97.110.48", S, 0, "web"},
    {"1.4.1.3.3.119.101.98.4.101.116.104.48", S, 0, "eth0"},
    {"1.4.1.3.3.119.101.98.4.101.116.104.49", S, 0, "eth1"},
    {"1.4.1.3.3.119.101.98.5.119.108.97.110.48", S, 0, "wlan0"},
    {"1.4.1.4.3.119.101.98.4.101.116.104.48", C, UINT64_C(485331304561), NULL},
    {"1.4.1.4.3.119.101.98.4.101.116.104.49", C, UINT64_C(493921239155), NULL},
    {"1.4.1.5.3.119.101.98.4.101.116.104.49", C, UINT64_C(498216206452), NULL},
    {"1.4.1.6.3.119.101.98.4.101.116.104.49", C, UINT64_C(502511173749), NULL},
    {"1.4.1.6.3.119.101.98.5.119.108.97.110.48", C, UINT64_C(528280977531),
     NULL},
    {"1.4.1.7.3.119.101.98.4.101.116.104.49", C, UINT64_C(506806141046), NULL},
    {"1.4.1.8.3.119.101.98.4.101.116.104.48", C, UINT64_C(489626271858), NULL},
    {"1.4.1.8.3.119.101.98.4.101.116.104.49", C, UINT64_C(511101108343), NULL},
    {"1.4.1.9.3.119.101.98.4.101.116.104.49", C, UINT64_C(515396075640), NULL},
    {"1.4.1.10.3.119.101.98.4.101.116.104.49", C, UINT64_C(519691042937), NULL},
    {"1.4.1.11.3.119.101.98.4.101.116.104.49", C, UINT64_C(523986010234), NULL},
    {"1.5.1.2.9.119.114.105.116.101.95.110.115.113", S, 0, "write_nsq"},
    {"1.5.1.3.9.119.114.105.116.101.95.110.115.113", C, UINT64_C(532575944828),
     NULL},
    {"1.5.1.4.9.119.114.105.116.101.95.110.115.113", C, UINT64_C(536870912125),
     NULL},
    {"1.5.1.5.9.119.114.105.116.101.95.110.115.113", C, UINT64_C(541165879422),
     NULL},
    {"1.5.1.6.9.119.114.105.116.101.95.110.115.113", C, UINT64_C(545460846719),
     NULL},
    {"1.5.1.7.9.119.114.105.116.101.95.110.115.113", C, UINT64_C(549755814016),
     NULL},
    {"1.5.1.8.9.119.114.105.116.101.95.110.115.113", C, UINT64_C(554050781313),
     NULL},
    {"1.5.1.9.9.119.114.105.116.101.95.110.115.113", C, UINT64_C(558345748610),
     NULL},
    {"1.5.1.10.9.119.114.105.116.101.95.110.115.113", C, UINT64_C(562640715907),
     NULL},
    {"1.5.1.11.9.119.114.105.116.101.95.110.115.113", G, 132000, NULL},
    {"1.5.1.12.9.119.114.105.116.101.95.110.115.113", S, 0,
     "last error text 133"},
    {"1.5.1.13.9.119.114.105.116.101.95.110.115.113", I, 3, NULL},
    {"1.6.1.2.2", S, 0, "object 135"},
    {"1.6.1.2.10", S, 0, "object 138"},
    {"1.6.1.3.10", S, 0, "cause 139"},
    {"1.6.1.4.2", I, 2, NULL},
    {"1.6.1.4.10", I, 3, NULL},
    {"1.6.1.5.2", D, 0, "07eb04070e360d072b0000"},
    {"1.6.1.5.10", D, 0, "07eb040b0e3a11012b0000"},
    {"1.6.1.6.10", S, 0, "text 142"},
};
const size_t mib_scene_values_count = COUNT_OF(mib_scene_values);
