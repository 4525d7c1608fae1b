/* SPDX-License-Identifier: MIT */
/* Data sets from the real types.db files. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "mock.h"
#include "mock_private.h"

static data_set_t *sets;
static size_t sets_count;

static int type_of_word(const char *word) {
  static const struct {
    const char *word;
    int type;
  } words[] = {{"COUNTER", DS_TYPE_COUNTER},
               {"GAUGE", DS_TYPE_GAUGE},
               {"DERIVE", DS_TYPE_DERIVE},
               {"ABSOLUTE", DS_TYPE_ABSOLUTE}};
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(words); i++)
    if (strcasecmp(word, words[i].word) == 0)
      return words[i].type;
  mock_die("types.db: `%s' is no type of a data source", word);
}

static double bound_of_word(const char *word) {
  return strcasecmp(word, "U") == 0 ? NAN : atof(word);
}

/* "name:TYPE:min:max" */
static data_source_t parse_source(char *text, const char *line) {
  char *part[4], *saved = NULL;
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(part); i++) {
    part[i] = strtok_r(i == 0 ? text : NULL, ":", &saved);
    if (part[i] == NULL)
      mock_die("types.db: a data source is not complete: %s", line);
  }
  data_source_t ds = {.type = type_of_word(part[1]),
                      .min = bound_of_word(part[2]),
                      .max = bound_of_word(part[3])};
  sstrncpy(ds.name, part[0], sizeof(ds.name));
  return ds;
}

int plugin_register_data_set(const data_set_t *ds) {
  if (plugin_get_ds(ds->type) != NULL)
    mock_complain("type `%s' is defined twice", ds->type);
  data_set_t set = *ds;
  size_t size = ds->ds_num * sizeof(*ds->ds);
  set.ds = malloc(size);
  sets = realloc(sets, (sets_count + 1) * sizeof(*sets));
  if (set.ds == NULL || sets == NULL)
    mock_die("out of memory");
  memcpy(set.ds, ds->ds, size);
  sets[sets_count++] = set;
  return 0;
}

static void parse_line(char *line) {
  char *saved = NULL;
  char *word = strtok_r(line, " \t\r\n,", &saved);
  if (word == NULL || word[0] == '#')
    return;
  data_set_t set = {.ds_num = 0};
  sstrncpy(set.type, word, sizeof(set.type));
  while ((word = strtok_r(NULL, " \t\r\n,", &saved)) != NULL) {
    set.ds = realloc(set.ds, (set.ds_num + 1) * sizeof(*set.ds));
    set.ds[set.ds_num++] = parse_source(word, set.type);
  }
  plugin_register_data_set(&set);
  free(set.ds);
}

void mock_types_read(const char *path) {
  FILE *stream = fopen(path, "r");
  if (stream == NULL)
    mock_die("%s: %s", path, strerror(errno));
  char *line = NULL;
  size_t size = 0;
  while (getline(&line, &size, stream) >= 0)
    parse_line(line);
  free(line);
  fclose(stream);
}

void mock_types_clear(void) {
  for (size_t i = 0; i < sets_count; i++)
    free(sets[i].ds);
  free(sets);
  sets = NULL;
  sets_count = 0;
}

const data_set_t *plugin_get_ds(const char *name) {
  for (size_t i = 0; i < sets_count; i++)
    if (strcmp(sets[i].type, name) == 0)
      return &sets[i];
  return NULL;
}
