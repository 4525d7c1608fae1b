/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <net-snmp/agent/agent_sysORTable.h>
#include <net-snmp/library/large_fd_set.h>

#include "agent.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "answer.h"
#include "core/clock.h"
#include "directives.h"
#include "log_queue.h"
#include "master.h"
#include "service.h"
#include "traps.h"

/* At most so many notifications between two looks at requests. */
#define NOTICES_PER_TURN 16

static volatile sig_atomic_t stop_wanted, reload_wanted;
static int wake_fd = -1;

void tally_agent_wake(void) {
  static const uint64_t one = 1;
  int saved = errno; /* we may be in a signal handler */
  if (write(wake_fd, &one, sizeof(one)) < 0) {
    /* The counter is full: it has been woken. */
  }
  errno = saved;
}

static void on_signal(int number) {
  if (number == SIGHUP)
    reload_wanted = 1;
  else
    stop_wanted = 1;
  tally_agent_wake();
}

static void catch_signals(void) {
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGHUP, &action, NULL);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, NULL);
}

/* ---- configuration ------------------------------------------------------- */

/* Where net-snmp may write (it makes a directory there). */
static void set_state_directory(void) {
  const char *directory = getenv("SNMP_PERSISTENT_DIR");
  if (directory == NULL)
    directory = getenv("STATE_DIRECTORY"); /* systemd.exec(5) */
  set_persistent_directory(directory != NULL ? directory : TALLY_STATE_DIR);
}

static void set_library_flag(int which) {
  netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, which, 1);
}

/*
 * Everything but connecting. net-snmp reads its configuration and connects in
 * one go (init_snmp), which would leave no time between them to refuse a
 * configuration, to become a daemon and to start threads. So it is kept from
 * reading here, and told to connect in tally_master_connect().
 */
static int set_up(const char *name, tally_error_t *err) {
  wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd < 0)
    return tally_error_set(err, errno, "eventfd");
  catch_signals();
  tally_log_queue_start(tally_agent_wake);

  setenv("MIBS", "", 1); /* numbers are enough for an agent */
  setenv("MIBDIRS", "/dev/null", 1);
  set_state_directory();
  netsnmp_enable_subagent();
  set_library_flag(NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD);
  set_library_flag(NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE);
  set_library_flag(NETSNMP_DS_LIB_ALARM_DONT_USE_SIG);
  set_library_flag(NETSNMP_DS_LIB_DISABLE_CONFIG_LOAD);
  netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID,
                         NETSNMP_DS_AGENT_NO_CONNECTION_WARNINGS, 1);
  init_snmp(name);
  netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID,
                         NETSNMP_DS_LIB_DISABLE_CONFIG_LOAD, 0);
  init_agent(name);
  /* Not before: init_agent() sets its own. */
  netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID,
                     NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL,
                     TALLY_MASTER_PING_INTERVAL);
  tally_directives_register();
  return 0;
}

int tally_agent_configure(const tally_agent_options_t *options,
                          tally_settings_t *settings, tally_error_t *err) {
  static bool is_set_up;
  if (!is_set_up) {
    if (set_up(options->name, err) != 0)
      return -1;
    is_set_up = true;
    if (!options->only_config_file)
      read_config_files(PREMIB_CONFIG);
  }
  if (tally_directives_read(options, settings, err) != 0)
    return -1;
  if (options->socket != NULL)
    netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET,
                          options->socket);
  return 0;
}

/* ---- the loop ------------------------------------------------------------ */

typedef struct {
  const tally_agent_callbacks_t *callbacks;
  tally_notices_t *notices;
  netsnmp_large_fd_set descriptors;
  uint64_t watchdog_ns, fed_ns; /* interval; when it was last */
  uint64_t due_ns;              /* when what is due was last looked after */
} loop_t;

static void write_log(void) {
  tally_log_level_t level;
  char text[512];
  while (tally_log_queue_take(&level, text, sizeof(text)))
    snmp_log((int)level, "%s\n", text);
}

/* Only somebody who still has views to show is alive. */
static void feed_watchdog(loop_t *loop, uint64_t now) {
  if (loop->watchdog_ns == 0 || now - loop->fed_ns < loop->watchdog_ns ||
      !loop->callbacks->alive(loop->callbacks->data))
    return;
  loop->fed_ns = now;
  tally_service_alive();
}

static void on_wake(loop_t *loop) {
  uint64_t count;
  if (read(wake_fd, &count, sizeof(count)) < 0)
    return;
  write_log();
  if (reload_wanted) {
    reload_wanted = 0;
    netsnmp_logging_restart(); /* files may have been rotated */
    loop->callbacks->reload(loop->callbacks->data);
  }
}

/* Without a master they wait: theirs is a restart of a few seconds. What they
 * have no room for is counted. */
static void send_notices(loop_t *loop) {
  tally_notice_t notice;
  int sent = 0;
  while (tally_master_connected() && sent < NOTICES_PER_TURN &&
         tally_notices_take(loop->notices, &notice)) {
    tally_traps_send(&notice);
    sent++;
  }
  if (sent == NOTICES_PER_TURN)
    tally_agent_wake(); /* there may be more */
}

/* Waits for descriptors; their number, 0: time is up, -1: interrupted. */
static int wait_for_work(loop_t *loop) {
  struct timeval timeout = {.tv_sec = 1}; /* for the watchdog */
  int numfds = 0, block = 0;
  NETSNMP_LARGE_FD_ZERO(&loop->descriptors);
  snmp_select_info2(&numfds, &loop->descriptors, &timeout, &block);
  NETSNMP_LARGE_FD_SET(wake_fd, &loop->descriptors);
  if (wake_fd >= numfds)
    numfds = wake_fd + 1;
  return netsnmp_large_fd_set_select(numfds, &loop->descriptors, NULL, NULL,
                                     &timeout);
}

static void turn(loop_t *loop) {
  int ready = wait_for_work(loop);
  if (ready > 0) {
    if (NETSNMP_LARGE_FD_ISSET(wake_fd, &loop->descriptors)) {
      NETSNMP_LARGE_FD_CLR(wake_fd, &loop->descriptors);
      ready--;
      on_wake(loop);
    }
    if (ready > 0)
      snmp_read2(&loop->descriptors);
  }
  /* Also while requests never cease. */
  uint64_t now = tally_clock_monotonic_ns();
  if (ready <= 0 || now - loop->due_ns > TALLY_NS_PER_S / 2) {
    loop->due_ns = now;
    snmp_timeout();
    tally_master_run_due();
    feed_watchdog(loop, now);
  }
  send_notices(loop);
  netsnmp_check_outstanding_agent_requests();
}

/* ---- start and end ------------------------------------------------------- */

static oid root[] = {TALLYMAN_ROOT_OID};

int tally_agent_run(const tally_agent_options_t *options, tally_board_t *board,
                    tally_notices_t *notices,
                    const tally_agent_callbacks_t *callbacks,
                    tally_error_t *err) {
  loop_t loop = {.callbacks = callbacks,
                 .notices = notices,
                 .watchdog_ns = tally_service_watchdog_ns()};
  if (tally_answer_register(board, err) != 0)
    return -1;
  netsnmp_large_fd_set_init(&loop.descriptors, FD_SETSIZE);
  register_sysORTable(root, OID_LENGTH(root),
                      "TALLYMAN-MIB: health of a container host");
  tally_master_watch();
  tally_service_ready();
  tally_master_connect();
  while (!stop_wanted)
    turn(&loop);

  tally_service_stopping();
  tally_log_set_callback(NULL);
  write_log();
  tally_answer_unregister();
  unregister_sysORTable(root, OID_LENGTH(root));
  netsnmp_large_fd_set_cleanup(&loop.descriptors);
  return 0;
}

void tally_agent_end(const tally_agent_options_t *options) {
  snmp_shutdown(options->name);
  shutdown_agent();
}
