/* SPDX-License-Identifier: MIT */
/* An object identifier, asked of a view: what follows it is greater, is there,
 * and is the first that is. */
#include "config.h"

#include "fuzz.h"

#include <string.h>

#include "mib.h"

/* Rows with holes, and indexes that are prefixes of each other. */
static const tally_view_t *fixed_view(void) {
  static const char *const names[] = {"", "a", "b", "ab", "aa", "aaa", "\xff"};
  static tally_view_t *view;
  if (view != NULL)
    return view;
  view = tally_view_create();
  tally_view_node(view)->processes = 1;
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    tally_container_row_t *c = tally_view_add_container(view, names[i]);
    c->state = 1;
    if (i % 2 == 0)
      c->memory_used = 2;
    if (i % 3 == 0)
      c->id = tally_view_text(view, names[i]);
    c->created_ns = i;
    tally_view_add_interface(view, names[i], names[6 - i])->rx_bytes = 3;
    tally_view_add_alarm(view, i * i)->since_ns = 4;
  }
  FUZZ_REQUIRE(tally_view_finish(view, NULL) == 0);
  return view;
}

/* A byte is a sub-identifier; 0xfd to 0xff stand for large ones. */
static tally_subid_t subid_of(uint8_t byte) {
  static const tally_subid_t large[] = {UINT32_MAX - 1, UINT32_MAX, ~0UL};
  return byte < 0xfd ? byte : large[byte - 0xfd];
}

static bool found(const tally_subid_t *oid, size_t length) {
  tally_mib_value_t value;
  return tally_mib_get(fixed_view(), oid, length, &value) == TALLY_MIB_FOUND;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  tally_subid_t oid[TALLY_MIB_OID_MAX], next[TALLY_MIB_OID_MAX];
  size_t length = size < TALLY_MIB_OID_MAX ? size : TALLY_MIB_OID_MAX;
  for (size_t i = 0; i < length; i++)
    oid[i] = subid_of(data[i]);

  size_t next_length = 0;
  tally_mib_value_t value, again;
  bool more =
      tally_mib_next(fixed_view(), oid, length, next, &next_length, &value);
  if (more) {
    FUZZ_REQUIRE(next_length > 0 && next_length <= TALLY_MIB_OID_MAX);
    FUZZ_REQUIRE(tally_mib_compare(oid, length, next, next_length) < 0);
    FUZZ_REQUIRE(tally_mib_get(fixed_view(), next, next_length, &again) ==
                 TALLY_MIB_FOUND);
    FUZZ_REQUIRE(again.syntax == value.syntax);
    if (value.syntax == TALLY_SYNTAX_TEXT)
      FUZZ_REQUIRE(again.text_length == value.text_length &&
                   memcmp(again.text, value.text, value.text_length) == 0);
    else if (value.syntax == TALLY_SYNTAX_DATE)
      FUZZ_REQUIRE(memcmp(again.text, value.text, 11) == 0);
    else
      FUZZ_REQUIRE(again.number == value.number);
  }
  /* Nothing lies between: what follows the identifier with a further 0 is what
   * follows it, unless that is it. */
  if (length < TALLY_MIB_OID_MAX) {
    tally_subid_t other[TALLY_MIB_OID_MAX];
    size_t other_length = 0;
    oid[length] = 0;
    if (!found(oid, length + 1)) {
      FUZZ_REQUIRE(tally_mib_next(fixed_view(), oid, length + 1, other,
                                  &other_length, &again) == more);
      FUZZ_REQUIRE(!more || tally_mib_compare(next, next_length, other,
                                              other_length) == 0);
    }
  }
  /* What is there is found from just before it. */
  if (length > 0 && found(oid, length)) {
    tally_subid_t before[TALLY_MIB_OID_MAX];
    memcpy(before, oid, length * sizeof(oid[0]));
    size_t before_length = length;
    if (before[length - 1] == 0) {
      before_length--;
    } else {
      before[length - 1]--;
      if (length < TALLY_MIB_OID_MAX)
        before[before_length++] = ~0UL;
    }
    FUZZ_REQUIRE(tally_mib_next(fixed_view(), before, before_length, next,
                                &next_length, &value));
    FUZZ_REQUIRE(tally_mib_compare(next, next_length, oid, length) == 0);
  }
  return 0;
}
