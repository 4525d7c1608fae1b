/* SPDX-License-Identifier: MIT */
/* Block I/O per device, as v1 and as v2 write it. */
#include "config.h"

#include "cgroup/parse.h"

#include <string.h>

/* "254:0" at *p, which moves behind it and one blank. */
static bool scan_device(const char **p, const char *end, uint32_t *major,
                        uint32_t *minor) {
  const char *s = *p;
  uint64_t a, b;
  if (!tally_scan_u64(&s, end, &a) || s >= end || *s != ':')
    return false;
  s++;
  if (!tally_scan_u64(&s, end, &b) || a > UINT32_MAX || b > UINT32_MAX)
    return false;
  if (s < end && *s == ' ')
    s++;
  else if (s < end && *s != '\n')
    return false;
  *p = s;
  *major = (uint32_t)a;
  *minor = (uint32_t)b;
  return true;
}

/* The entry of a device; NULL if there is no room for one more. */
static tally_cgroup_device_t *device_of(tally_cgroup_sample_t *sample,
                                        uint32_t major, uint32_t minor) {
  /* The lines of one device follow each other: look at the last one first. */
  for (size_t i = sample->devices_count; i-- > 0;) {
    tally_cgroup_device_t *d = &sample->devices[i];
    if (d->minor == minor && d->major == major)
      return d;
  }
  if (sample->devices_count == TALLY_CGROUP_DEVICES_MAX)
    return NULL;
  tally_cgroup_device_t *d = &sample->devices[sample->devices_count++];
  *d = (tally_cgroup_device_t){major,         minor,         TALLY_UNKNOWN,
                               TALLY_UNKNOWN, TALLY_UNKNOWN, TALLY_UNKNOWN};
  return d;
}

static void set(uint64_t *field, uint64_t value) {
  *field = value < TALLY_UNLIMITED ? value : TALLY_UNKNOWN;
}

/* ---- v1 ------------------------------------------------------------------ */

typedef enum { BYTES, OPS } unit_t;

/* The rest of a line, "Read 4096". false: another operation. */
static bool scan_operation(const char *p, const char *eol, bool *is_read,
                           uint64_t *value) {
  size_t len = (size_t)(eol - p);
  if (len > 5 && memcmp(p, "Read ", 5) == 0) {
    *is_read = true;
    p += 5;
  } else if (len > 6 && memcmp(p, "Write ", 6) == 0) {
    *is_read = false;
    p += 6;
  } else {
    return false;
  }
  return tally_scan_u64(&p, eol, value);
}

static int parse_blkio(const char *text, size_t len, unit_t unit,
                       tally_cgroup_sample_t *sample) {
  const char *end = text + len;
  bool understood = len == 0;
  while (text < end) {
    const char *eol = memchr(text, '\n', (size_t)(end - text));
    if (eol == NULL)
      eol = end;

    uint32_t major, minor;
    uint64_t value;
    bool is_read;
    if (!scan_device(&text, eol, &major, &minor)) {
      /* the sum over all devices comes last */
      understood =
          understood || (eol - text > 6 && memcmp(text, "Total ", 6) == 0);
    } else if (scan_operation(text, eol, &is_read, &value)) {
      understood = true;
      tally_cgroup_device_t *d = device_of(sample, major, minor);
      if (d != NULL && unit == BYTES)
        set(is_read ? &d->read_bytes : &d->write_bytes, value);
      else if (d != NULL)
        set(is_read ? &d->read_ops : &d->write_ops, value);
      else if (unit == BYTES && is_read)
        sample->devices_ignored++;
    }
    text = eol < end ? eol + 1 : end;
  }
  if (!understood)
    return -1;
  sample->devices_known = true;
  return 0;
}

int tally_parse_blkio_bytes(const char *text, size_t len,
                            tally_cgroup_sample_t *sample) {
  return parse_blkio(text, len, BYTES, sample);
}

int tally_parse_blkio_ops(const char *text, size_t len,
                          tally_cgroup_sample_t *sample) {
  return parse_blkio(text, len, OPS, sample);
}

/* ---- v2 ------------------------------------------------------------------ */

static const struct {
  const char *name;
  size_t len;
  size_t field;
} io_keys[] = {
#define IO_KEY(text, member)                                                   \
  { text, sizeof(text) - 1, offsetof(tally_cgroup_device_t, member) }
    IO_KEY("rbytes=", read_bytes),
    IO_KEY("wbytes=", write_bytes),
    IO_KEY("rios=", read_ops),
    IO_KEY("wios=", write_ops),
#undef IO_KEY
};

/* "rbytes=4096" of a device; every other word is skipped. */
static bool take_io_word(const char *p, const char *eol,
                         tally_cgroup_device_t *d) {
  for (size_t i = 0; i < sizeof(io_keys) / sizeof(io_keys[0]); i++) {
    if ((size_t)(eol - p) <= io_keys[i].len ||
        memcmp(p, io_keys[i].name, io_keys[i].len) != 0)
      continue;
    uint64_t value;
    p += io_keys[i].len;
    if (!tally_scan_u64(&p, eol, &value))
      return false;
    set((uint64_t *)(void *)((char *)d + io_keys[i].field), value);
    return true;
  }
  return false;
}

/* One line without its newline. */
static bool parse_io_line(const char *p, const char *eol,
                          tally_cgroup_sample_t *sample) {
  uint32_t major = 0, minor = 0;
  bool any = false;
  while (scan_device(&p, eol, &major, &minor))
    any = true; /* the last one is whose numbers follow */
  if (!any)
    return false;
  if (p >= eol || *p < 'a' || *p > 'z')
    return true; /* a device without numbers */

  tally_cgroup_device_t *d = device_of(sample, major, minor);
  if (d == NULL) {
    sample->devices_ignored++;
    return true;
  }
  while (p < eol) {
    (void)take_io_word(p, eol, d);
    const char *blank = memchr(p, ' ', (size_t)(eol - p));
    p = blank ? blank + 1 : eol;
  }
  return true;
}

int tally_parse_io_stat(const char *text, size_t len,
                        tally_cgroup_sample_t *sample) {
  const char *end = text + len;
  bool understood = len == 0;
  while (text < end) {
    const char *eol = memchr(text, '\n', (size_t)(end - text));
    if (eol == NULL)
      eol = end;
    understood = parse_io_line(text, eol, sample) || understood;
    text = eol < end ? eol + 1 : end;
  }
  if (!understood)
    return -1;
  sample->devices_known = true;
  return 0;
}
