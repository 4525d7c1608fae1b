/* SPDX-License-Identifier: MIT */
/* Get and GetNext of AgentX as bytes, in both byte orders. The PDUs are made
 * and taken apart here, not by the code that is tested. */
#include "config.h"

#include "unit.h"

#include "agentx.h"
#include "mib.h"
#include "mib_scene.h"

enum { GET = 5, GET_NEXT = 6, BIG = 0x10, LITTLE = 0 };

static const tally_subid_t root[] = {TALLYMAN_ROOT_OID};

typedef struct bytes_s {
  uint8_t at[4096];
  size_t count;
  bool big;
} bytes_t;

typedef struct oid_s {
  tally_subid_t subids[256];
  size_t length;
} oid_t;

static void put(bytes_t *b, unsigned size, uint64_t value) {
  for (unsigned i = 0; i < size; i++)
    b->at[b->count++] = (uint8_t)(value >> 8 * (b->big ? size - 1 - i : i));
}

static uint64_t take(const bytes_t *b, size_t *at, unsigned size) {
  uint64_t value = 0;
  assert_true(*at + size <= b->count);
  for (unsigned i = 0; i < size; i++)
    value |= (uint64_t)b->at[*at + i] << 8 * (b->big ? size - 1 - i : i);
  *at += size;
  return value;
}

static void put_oid(bytes_t *b, const oid_t *oid, bool compact, bool include) {
  size_t skip = compact ? 5 : 0;
  put(b, 1, oid->length - skip);
  put(b, 1, compact ? oid->subids[4] : 0);
  put(b, 1, include);
  put(b, 1, 0);
  for (size_t i = skip; i < oid->length; i++)
    put(b, 4, oid->subids[i]);
}

static oid_t take_oid(const bytes_t *b, size_t *at) {
  oid_t oid = {.length = 0};
  size_t count = take(b, at, 1), prefix = take(b, at, 1);
  take(b, at, 2);
  if (prefix != 0) {
    static const tally_subid_t internet[] = {1, 3, 6, 1};
    memcpy(oid.subids, internet, sizeof(internet));
    oid.subids[4] = prefix;
    oid.length = 5;
  }
  for (; count > 0; count--)
    oid.subids[oid.length++] = take(b, at, 4);
  return oid;
}

/* Below the root arc: "1.1.2.0". */
static oid_t ours(const char *text) {
  oid_t oid = {.length = COUNT_OF(root)};
  memcpy(oid.subids, root, sizeof(root));
  while (*text != '\0') {
    char *end = NULL;
    oid.subids[oid.length++] = strtoul(text, &end, 10);
    text = *end == '.' ? end + 1 : end;
  }
  return oid;
}

static bool same(const oid_t *a, const oid_t *b) {
  return tally_mib_compare(a->subids, a->length, b->subids, b->length) == 0;
}

static bytes_t request(unsigned type, unsigned order) {
  bytes_t b = {.big = order == BIG};
  put(&b, 1, 1);
  put(&b, 1, type);
  put(&b, 1, order);
  put(&b, 1, 0);
  put(&b, 4, 0x01020304); /* session */
  put(&b, 4, 0x0a0b0c0d); /* transaction */
  put(&b, 4, 0x11121314); /* packet */
  put(&b, 4, 0);          /* payload, see close_pdu() */
  return b;
}

static void close_pdu(bytes_t *b) {
  size_t count = b->count;
  b->count = 16;
  put(b, 4, count - 20);
  b->count = count;
}

static void add_range(bytes_t *b, const oid_t *start, bool include,
                      const oid_t *end) {
  static const oid_t nowhere = {.length = 0};
  put_oid(b, start, true, include);
  put_oid(b, end != NULL ? end : &nowhere, false, false);
  close_pdu(b);
}

/* Checks the header, too; *at is behind it. */
static bytes_t answer(const tally_view_t *view, const bytes_t *pdu,
                      size_t *at) {
  bytes_t b = {.big = pdu->big};
  assert_int_equal(tally_agentx_length(pdu->at, pdu->count), pdu->count);
  b.count = tally_agentx_answer(view, pdu->at, pdu->count, b.at, sizeof(b.at));
  if (b.count == 0)
    return b;
  *at = 0;
  assert_int_equal(take(&b, at, 1), 1);
  assert_int_equal(take(&b, at, 1), 18);
  assert_int_equal(take(&b, at, 1), pdu->big ? BIG : LITTLE);
  assert_int_equal(take(&b, at, 1), 0);
  assert_int_equal(take(&b, at, 4), 0x01020304);
  assert_int_equal(take(&b, at, 4), 0x0a0b0c0d);
  assert_int_equal(take(&b, at, 4), 0x11121314);
  assert_int_equal(take(&b, at, 4), b.count - 20);
  take(&b, at, 4);                      /* sysUpTime */
  assert_int_equal(take(&b, at, 4), 0); /* error and index */
  return b;
}

/* The next varbind of a response is this one of the scene. */
static void check_varbind(const bytes_t *b, size_t *at,
                          const mib_scene_value_t *wanted) {
  static const unsigned types[] = {
      [TALLY_SYNTAX_INTEGER] = 2,    [TALLY_SYNTAX_GAUGE] = 66,
      [TALLY_SYNTAX_COUNTER64] = 70, [TALLY_SYNTAX_TICKS] = 67,
      [TALLY_SYNTAX_DATE] = 4,       [TALLY_SYNTAX_TEXT] = 4};
  assert_int_equal(take(b, at, 2), types[wanted->syntax]);
  take(b, at, 2);
  oid_t name = take_oid(b, at), wanted_name = ours(wanted->oid);
  if (!same(&name, &wanted_name))
    fail_msg("not %s", wanted->oid);
  if (types[wanted->syntax] == 4) {
    char text[256] = "";
    size_t length = take(b, at, 4);
    for (size_t i = 0; i < length; i++)
      if (wanted->syntax == TALLY_SYNTAX_DATE)
        sprintf(text + 2 * i, "%02x", (unsigned)take(b, at, 1));
      else
        text[i] = (char)take(b, at, 1);
    for (; length % 4 != 0; length++)
      assert_int_equal(take(b, at, 1), 0);
    assert_string_equal(text, wanted->text);
  } else if (wanted->syntax == TALLY_SYNTAX_COUNTER64) {
    assert_true(take(b, at, 8) == wanted->number);
  } else if (wanted->syntax == TALLY_SYNTAX_TICKS) {
    assert_in_range(take(b, at, 4), wanted->number, wanted->number + 6000);
  } else {
    assert_int_equal(take(b, at, 4), wanted->number);
  }
}

static void check_exception(const bytes_t *b, size_t *at, unsigned type,
                            const oid_t *name) {
  assert_int_equal(take(b, at, 2), type);
  take(b, at, 2);
  oid_t shown = take_oid(b, at);
  assert_true(same(&shown, name));
}

/* ---- everything -----------------------------------------------------------
 */

static void test_walk(void **state) {
  tally_view_t *view = mib_scene_view();
  static const unsigned orders[] = {LITTLE, BIG};
  for (size_t o = 0; o < COUNT_OF(orders); o++) {
    oid_t name = ours("");
    size_t at;
    for (size_t i = 0; i < mib_scene_values_count; i++) {
      bytes_t next = request(GET_NEXT, orders[o]);
      add_range(&next, &name, false, NULL);
      bytes_t b = answer(view, &next, &at);
      check_varbind(&b, &at, &mib_scene_values[i]);
      assert_int_equal(at, b.count);

      name = ours(mib_scene_values[i].oid);
      bytes_t get = request(GET, orders[o]);
      add_range(&get, &name, false, NULL);
      b = answer(view, &get, &at);
      check_varbind(&b, &at, &mib_scene_values[i]);
      assert_int_equal(at, b.count);

      bytes_t inclusive = request(GET_NEXT, orders[o]);
      add_range(&inclusive, &name, true, NULL);
      b = answer(view, &inclusive, &at);
      check_varbind(&b, &at, &mib_scene_values[i]);
    }
    bytes_t last = request(GET_NEXT, orders[o]);
    add_range(&last, &name, false, NULL);
    bytes_t b = answer(view, &last, &at);
    check_exception(&b, &at, 130, &name);
    assert_int_equal(at, b.count);
  }
  tally_view_unref(view);
}

static void test_several_at_once(void **state) {
  tally_view_t *view = mib_scene_view();
  bytes_t get = request(GET, BIG), next = request(GET_NEXT, LITTLE);
  oid_t missing = ours("1.1.2.1"), unknown = ours("1.9.1");
  for (size_t i = 0; i < 10; i++) {
    oid_t name = ours(mib_scene_values[i].oid);
    add_range(&get, &name, false, NULL);
    add_range(&get, i % 2 == 0 ? &missing : &unknown, false, NULL);
    add_range(&next, &name, false, NULL);
  }
  size_t at;
  bytes_t b = answer(view, &get, &at);
  for (size_t i = 0; i < 10; i++) {
    check_varbind(&b, &at, &mib_scene_values[i]);
    check_exception(&b, &at, i % 2 == 0 ? 129 : 128,
                    i % 2 == 0 ? &missing : &unknown);
  }
  assert_int_equal(at, b.count);
  b = answer(view, &next, &at);
  for (size_t i = 0; i < 10; i++)
    check_varbind(&b, &at, &mib_scene_values[i + 1]);
  assert_int_equal(at, b.count);
  tally_view_unref(view);
}

static void test_range_ends(void **state) {
  tally_view_t *view = mib_scene_view();
  oid_t first = ours(mib_scene_values[0].oid);
  oid_t second = ours(mib_scene_values[1].oid), behind = second;
  behind.subids[behind.length++] = 0;
  size_t at;
  bytes_t next = request(GET_NEXT, LITTLE);
  add_range(&next, &first, false, &second); /* not itself */
  bytes_t b = answer(view, &next, &at);
  check_exception(&b, &at, 130, &first);
  next = request(GET_NEXT, LITTLE);
  add_range(&next, &first, false, &behind);
  b = answer(view, &next, &at);
  check_varbind(&b, &at, &mib_scene_values[1]);
  tally_view_unref(view);
}

static void test_no_view(void **state) {
  oid_t name = ours("1.1.2.0");
  size_t at;
  bytes_t get = request(GET, LITTLE), next = request(GET_NEXT, LITTLE);
  add_range(&get, &name, false, NULL);
  add_range(&next, &name, true, NULL);
  bytes_t b = answer(NULL, &get, &at);
  check_exception(&b, &at, 129, &name);
  b = answer(NULL, &next, &at);
  check_exception(&b, &at, 130, &name);
}

/* ---- what is not ours -----------------------------------------------------
 */

static void test_left_to_others(void **state) {
  tally_view_t *view = mib_scene_view();
  size_t at = 0;
  for (unsigned type = 0; type < 256; type++) {
    oid_t name = ours("1.1.2.0");
    bytes_t b = request(type, LITTLE);
    add_range(&b, &name, false, NULL);
    assert_int_equal(answer(view, &b, &at).count > 0,
                     type == GET || type == GET_NEXT);
  }
  oid_t name = ours("1.1.2.0"), foreign = ours("");
  foreign.subids[foreign.length - 1]++;
  oid_t above = ours("");
  above.length--;

  bytes_t context = request(GET, LITTLE);
  add_range(&context, &name, false, NULL);
  context.at[2] |= 0x08;
  assert_int_equal(answer(view, &context, &at).count, 0);

  bytes_t version = request(GET, LITTLE);
  add_range(&version, &name, false, NULL);
  version.at[0] = 2;
  assert_int_equal(answer(view, &version, &at).count, 0);

  const oid_t *others[] = {&foreign, &above};
  for (size_t i = 0; i < COUNT_OF(others); i++) {
    bytes_t b = request(GET_NEXT, LITTLE);
    add_range(&b, &name, false, NULL);
    add_range(&b, others[i], true, NULL);
    assert_int_equal(answer(view, &b, &at).count, 0);
  }
  bytes_t empty = request(GET, LITTLE);
  assert_int_equal(answer(view, &empty, &at).count, 0);
  tally_view_unref(view);
}

/* Cut at every byte, and answered into every size of room. */
static void test_cut(void **state) {
  tally_view_t *view = mib_scene_view();
  oid_t name = ours("1.3.1.2.2.100.98");
  bytes_t whole = request(GET_NEXT, BIG);
  add_range(&whole, &name, false, NULL);
  add_range(&whole, &name, true, &name);
  uint8_t *exact = NULL, room[256];
  size_t full =
      tally_agentx_answer(view, whole.at, whole.count, room, sizeof(room));
  assert_in_range(full, 30, sizeof(room));
  for (size_t count = 0; count < whole.count; count++) {
    bytes_t b = whole;
    exact = malloc(count); /* for AddressSanitizer: not a byte more */
    memcpy(exact, b.at, count);
    size_t length = tally_agentx_length(exact, count);
    assert_true(length == 0 || length == whole.count);
    assert_int_equal(
        tally_agentx_answer(view, exact, count, room, sizeof(room)), 0);
    if (count > 20) { /* and with a header that says so */
      b.count = count;
      close_pdu(&b);
      memcpy(exact, b.at, count);
      tally_agentx_answer(view, exact, count, room, sizeof(room));
    }
    free(exact);
  }
  for (size_t size = 0; size < full; size++) {
    exact = malloc(size);
    assert_int_equal(
        tally_agentx_answer(view, whole.at, whole.count, exact, size), 0);
    free(exact);
  }
  tally_view_unref(view);
}

static void test_too_long_identifiers(void **state) {
  tally_view_t *view = mib_scene_view();
  oid_t name = ours("1.3.1.5");
  size_t at = 0;
  while (name.length < 250) {
    name.subids[name.length++] = UINT32_MAX;
    bytes_t b = request(GET, LITTLE);
    add_range(&b, &name, false, NULL);
    bytes_t shown = answer(view, &b, &at);
    if (name.length <= TALLY_MIB_OID_MAX - 5) {
      check_exception(&shown, &at, 129, &name);
    } else if (name.length > TALLY_MIB_OID_MAX) {
      assert_int_equal(shown.count, 0);
    }
  }
  tally_view_unref(view);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_walk),
      cmocka_unit_test(test_several_at_once),
      cmocka_unit_test(test_range_ends),
      cmocka_unit_test(test_no_view),
      cmocka_unit_test(test_left_to_others),
      cmocka_unit_test(test_cut),
      cmocka_unit_test(test_too_long_identifiers),
  };
  return cmocka_run_group_tests_name("agentx", tests, NULL, NULL);
}
