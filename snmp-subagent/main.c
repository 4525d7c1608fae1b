/* SPDX-License-Identifier: MIT */
/* tallyman-agentx(8): the command line, and who talks to whom. */
#include "config.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "service.h"
#include "text_pages.h"
#include "watch.h"

#define PROGRAM "tallyman-agentx"

/* Until all that is loaded at the start has been used for the first time. */
#define START_LASTS_S 10

typedef struct {
  tally_agent_options_t options;
  tally_settings_t *settings;
  tally_board_t *board;
  tally_notices_t *notices;
  tally_watch_t *watch;
  uint64_t started_ns;
} daemon_t;

/* Without a new view for so long after it was due, the watcher hangs. */
#define VIEW_OVERDUE_NS (60 * TALLY_NS_PER_S)

static void usage(FILE *out) {
  fprintf(out, "usage: " PROGRAM " [OPTIONS]\n"
               "Shows this node and its containers over SNMP, as a subagent of "
               "snmpd.\n\n"
               "  -f          stay in the foreground\n"
               "  -x SOCKET   where the master agent listens for AgentX\n"
               "  -c FILE     read FILE as well\n"
               "  -C          do not read the usual configuration files\n"
               "  -p FILE     write the process id to FILE\n"
               "  -D TOKEN    turn on net-snmp's debugging output\n"
               "  -V          print the version and exit\n"
               "  -h          print this and exit\n"
               "  -L          where the log goes:\n");
  snmp_log_options_usage("              ", out);
}

static int take_over(daemon_t *d, tally_settings_t *settings,
                     tally_error_t *err) {
  if (tally_agent_configure(&d->options, settings, err) != 0 ||
      tally_watch_configure(d->watch, settings, err) != 0)
    return -1;
  tally_notices_configure(d->notices, settings);
  return 0;
}

/* SIGHUP: other settings, or the old ones and a line that says why. */
static void reload(void *data) {
  daemon_t *d = data;
  tally_error_t err = {0};
  tally_service_reloading();
  tally_settings_t *settings = tally_settings_create();
  if (settings == NULL)
    tally_error_set(&err, ENOMEM, "settings");
  if (settings == NULL || take_over(d, settings, &err) != 0) {
    snmp_log(LOG_ERR, "the old configuration stays: %s\n", err.message);
    tally_settings_unref(settings);
  } else {
    snmp_log(LOG_INFO, "the configuration was read again\n");
    tally_settings_unref(d->settings);
    d->settings = settings;
  }
  tally_service_ready();
}

static bool alive(void *data) {
  const daemon_t *d = data;
  uint64_t last_ns = tally_watch_last_ns(d->watch);
  if (last_ns == 0)
    last_ns = d->started_ns;
  uint64_t due_ns =
      last_ns + (uint64_t)(d->settings->interval * TALLY_NS_PER_S);
  return tally_clock_monotonic_ns() < due_ns + VIEW_OVERDUE_NS;
}

static int write_pid_file(const char *path, tally_error_t *err) {
  FILE *file = fopen(path, "we");
  if (file == NULL)
    return tally_error_set(err, errno, "%s", path);
  fprintf(file, "%d\n", (int)getpid());
  return fclose(file) == 0 ? 0 : tally_error_set(err, errno, "%s", path);
}

static int become_daemon(bool logging, tally_error_t *err) {
  if (!logging) {
    snmp_disable_stderrlog();
    snmp_enable_syslog_ident(PROGRAM, LOG_DAEMON);
  }
  if (netsnmp_daemonize(1, snmp_stderrlog_status()) != 0)
    return tally_error_set(err, errno, "becoming a daemon");
  return 0;
}

static void on_notice(void *data) { tally_agent_wake(); }

static void on_started(unsigned alarm, void *data) {
  tally_text_pages_give_back();
}

static int run(daemon_t *d, tally_error_t *err) {
  const tally_agent_callbacks_t callbacks = {
      .reload = reload, .alive = alive, .data = d};
  d->board = tally_board_create();
  if (d->board == NULL)
    return tally_error_set(err, ENOMEM, "starting");
  d->notices = tally_notices_create(on_notice, NULL, err);
  if (d->notices == NULL)
    return -1;
  tally_notices_configure(d->notices, d->settings);
  d->started_ns = tally_clock_monotonic_ns();
  d->watch = tally_watch_start(d->settings, d->board, d->notices, err);
  if (d->watch == NULL)
    return -1;
  snmp_alarm_register(START_LASTS_S, 0, on_started, NULL);
  int status =
      tally_agent_run(&d->options, d->board, d->notices, &callbacks, err);
  tally_watch_stop(d->watch);
  return status;
}

int main(int argc, char **argv) {
  daemon_t d = {.options.name = PROGRAM};
  bool foreground = false, logging = false;
  const char *pid_file = NULL;
  tally_autofree char *config_file = NULL;
  tally_error_t err = {0};

  snmp_log_syslogname(PROGRAM);
  for (int c; (c = getopt(argc, argv, "fx:c:Cp:D:L:Vh")) != -1;) {
    switch (c) {
    case 'f':
      foreground = true;
      break;
    case 'x':
      d.options.socket = optarg;
      break;
    case 'c':
      /* A daemon changes its directory. Without a file reading it says why. */
      free(config_file);
      config_file = realpath(optarg, NULL);
      d.options.config_file = config_file != NULL ? config_file : optarg;
      break;
    case 'C':
      d.options.only_config_file = true;
      break;
    case 'p':
      pid_file = optarg;
      break;
    case 'D':
      debug_register_tokens(optarg);
      snmp_set_do_debugging(1);
      break;
    case 'L':
      if (snmp_log_options(optarg, argc, argv) < 0) {
        usage(stderr);
        return EXIT_FAILURE;
      }
      logging = true;
      break;
    case 'V':
      printf(PROGRAM " " PACKAGE_VERSION " (net-snmp %s)\n",
             netsnmp_get_version());
      return EXIT_SUCCESS;
    case 'h':
      usage(stdout);
      return EXIT_SUCCESS;
    default:
      usage(stderr);
      return EXIT_FAILURE;
    }
  }
  if (optind != argc) {
    fprintf(stderr, PROGRAM ": unexpected argument: %s\n", argv[optind]);
    usage(stderr);
    return EXIT_FAILURE;
  }
  if (!logging)
    snmp_enable_stderrlog();

  d.settings = tally_settings_create();
  if (d.settings == NULL)
    return EXIT_FAILURE;
  int status = tally_agent_configure(&d.options, d.settings, &err);
  if (status == 0 && !foreground)
    status = become_daemon(logging, &err);
  if (status == 0 && pid_file != NULL)
    status = write_pid_file(pid_file, &err);
  if (status == 0) {
    status = run(&d, &err);
    if (pid_file != NULL)
      unlink(pid_file);
  }
  if (status != 0)
    snmp_log(LOG_ERR, "%s\n", err.message);
  tally_agent_end(&d.options);
  tally_notices_destroy(d.notices);
  tally_board_destroy(d.board);
  tally_settings_unref(d.settings);
  return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
