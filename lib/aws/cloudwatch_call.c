/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws/cloudwatch_call.h"

#include <string.h>

#include "aws/cloudwatch_form.h"

size_t tally_cloudwatch_size(void *data, const tally_record_t *record) {
  tally_datum_t datum;
  if (tally_datum_parse(&datum, record, NULL) != 0)
    return record->key_len + record->len;
  return tally_cloudwatch_form_size(&datum);
}

void tally_cloudwatch_limit(tally_outbox_options_t *outbox) {
  size_t bytes = TALLY_CLOUDWATCH_CALL_BYTES - TALLY_CLOUDWATCH_CALL_BEGIN;
  tally_outbox_limit(&outbox->batch_records, TALLY_CLOUDWATCH_CALL_DATA);
  tally_outbox_limit(&outbox->batch_bytes, bytes);
  tally_outbox_limit(&outbox->record_bytes, bytes);
}

static bool share_namespace(const tally_record_t *a, const tally_record_t *b) {
  tally_span_t x = tally_datum_namespace(a), y = tally_datum_namespace(b);
  return x.len == y.len && memcmp(x.text, y.text, x.len) == 0;
}

size_t tally_cloudwatch_call(const tally_record_t *records, size_t count,
                             bool *done, uint16_t *members) {
  size_t found = 0;
  for (size_t i = 0; i < count; i++) {
    if (done[i] ||
        (found > 0 && !share_namespace(&records[members[0]], &records[i])))
      continue;
    done[i] = true;
    members[found++] = (uint16_t)i;
  }
  return found;
}
