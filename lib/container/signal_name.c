/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "container/signal_name.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What the Engine calls RTMIN and RTMAX. */
#define REALTIME_FIRST 34
#define REALTIME_LAST 64

static const struct {
  int number;
  const char *name; /* without "SIG" */
} signals[] = {
    {SIGHUP, "HUP"},   {SIGINT, "INT"},       {SIGQUIT, "QUIT"},
    {SIGILL, "ILL"},   {SIGTRAP, "TRAP"},     {SIGABRT, "ABRT"},
    {SIGBUS, "BUS"},   {SIGFPE, "FPE"},       {SIGKILL, "KILL"},
    {SIGUSR1, "USR1"}, {SIGSEGV, "SEGV"},     {SIGUSR2, "USR2"},
    {SIGPIPE, "PIPE"}, {SIGALRM, "ALRM"},     {SIGTERM, "TERM"},
    {SIGCHLD, "CHLD"}, {SIGCONT, "CONT"},     {SIGSTOP, "STOP"},
    {SIGTSTP, "TSTP"}, {SIGTTIN, "TTIN"},     {SIGTTOU, "TTOU"},
    {SIGURG, "URG"},   {SIGXCPU, "XCPU"},     {SIGXFSZ, "XFSZ"},
    {SIGPROF, "PROF"}, {SIGVTALRM, "VTALRM"}, {SIGWINCH, "WINCH"},
    {SIGIO, "IO"},     {SIGPWR, "PWR"},       {SIGSYS, "SYS"},
};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

void tally_signal_name(int number, char name[TALLY_SIGNAL_NAME_SIZE]) {
  for (size_t i = 0; i < SIGNALS; i++) {
    if (signals[i].number == number) {
      snprintf(name, TALLY_SIGNAL_NAME_SIZE, "SIG%s", signals[i].name);
      return;
    }
  }
  if (number == REALTIME_FIRST)
    snprintf(name, TALLY_SIGNAL_NAME_SIZE, "SIGRTMIN");
  else if (number > REALTIME_FIRST && number <= REALTIME_LAST)
    snprintf(name, TALLY_SIGNAL_NAME_SIZE, "SIGRTMIN+%d",
             number - REALTIME_FIRST);
  else
    snprintf(name, TALLY_SIGNAL_NAME_SIZE, "signal %d", number);
}

/* A whole decimal number from `first` to `last`, or -1. */
static int whole_number(const char *text, int first, int last) {
  char *end;
  long n = strtol(text, &end, 10);
  if (end == text || *end != '\0' || n < first || n > last)
    return -1;
  return (int)n;
}

int tally_signal_number(const char *text) {
  if (text == NULL)
    return 0;
  int number = whole_number(text, 1, REALTIME_LAST);
  if (number > 0)
    return number;

  if (strncasecmp(text, "SIG", 3) == 0)
    text += 3;
  for (size_t i = 0; i < SIGNALS; i++)
    if (strcasecmp(text, signals[i].name) == 0)
      return signals[i].number;

  if (strncasecmp(text, "RTMIN", 5) == 0) {
    if (text[5] == '\0')
      return REALTIME_FIRST;
    int above = text[5] == '+' ? whole_number(text + 6, 0, 30) : -1;
    return above < 0 ? 0 : REALTIME_FIRST + above;
  }
  if (strncasecmp(text, "RTMAX", 5) == 0) {
    if (text[5] == '\0')
      return REALTIME_LAST;
    int below = text[5] == '-' ? whole_number(text + 6, 0, 30) : -1;
    return below < 0 ? 0 : REALTIME_LAST - below;
  }
  return 0;
}
