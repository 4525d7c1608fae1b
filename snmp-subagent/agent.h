/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_AGENT_H
#define TALLY_SNMP_AGENT_H

/*
 * The AgentX side: the only room that knows net-snmp, on one thread.
 *
 * Connects to the master (RFC 2741), registers the root arc and the
 * capabilities, answers from the newest view on the board, sends notices. A
 * master that is not there, restarts or hangs is met by retries every few
 * seconds with short time limits, one log line per change of state.
 */

#include "notices.h"
#include "settings.h"
#include "view.h"

typedef struct tally_agent_options_s {
  const char *name;        /* of the application: the file is NAME.conf */
  const char *socket;      /* -x; NULL: the file's, or net-snmp's default */
  const char *config_file; /* -c; read after those of net-snmp's search path */
  bool only_config_file;   /* -C: without the search path */
} tally_agent_options_t;

/*
 * Reads the configuration: every line that is ours into `settings`. -1 and
 * *err (file, line, directive, value) at the first mistake.
 */
int tally_agent_configure(const tally_agent_options_t *options,
                          tally_settings_t *settings, tally_error_t *err);

/* What the loop asks and tells. Called on the SNMP thread. */
typedef struct tally_agent_callbacks_s {
  void (*reload)(void *data); /* SIGHUP came */
  bool (*alive)(void *data);  /* the watchdog may be fed */
  void *data;
} tally_agent_callbacks_t;

/*
 * Runs until SIGTERM or SIGINT, then takes leave of the master. Connecting is
 * retried for ever; the watchdog of systemd is fed (WATCHDOG_USEC), readiness
 * is told once the loop runs. -1 and *err: net-snmp refuses to work at all.
 */
int tally_agent_run(const tally_agent_options_t *options, tally_board_t *board,
                    tally_notices_t *notices,
                    const tally_agent_callbacks_t *callbacks,
                    tally_error_t *err);

/* Gives back what net-snmp holds, its log included: the last call. */
void tally_agent_end(const tally_agent_options_t *options);

/* Makes the loop look for notices now. Any thread, and signal handlers. */
void tally_agent_wake(void);

#endif
