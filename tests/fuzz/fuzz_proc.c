/* SPDX-License-Identifier: MIT */
/* One text or datagram, given to the parsers of /proc/PID/net/dev and of what
 * netlink sends. */
#include "config.h"

#include "fuzz.h"

#include <string.h>

#include "proc/netdev.h"
#include "proc/sock_diag.h"
#include "proc/taskstats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  tally_interface_t interfaces[4];
  int count = tally_netdev_parse((const char *)data, size, interfaces, 4);
  FUZZ_REQUIRE(count >= -1 && count <= 4);
  for (int i = 0; i < count; i++) {
    size_t len = strnlen(interfaces[i].name, sizeof(interfaces[i].name));
    FUZZ_REQUIRE(len > 0 && len < sizeof(interfaces[i].name));
    FUZZ_REQUIRE(strcmp(interfaces[i].name, "lo") != 0);
  }

  uint64_t counts[TALLY_TCP_STATES] = {0}, sockets = 0;
  int status = tally_sock_diag_parse(data, size, counts);
  FUZZ_REQUIRE(status <= 1);
  for (size_t i = 0; i < TALLY_TCP_STATES; i++)
    sockets += counts[i];
  FUZZ_REQUIRE(sockets <= size / 16); /* none is shorter than its header */

  for (uint16_t type = 0; type < 8; type++) {
    size_t len = 0;
    const uint8_t *found = tally_netlink_attribute(data, size, type, &len);
    FUZZ_REQUIRE(found == NULL || (found >= data && len <= size &&
                                   (size_t)(found - data) <= size - len));
  }
  return 0;
}
