/* SPDX-License-Identifier: MIT */
#ifndef LIGHTER_SERVER_H
#define LIGHTER_SERVER_H

/* The event loop: connections, the lines on stdin, signals. */

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "service.h"

typedef struct server_s server_t;

/* Listens on 127.0.0.1. `port` 0: any. NULL: a message is on stderr. */
server_t *server_create(unsigned port, SSL_CTX *tls, service_t *service);
void server_destroy(server_t *server);

unsigned server_port(const server_t *server);

/* Ends all connections and takes none for so long. */
void server_refuse(server_t *server, uint64_t ms);

/* Until stdin ends or a signal asks for it. `command` is called for each line
 * on stdin. */
void server_run(server_t *server, void (*command)(char *line, server_t *server,
                                                  service_t *service));

#endif
