/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "proc/proc.h"

#include <math.h>

#include "core/clock.h"

void tally_load_update(tally_load_t *load, uint64_t active, uint64_t now_ns) {
  static const double minutes[3] = {1, 5, 15};

  if (load->last_ns == 0) {
    for (size_t i = 0; i < 3; i++)
      load->average[i] = (double)active;
    load->last_ns = now_ns;
    return;
  }
  if (now_ns <= load->last_ns)
    return;

  double seconds = (double)(now_ns - load->last_ns) / (double)TALLY_NS_PER_S;
  for (size_t i = 0; i < 3; i++) {
    double remains = exp(-seconds / (60 * minutes[i]));
    load->average[i] =
        load->average[i] * remains + (double)active * (1 - remains);
  }
  load->last_ns = now_ns;
}
