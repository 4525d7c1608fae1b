/* SPDX-License-Identifier: MIT */
#ifndef LIGHTER_CONNECTION_H
#define LIGHTER_CONNECTION_H

/* One client: requests one after the other, over TCP or TLS, answered well or
 * not. Never waits. */

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "service.h"

typedef struct connection_s connection_t;

/* Takes the descriptor, which does not block. `tls` NULL: without. NULL: no
 * memory; the descriptor is closed. */
connection_t *connection_create(int fd, SSL_CTX *tls, service_t *service);
void connection_destroy(connection_t *connection);

int connection_fd(const connection_t *connection);
/* Goes on as far as it can; false: it is over. */
bool connection_work(connection_t *connection);
/* What it waits for: bits of epoll, and a time of the monotonic clock (0: for
 * none). */
uint32_t connection_events(const connection_t *connection);
uint64_t connection_due_ns(const connection_t *connection);

#endif
