/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "directives.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/text.h"

/*
 * net-snmp hands a line to its handler without saying where it stands, but its
 * own reports of mistakes do say it: "FILE: line N: Error: …". So ours are
 * reported through it as well, and while files are being read its log goes to
 * a list here, in which the first mistake is found.
 */

#define REPORTS_MAX 32

typedef struct {
  int priority;
  char text[768];
} report_t;

static struct {
  tally_settings_t *settings; /* that is being filled in */
  report_t *reports;
  size_t count;
} reading;

static void on_directive(const char *token, char *argument) {
  tally_error_t err = {0};
  if (reading.settings != NULL &&
      tally_settings_apply(reading.settings, token, argument, &err) != 0)
    netsnmp_config_error("%s", err.message);
}

void tally_directives_register(void) {
  for (size_t i = 0; i < tally_directives_count; i++)
    register_app_config_handler(tally_directives[i].name, on_directive, NULL,
                                tally_directives[i].help);
}

/* ---- the log while files are being read ---------------------------------- */

static int on_report(int major, int minor, void *server_data,
                     void *client_data) {
  const struct snmp_log_message *message = server_data;
  if (reading.count < REPORTS_MAX) {
    report_t *report = &reading.reports[reading.count++];
    report->priority = message->priority;
    tally_text_copy(report->text, sizeof(report->text), message->msg);
    size_t len = strlen(report->text); /* the line feed is a blank now */
    while (len > 0 && report->text[len - 1] == ' ')
      report->text[--len] = '\0';
  }
  return SNMP_ERR_NOERROR;
}

/* Turns all ways of the log off, or on again those that were on. */
static void mute(bool muted) {
  static netsnmp_log_handler *handlers[16];
  static size_t count;
  if (!muted) {
    while (count > 0)
      netsnmp_enable_this_loghandler(handlers[--count]);
    return;
  }
  for (netsnmp_log_handler *h = get_logh_head();
       h != NULL && count < sizeof(handlers) / sizeof(handlers[0]); h = h->next)
    if (h->enabled) {
      netsnmp_disable_this_loghandler(h);
      handlers[count++] = h;
    }
}

static void read_files(const tally_agent_options_t *options) {
  mute(true);
  netsnmp_log_handler *capture =
      netsnmp_register_loghandler(NETSNMP_LOGHANDLER_CALLBACK, LOG_DEBUG);
  snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING,
                         on_report, NULL);
  if (!options->only_config_file)
    read_config_files(NORMAL_CONFIG);
  if (options->config_file != NULL)
    read_config_with_type(options->config_file, options->name);
  snmp_unregister_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING,
                           on_report, NULL, 0);
  netsnmp_remove_loghandler(capture);
  mute(false);
}

/* ---- judging what was reported ------------------------------------------- */

/* Whether a report is about a mistake in a file, and where its parts are:
 * "FILE: line 3: Error: WHY". */
static bool is_mistake(char *text, const char **file, unsigned *line,
                       const char **why) {
  char *where = strstr(text, ": line ");
  if (where == NULL)
    return false;
  char *end;
  *line = (unsigned)strtoul(where + strlen(": line "), &end, 10);
  const char *error = ": Error: ", *warning = ": Warning: ";
  if (strncmp(end, error, strlen(error)) == 0)
    *why = end + strlen(error);
  else if (strncmp(end, warning, strlen(warning)) == 0)
    *why = end + strlen(warning);
  else
    return false;
  *where = '\0';
  *file = text;
  return true;
}

/* Files that all SNMP programs read. */
static bool belongs_to_all(const char *file) {
  const char *slash = strrchr(file, '/');
  const char *base = slash != NULL ? slash + 1 : file;
  return strncmp(base, "snmp.", 5) == 0 || strncmp(base, "agentx.", 7) == 0;
}

static void read_line(const char *file, unsigned number, char *text,
                      size_t size) {
  tally_autofclose FILE *stream = fopen(file, "re");
  tally_autofree char *line = NULL;
  size_t room = 0;
  text[0] = '\0';
  while (stream != NULL && number > 0 && getline(&line, &room, stream) > 0)
    if (--number == 0) {
      line[strcspn(line, "\r\n")] = '\0';
      tally_text_copy(text, size, line + strspn(line, " \t"));
    }
}

/* Our own mistakes name directive and value, net-snmp's do not. */
static int explain(const char *file, unsigned number, const char *why,
                   tally_error_t *err) {
  static const char unknown[] = "Unknown token: ";
  char line[160], name[64];
  read_line(file, number, line, sizeof(line));
  size_t len = strcspn(line, " \t");
  const char *value = line + len + strspn(line + len, " \t");
  snprintf(name, sizeof(name), "%.*s", (int)len, line);

  if (strncmp(why, unknown, strlen(unknown)) == 0)
    return tally_error_set(err, 0,
                           "%s: line %u: %s \"%s\": there is no such directive",
                           file, number, name, value);
  for (size_t i = 0; i < tally_directives_count; i++)
    if (strcasecmp(name, tally_directives[i].name) == 0)
      return tally_error_set(err, 0, "%s: line %u: %s", file, number, why);
  return tally_error_set(err, 0, "%s: line %u: %s \"%s\": %s", file, number,
                         name, value, why);
}

static int judge(tally_error_t *err) {
  for (size_t i = 0; i < reading.count; i++) {
    report_t *report = &reading.reports[i];
    const char *file, *why;
    unsigned line;
    char text[sizeof(report->text)];
    strcpy(text, report->text);
    if (is_mistake(text, &file, &line, &why) && !belongs_to_all(file))
      return explain(file, line, why, err);
  }
  for (size_t i = 0; i < reading.count; i++)
    snmp_log(reading.reports[i].priority, "%s\n", reading.reports[i].text);
  return 0;
}

/* net-snmp passes over a file that it may not read. */
static int check_readable(const tally_agent_options_t *options,
                          tally_error_t *err) {
  if (options->config_file != NULL && access(options->config_file, R_OK) != 0)
    return tally_error_set(err, errno, "%s", options->config_file);
  if (options->only_config_file)
    return 0;
  const char *path = getenv("SNMPCONFPATH");
  tally_autofree char *directories =
      strdup(path != NULL ? path : get_configuration_directory());
  char *rest = directories;
  for (char *directory; (directory = strsep(&rest, ":")) != NULL;) {
    char file[PATH_MAX];
    snprintf(file, sizeof(file), "%s/%s.conf", directory, options->name);
    if (access(file, R_OK) != 0 && errno == EACCES)
      return tally_error_set(err, errno, "%s", file);
  }
  return 0;
}

int tally_directives_read(const tally_agent_options_t *options,
                          tally_settings_t *settings, tally_error_t *err) {
  if (check_readable(options, err) != 0)
    return -1;
  reading.reports = calloc(REPORTS_MAX, sizeof(report_t));
  if (reading.reports == NULL)
    return tally_error_set(err, ENOMEM, "reading the configuration");
  reading.count = 0;
  reading.settings = settings;
  read_files(options);
  reading.settings = NULL;
  int status = judge(err);
  free(reading.reports);
  reading.reports = NULL;
  return status;
}
