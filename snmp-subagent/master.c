/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <net-snmp/agent/agent_callbacks.h>

#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "core/cleanup.h"

/* The library waits in place for the answer to a ping, an open and a register.
 * A master that is busy for longer than this is taken for lost. */
#define ANSWER_WITHIN_US 2000000

/* AgentX sessions among all of net-snmp's (its agentx/protocol.h). */
#define IS_AGENTX(version) (((version)&0xc0) == 0xc0)

/* Why there is no session, as far as one can see from here. */
typedef enum {
  CAUSE_NONE = 0,
  CAUSE_MISSING,
  CAUSE_FORBIDDEN,
  CAUSE_NOBODY,
  CAUSE_SILENT,
  CAUSE_REMOTE,
  CAUSES
} cause_t;

static struct {
  bool connected;
  bool reported[CAUSES]; /* since we were connected last */
} master;

/* ---- what net-snmp tells ------------------------------------------------- */

static int on_session(int major, int minor, void *server_data,
                      void *client_data) {
  netsnmp_session *session = server_data;
  if (IS_AGENTX(session->version)) {
    session->timeout = ANSWER_WITHIN_US;
    session->retries = 0;
  }
  return SNMP_ERR_NOERROR;
}

static int on_connected(int major, int minor, void *server_data,
                        void *client_data) {
  netsnmp_transport *transport =
      snmp_sess_transport(snmp_sess_pointer(server_data));
  if (transport != NULL)
    fcntl(transport->sock, F_SETFD, FD_CLOEXEC);
  master.connected = true;
  memset(master.reported, 0, sizeof(master.reported));
  return SNMP_ERR_NOERROR;
}

static int on_lost(int major, int minor, void *server_data, void *client_data) {
  master.connected = false;
  return SNMP_ERR_NOERROR;
}

static void on_time_limit(int signal) {}

void tally_master_watch(void) {
  snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_SESSION_INIT,
                         on_session, NULL);
  snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START,
                         on_connected, NULL);
  snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_STOP,
                         on_lost, NULL);
  /* Without SA_RESTART: it is there to interrupt. */
  struct sigaction action = {.sa_handler = on_time_limit};
  sigaction(SIGALRM, &action, NULL);
}

bool tally_master_connected(void) { return master.connected; }

/* ---- why there is no session --------------------------------------------- */

static const char *socket_name(void) {
  const char *name = netsnmp_ds_get_string(NETSNMP_DS_APPLICATION_ID,
                                           NETSNMP_DS_AGENT_X_SOCKET);
  if (name == NULL)
    name = netsnmp_lookup_default_target("agentx", "unix");
  return name != NULL ? name : "";
}

/* Asks the socket itself, because net-snmp does not keep the error. */
static cause_t find_cause(const char *name, int *code) {
  const char *path = strncmp(name, "unix:", 5) == 0 ? name + 5 : name;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  *code = 0;
  if (path[0] != '/' || strlen(path) >= sizeof(address.sun_path))
    return CAUSE_REMOTE;
  strcpy(address.sun_path, path);
  tally_autoclose int fd =
      socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
    return CAUSE_SILENT;
  *code = errno;
  switch (errno) {
  case ENOENT:
    return CAUSE_MISSING;
  case EACCES:
  case EPERM:
    return CAUSE_FORBIDDEN;
  case EAGAIN: /* its queue is full */
    *code = 0;
    return CAUSE_SILENT;
  default:
    return CAUSE_NOBODY;
  }
}

static void report_trouble(void) {
  static const char *const explanations[CAUSES] = {
      [CAUSE_MISSING] = "is snmpd running, with \"master agentx\" and this "
                        "agentXSocket in snmpd.conf?",
      [CAUSE_FORBIDDEN] = "may this user use the socket and its directory? see "
                          "agentXPerms in snmpd.conf",
      [CAUSE_NOBODY] = "nobody listens there; is snmpd running?",
      [CAUSE_SILENT] = "somebody listens there, but does not answer as an "
                       "AgentX master",
      [CAUSE_REMOTE] = "is snmpd running, with \"master agentx\" and this "
                       "agentXSocket in snmpd.conf?",
  };
  int code;
  const char *name = socket_name();
  cause_t cause = find_cause(name, &code);
  if (master.reported[cause])
    return;
  master.reported[cause] = true;
  snmp_log(LOG_WARNING,
           "cannot connect to the AgentX master at %s%s%s (%s); trying again "
           "every %d s\n",
           name, code != 0 ? ": " : "", code != 0 ? strerror(code) : "",
           explanations[cause],
           netsnmp_ds_get_int(NETSNMP_DS_APPLICATION_ID,
                              NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL));
}

/* ---- what may block ------------------------------------------------------ */

/*
 * connect() waits as long as a master that hangs has its queue full, or a host
 * does not answer at all. Nobody but a signal interrupts it, and one that comes
 * just before it is lost: hence the repetition.
 */
static void limit_time(bool limited) {
  struct itimerval timer = {0};
  if (limited) {
    timer.it_value.tv_sec = 2;
    timer.it_interval.tv_usec = 200000;
  }
  setitimer(ITIMER_REAL, &timer, NULL);
}

void tally_master_connect(void) {
  limit_time(true);
  /* On this, net-snmp opens the session. */
  snmp_call_callbacks(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_POST_READ_CONFIG,
                      NULL);
  limit_time(false);
  if (!master.connected)
    report_trouble();
}

void tally_master_run_due(void) {
  struct timeval delay;
  if (get_next_alarm_delay_time(&delay) == 0 || delay.tv_sec > 0 ||
      (delay.tv_sec == 0 && delay.tv_usec > 0))
    return;
  limit_time(true);
  run_alarms();
  limit_time(false);
  if (!master.connected)
    report_trouble();
}
