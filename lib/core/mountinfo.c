/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/mountinfo.h"

#include <stddef.h>
#include <string.h>

static bool is_octal(char c) { return c >= '0' && c <= '7'; }

/* The kernel writes blanks, tabs, newlines and backslashes as \ooo. */
static void unescape(char *s) {
  char *to = s;
  for (; *s != '\0'; to++) {
    if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && is_octal(s[2]) &&
        is_octal(s[3])) {
      *to = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
      s += 4;
    } else {
      *to = *s++;
    }
  }
  *to = '\0';
}

bool tally_mountinfo_parse(char *line, tally_mount_t *mount) {
  char *save = NULL;
  char *field[6];
  for (size_t i = 0; i < 6; i++) {
    field[i] = strtok_r(i == 0 ? line : NULL, " \n", &save);
    if (field[i] == NULL)
      return false;
  }

  /* Any number of optional fields, then a hyphen, then three more. */
  char *next;
  do {
    next = strtok_r(NULL, " \n", &save);
    if (next == NULL)
      return false;
  } while (strcmp(next, "-") != 0);

  mount->number = field[2];
  mount->root = field[3];
  mount->point = field[4];
  mount->mount_options = field[5];
  mount->type = strtok_r(NULL, " \n", &save);
  mount->source = strtok_r(NULL, " \n", &save);
  mount->options = strtok_r(NULL, " \n", &save);
  if (mount->options == NULL && mount->source != NULL) {
    /* an empty source leaves nothing but its blank */
    mount->options = mount->source;
    mount->source = mount->options + strlen(mount->options);
  }
  if (mount->type == NULL || mount->options == NULL)
    return false;

  unescape(mount->root);
  unescape(mount->point);
  unescape(mount->source);
  return mount->root[0] == '/' && mount->point[0] == '/';
}

bool tally_mountinfo_has_option(const char *options, const char *word) {
  size_t len = strlen(word);
  for (const char *p = options; *p != '\0';) {
    size_t n = strcspn(p, ",");
    if (n == len && memcmp(p, word, len) == 0)
      return true;
    p += n;
    if (*p == ',')
      p++;
  }
  return false;
}
