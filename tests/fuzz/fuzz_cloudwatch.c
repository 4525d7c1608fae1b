/* SPDX-License-Identifier: MIT */
/* Data for CloudWatch as they come back from a spool: 8 bytes of time, then the
 * record. Whatever is taken for a datum fits where it is counted to fit. */
#include "config.h"

#include "fuzz.h"

#include <string.h>

#include "aws/cloudwatch_call.h"
#include "aws/cloudwatch_form.h"

#define LINE_MAX_BYTES 65536

static void require_form(const tally_datum_t *datum,
                         const tally_record_t *record) {
  tally_autobuffer tally_buffer_t form;
  tally_buffer_init(&form, TALLY_CLOUDWATCH_CALL_BYTES);
  FUZZ_REQUIRE(
      tally_cloudwatch_form_begin(&form, tally_datum_namespace(record)) == 0);
  FUZZ_REQUIRE(form.len <= TALLY_CLOUDWATCH_CALL_BEGIN);
  size_t begin = form.len;
  FUZZ_REQUIRE(tally_cloudwatch_form_put(&form, 1000, datum) == 0);
  FUZZ_REQUIRE(form.len - begin <= tally_cloudwatch_form_size(datum));
  /* Nothing of it ends a field or a line. */
  FUZZ_REQUIRE(strlen(form.data) == form.len);
  FUZZ_REQUIRE(strpbrk(form.data, " \r\n+;") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  tally_record_t record = {0};
  if (size < sizeof(record.time_ns))
    return 0;
  memcpy(&record.time_ns, data, sizeof(record.time_ns));
  record.data = (const char *)data + sizeof(record.time_ns);
  record.len = size - sizeof(record.time_ns);

  tally_datum_t datum;
  tally_autobuffer tally_buffer_t line;
  tally_buffer_init(&line, LINE_MAX_BYTES);
  bool is_one = tally_datum_parse(&datum, &record, NULL) == 0;
  FUZZ_REQUIRE((tally_cloudwatch_describe(&record, &line) == 0) == is_one);
  if (is_one)
    require_form(&datum, &record);
  return 0;
}
