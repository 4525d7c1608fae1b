/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "write_table_model.h"

#define DAEMONS_MAX 16
#define SELF "docker_stats" /* as which docker_stats speaks of itself */

/* Numbers of one row that come in one value list, or in one list per interface
 * or device, and the sample they belong to. */
typedef enum group_e {
  GROUP_STATE = 0,
  GROUP_CPU,
  GROUP_MEMORY,
  GROUP_NET,
  GROUP_DISK,
  GROUPS
} group_t;

typedef struct entry_s {
  char host[DATA_MAX_NAME_LEN];
  char plugin_instance[DATA_MAX_NAME_LEN];
  cdtime_t time[GROUPS];
  cdtime_t last; /* the newest of them */
  cdtime_t interval;
  write_table_row_t row;
} entry_t;

typedef struct daemon_s {
  char name[DATA_MAX_NAME_LEN]; /* "docker_stats:far" */
  bool reachable;
} daemon_t;

struct write_table_model_s {
  char host[DATA_MAX_NAME_LEN];
  entry_t **entries; /* sorted by host, plugin_instance */
  size_t count, size;
  daemon_t daemons[DAEMONS_MAX];
  size_t daemons_count;
};

write_table_model_t *write_table_model_create(const char *host) {
  write_table_model_t *model = calloc(1, sizeof(*model));
  if (model != NULL)
    sstrncpy(model->host, host, sizeof(model->host));
  return model;
}

void write_table_model_destroy(write_table_model_t *model) {
  if (model == NULL)
    return;
  for (size_t i = 0; i < model->count; i++)
    free(model->entries[i]);
  free(model->entries);
  free(model);
}

/* ---- entries ------------------------------------------------------------- */

/* Where the container of a value list stands, or should stand. */
static size_t position_of(const write_table_model_t *model,
                          const value_list_t *vl, bool *found) {
  size_t low = 0, high = model->count;
  *found = false;
  while (low < high && !*found) {
    size_t middle = low + (high - low) / 2;
    const entry_t *e = model->entries[middle];
    int order = strcmp(vl->host, e->host);
    if (order == 0)
      order = strcmp(vl->plugin_instance, e->plugin_instance);
    *found = order == 0;
    if (order < 0 || *found)
      high = middle;
    else
      low = middle + 1;
  }
  return *found ? high : low;
}

/* The name that an operator knows the container by, whatever HostFormat made
 * of it: of host and plugin_instance, the one that is not the node's. */
static void set_name(const write_table_model_t *model, entry_t *e) {
  if (e->plugin_instance[0] == '\0')
    sstrncpy(e->row.name, e->host, sizeof(e->row.name));
  else if (strcmp(e->host, model->host) == 0)
    sstrncpy(e->row.name, e->plugin_instance, sizeof(e->row.name));
  else
    snprintf(e->row.name, sizeof(e->row.name), "%s:%s", e->plugin_instance,
             e->host);
}

static void forget_group(write_table_row_t *row, group_t group) {
  switch (group) {
  case GROUP_STATE:
    row->state = TALLY_CONTAINER_UNKNOWN;
    row->health = TALLY_HEALTH_NONE;
    row->exit_code = row->uptime = row->tasks = NAN;
    break;
  case GROUP_CPU:
    row->cpu_percent = NAN;
    break;
  case GROUP_MEMORY:
    row->memory_used = row->memory_limit = NAN;
    break;
  case GROUP_NET:
    row->net_rx = row->net_tx = NAN;
    break;
  default:
    row->disk_read = row->disk_write = NAN;
  }
}

static entry_t *find_or_add(write_table_model_t *model,
                            const value_list_t *vl) {
  bool found;
  size_t at = position_of(model, vl, &found);
  if (found)
    return model->entries[at];
  if (model->count == model->size) {
    size_t size = model->size > 0 ? 2 * model->size : 64;
    entry_t **grown = realloc(model->entries, size * sizeof(*grown));
    if (grown == NULL)
      return NULL;
    model->entries = grown;
    model->size = size;
  }
  entry_t *e = calloc(1, sizeof(*e));
  if (e == NULL)
    return NULL;
  sstrncpy(e->host, vl->host, sizeof(e->host));
  sstrncpy(e->plugin_instance, vl->plugin_instance, sizeof(e->plugin_instance));
  set_name(model, e);
  for (group_t group = 0; group < GROUPS; group++)
    forget_group(&e->row, group);
  memmove(&model->entries[at + 1], &model->entries[at],
          (model->count++ - at) * sizeof(e));
  model->entries[at] = e;
  return e;
}

/* ---- value lists --------------------------------------------------------- */

static gauge_t rate_of(const data_set_t *ds, const gauge_t *rates,
                       const char *source) {
  for (size_t i = 0; i < ds->ds_num; i++)
    if (strcmp(ds->ds[i].name, source) == 0)
      return rates[i];
  return NAN;
}

static int small_number(gauge_t number) {
  return number >= 0 && number < 100 ? (int)number : 0;
}

/* Interfaces and devices add up within one sample. */
static void add(double *sum, gauge_t rate) {
  if (isnan(rate))
    return;
  *sum = isnan(*sum) ? rate : *sum + rate;
}

static const struct {
  const char *type;
  group_t group;
} groups[] = {{"container_state", GROUP_STATE},
              {"container_cpu", GROUP_CPU},
              {"container_memory", GROUP_MEMORY},
              {"if_octets", GROUP_NET},
              {"disk_octets", GROUP_DISK}};

static group_t group_of(const value_list_t *vl) {
  if (strcmp(vl->plugin, "docker") == 0)
    for (size_t i = 0; i < STATIC_ARRAY_SIZE(groups); i++)
      if (strcmp(vl->type, groups[i].type) == 0)
        return groups[i].group;
  return GROUPS;
}

static bool is_daemon(const value_list_t *vl) {
  return strcmp(vl->plugin, "tallyman") == 0 &&
         strcmp(vl->type, "tallyman_daemon") == 0 &&
         strncmp(vl->plugin_instance, SELF, strlen(SELF)) == 0;
}

bool write_table_model_wants(const value_list_t *vl) {
  return group_of(vl) != GROUPS || is_daemon(vl);
}

static bool update_daemon(write_table_model_t *model, const value_list_t *vl,
                          bool reachable) {
  size_t i = 0;
  while (i < model->daemons_count &&
         strcmp(model->daemons[i].name, vl->plugin_instance) != 0)
    i++;
  if (i == DAEMONS_MAX)
    return false;
  daemon_t *daemon = &model->daemons[i];
  sstrncpy(daemon->name, vl->plugin_instance, sizeof(daemon->name));
  daemon->reachable = reachable;
  if (i == model->daemons_count)
    model->daemons_count++;
  return true;
}

bool write_table_model_update(write_table_model_t *model, const data_set_t *ds,
                              const value_list_t *vl, const gauge_t *rates) {
  if (is_daemon(vl))
    return update_daemon(model, vl, rate_of(ds, rates, "reachable") > 0);

  group_t group = group_of(vl);
  entry_t *e = group != GROUPS ? find_or_add(model, vl) : NULL;
  /* value lists come through several threads: an old one may be late */
  if (e == NULL || vl->time < e->time[group])
    return false;
  write_table_row_t *row = &e->row;
  if (vl->time > e->time[group])
    forget_group(row, group);
  e->time[group] = vl->time;
  e->interval = vl->interval;
  if (vl->time > e->last)
    e->last = vl->time;

  switch (group) {
  case GROUP_STATE:
    row->state =
        (tally_container_state_t)small_number(rate_of(ds, rates, "state"));
    row->health = (tally_health_t)small_number(rate_of(ds, rates, "health"));
    row->exit_code = rate_of(ds, rates, "exit_code");
    row->uptime = rate_of(ds, rates, "uptime");
    row->tasks = rate_of(ds, rates, "threads");
    break;
  case GROUP_CPU:
    row->cpu_percent = rate_of(ds, rates, "percent");
    break;
  case GROUP_MEMORY:
    row->memory_used = rate_of(ds, rates, "used");
    row->memory_limit = rate_of(ds, rates, "limit");
    break;
  case GROUP_NET:
    add(&row->net_rx, rate_of(ds, rates, "rx"));
    add(&row->net_tx, rate_of(ds, rates, "tx"));
    break;
  default:
    add(&row->disk_read, rate_of(ds, rates, "read"));
    add(&row->disk_write, rate_of(ds, rates, "write"));
  }
  return true;
}

/* ---- what is shown ------------------------------------------------------- */

static void forget_silent(write_table_model_t *model, cdtime_t now) {
  size_t kept = 0;
  for (size_t i = 0; i < model->count; i++) {
    entry_t *e = model->entries[i];
    /* half an interval of grace for a write queue that is behind */
    if (now > e->last && now - e->last > 5 * e->interval / 2)
      free(e);
    else
      model->entries[kept++] = e;
  }
  model->count = kept;
}

write_table_row_t *write_table_model_rows(write_table_model_t *model,
                                          cdtime_t now, size_t *count) {
  forget_silent(model, now);
  *count = 0;
  write_table_row_t *rows = calloc(model->count, sizeof(*rows));
  if (rows == NULL)
    return NULL;
  for (size_t i = 0; i < model->count; i++) {
    const entry_t *e = model->entries[i];
    rows[i] = e->row;
    /* what an earlier sample said is over: a container that has stopped still
     * has a state, but no CPU time */
    for (group_t group = 0; group < GROUPS; group++)
      if (e->time[group] < e->last)
        forget_group(&rows[i], group);
  }
  *count = model->count;
  return rows;
}

void write_table_model_message(const write_table_model_t *model, char *text,
                               size_t size) {
  const daemon_t *silent = NULL;
  for (size_t i = 0; i < model->daemons_count && silent == NULL; i++)
    if (!model->daemons[i].reachable)
      silent = &model->daemons[i];
  text[0] = '\0';
  if (silent == NULL)
    return;
  const char *instance = strchr(silent->name, ':');
  snprintf(text, size, "Docker%s%s%s does not answer: %s",
           instance != NULL ? " \"" : "", instance != NULL ? instance + 1 : "",
           instance != NULL ? "\"" : "",
           model->count > 0 ? "showing the last known" : "waiting for it");
}
