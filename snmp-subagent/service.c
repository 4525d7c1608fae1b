/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "service.h"

#ifdef HAVE_SYSTEMD

#include <inttypes.h>
#include <systemd/sd-daemon.h>

#include "core/clock.h"

void tally_service_ready(void) { sd_notify(0, "READY=1"); }

void tally_service_reloading(void) {
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
             tally_clock_monotonic_ns() / 1000);
}

void tally_service_stopping(void) { sd_notify(0, "STOPPING=1"); }

uint64_t tally_service_watchdog_ns(void) {
  uint64_t usec = 0;
  /* Twice as often as would be enough. */
  return sd_watchdog_enabled(0, &usec) > 0 ? usec * 1000 / 2 : 0;
}

void tally_service_alive(void) { sd_notify(0, "WATCHDOG=1"); }

#else

void tally_service_ready(void) {}
void tally_service_reloading(void) {}
void tally_service_stopping(void) {}
uint64_t tally_service_watchdog_ns(void) { return 0; }
void tally_service_alive(void) {}

#endif
