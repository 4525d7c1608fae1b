/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CORE_HTTP_H
#define TALLY_CORE_HTTP_H

/* What every user of libcurl here has in common. */

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>

/* curl_global_init(3), once in the process: before libcurl 7.84 two threads
 * must not call it at a time. Before anything else of libcurl; any thread. */
void tally_http_global_init(void);

/* For CURLOPT_OPENSOCKETFUNCTION: libcurl's own way to open a socket leaves it
 * open in child processes, and among the low numbers (tally_file_raise). */
curl_socket_t tally_http_open_socket(void *data, curlsocktype purpose,
                                     struct curl_sockaddr *address);

/* The value of header `name`, without the blanks around it, cut to fit and made
 * fit for a message; false, and `value` untouched, if `line` (not terminated)
 * is another header. */
bool tally_http_take_header(const char *line, size_t len, const char *name,
                            char *value, size_t size);

#endif
