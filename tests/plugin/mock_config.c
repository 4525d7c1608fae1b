/* SPDX-License-Identifier: MIT */
/* collectd's configuration language, as far as plugins get to see it: blocks,
 * options, strings, numbers, booleans, comments. The daemon's own parser lives
 * in its executable and cannot be linked. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"

#include "mock.h"
#include "mock_private.h"

static void add_value(oconfig_item_t *item, oconfig_value_t value) {
  item->values =
      realloc(item->values, (size_t)(item->values_num + 1) * sizeof(value));
  if (item->values == NULL)
    mock_die("out of memory");
  item->values[item->values_num++] = value;
}

/* "quoted \"text\"" with the quotes; *p moves behind it. */
static char *take_quoted(const char **p) {
  const char *s = *p + 1;
  char *text = malloc(strlen(s) + 1);
  size_t len = 0;
  if (text == NULL)
    mock_die("out of memory");
  for (; *s != '"'; s++) {
    if (*s == '\\' && s[1] != '\0')
      s++;
    if (*s == '\0' || *s == '\n')
      mock_die("configuration: a string does not end: %s", *p);
    text[len++] = *s;
  }
  text[len] = '\0';
  *p = s + 1;
  return text;
}

static bool is_one_of(const char *word, const char *const *words) {
  for (; *words != NULL; words++)
    if (strcasecmp(word, *words) == 0)
      return true;
  return false;
}

/* An unquoted word is a boolean, a number or a string. */
static oconfig_value_t value_of_word(char *word) {
  static const char *const yes[] = {"true", "yes", "on", NULL};
  static const char *const no[] = {"false", "no", "off", NULL};
  oconfig_value_t v = {.type = OCONFIG_TYPE_BOOLEAN};
  char *end = NULL;
  if (is_one_of(word, yes) || is_one_of(word, no)) {
    v.value.boolean = is_one_of(word, yes);
    free(word);
    return v;
  }
  double number = strtod(word, &end);
  if (end != word && *end == '\0') {
    v.type = OCONFIG_TYPE_NUMBER;
    v.value.number = number;
    free(word);
    return v;
  }
  v.type = OCONFIG_TYPE_STRING;
  v.value.string = word;
  return v;
}

static const char *skip_blanks(const char *p) { return p + strspn(p, " \t\r"); }

/* The values behind a key, up to the end of the line or '>'. */
static const char *take_values(const char *p, oconfig_item_t *item) {
  for (p = skip_blanks(p); strchr(">#\n", *p) == NULL; p = skip_blanks(p)) {
    if (*p == '"') {
      add_value(item, (oconfig_value_t){.type = OCONFIG_TYPE_STRING,
                                        .value.string = take_quoted(&p)});
      continue;
    }
    size_t len = strcspn(p, " \t\r\n\"#>");
    add_value(item, value_of_word(strndup(p, len)));
    p += len;
  }
  return p;
}

static oconfig_item_t *add_child(oconfig_item_t *parent, const char *key,
                                 size_t len) {
  parent->children =
      realloc(parent->children,
              (size_t)(parent->children_num + 1) * sizeof(*parent->children));
  if (parent->children == NULL)
    mock_die("out of memory");
  oconfig_item_t *item = &parent->children[parent->children_num++];
  *item = (oconfig_item_t){.key = strndup(key, len), .parent = parent};
  return item;
}

static const char *take_block(const char *p, oconfig_item_t *block) {
  for (;;) {
    p += strspn(p, " \t\r\n");
    if (*p == '#') {
      p += strcspn(p, "\n");
      continue;
    }
    if (*p == '\0') {
      if (block->key != NULL)
        mock_die("configuration: block %s does not end", block->key);
      return p;
    }
    if (p[0] == '<' && p[1] == '/') {
      size_t len = strcspn(p + 2, ">\n");
      if (block->key == NULL || strncasecmp(p + 2, block->key, len) != 0 ||
          strlen(block->key) != len)
        mock_die("configuration: unexpected end of a block: %.40s", p);
      return p + 2 + len + 1;
    }
    bool opens = *p == '<';
    p += opens;
    size_t len = strcspn(p, " \t\r\n>\"");
    oconfig_item_t *item = add_child(block, p, len);
    p = take_values(p + len, item);
    if (opens) {
      if (*p != '>')
        mock_die("configuration: <%s lacks its '>'", item->key);
      p = take_block(p + 1, item);
    }
  }
}

/* Only now do the items stay where they are. */
static void set_parents(oconfig_item_t *item) {
  for (int i = 0; i < item->children_num; i++) {
    item->children[i].parent = item;
    set_parents(&item->children[i]);
  }
}

oconfig_item_t *mock_config_parse(const char *text) {
  oconfig_item_t *root = calloc(1, sizeof(*root));
  if (root == NULL)
    mock_die("out of memory");
  take_block(text, root);
  set_parents(root);
  return root;
}

static void clear_item(oconfig_item_t *item) {
  for (int i = 0; i < item->children_num; i++)
    clear_item(&item->children[i]);
  for (int i = 0; i < item->values_num; i++)
    if (item->values[i].type == OCONFIG_TYPE_STRING)
      free(item->values[i].value.string);
  free(item->children);
  free(item->values);
  free(item->key);
}

void oconfig_free(oconfig_item_t *item) {
  clear_item(item);
  free(item);
}
