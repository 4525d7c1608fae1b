/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "proc/netdev.h"

#include <string.h>

#include "core/file.h"

/* The columns that count, in the order of the file:
 *
 *   receive:  bytes packets errs drop fifo frame compressed multicast
 *   transmit: bytes packets errs drop fifo colls carrier compressed
 */
enum { RECEIVE = 0, TRANSMIT = 8, COLUMNS = TRANSMIT + 4 };

/* Blanks and a number at *p, which moves behind it. */
static bool scan(const char **p, const char *eol, uint64_t *value) {
  const char *s = *p;
  while (s < eol && *s == ' ')
    s++;
  uint64_t v = 0;
  const char *first = s;
  for (; s < eol; s++) {
    unsigned digit = (unsigned char)*s - (unsigned)'0';
    if (digit > 9)
      break;
    if (v > (TALLY_UNLIMITED - 1 - digit) / 10)
      return false;
    v = v * 10 + digit;
  }
  *p = s;
  *value = v;
  return s > first;
}

/* "  eth0: 736 8 0 0 …" or, in old kernels, "  eth0:736 8 …". */
static bool parse_line(const char *p, const char *eol, tally_interface_t *i) {
  while (p < eol && *p == ' ')
    p++;
  const char *colon = memchr(p, ':', (size_t)(eol - p));
  if (colon == NULL)
    return false;
  size_t len = (size_t)(colon - p);
  if (len == 0 || len >= sizeof(i->name) || memchr(p, '\0', len) != NULL)
    return false;
  memcpy(i->name, p, len);
  i->name[len] = '\0';

  uint64_t v[COLUMNS];
  p = colon + 1;
  for (size_t c = 0; c < COLUMNS; c++)
    if (!scan(&p, eol, &v[c]))
      return false;
  i->rx_bytes = v[RECEIVE];
  i->rx_packets = v[RECEIVE + 1];
  i->rx_errors = v[RECEIVE + 2];
  i->rx_dropped = v[RECEIVE + 3];
  i->tx_bytes = v[TRANSMIT];
  i->tx_packets = v[TRANSMIT + 1];
  i->tx_errors = v[TRANSMIT + 2];
  i->tx_dropped = v[TRANSMIT + 3];
  return true;
}

int tally_netdev_parse(const char *text, size_t len,
                       tally_interface_t *interfaces, size_t max) {
  static const char head[] = "Inter-|";
  if (len < sizeof(head) - 1 || memcmp(text, head, sizeof(head) - 1) != 0)
    return -1;

  const char *end = text + len, *eol;
  size_t count = 0;
  for (; count < max && (eol = memchr(text, '\n', (size_t)(end - text)));
       text = eol + 1)
    if (parse_line(text, eol, &interfaces[count]) &&
        strcmp(interfaces[count].name, "lo") != 0)
      count++;
  return (int)count;
}
