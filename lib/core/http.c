/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/http.h"

#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "core/file.h"
#include "core/text.h"

static void global_init(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

void tally_http_global_init(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, global_init);
}

curl_socket_t tally_http_open_socket(void *data, curlsocktype purpose,
                                     struct curl_sockaddr *address) {
  return tally_file_raise(socket(
      address->family, address->socktype | SOCK_CLOEXEC, address->protocol));
}

bool tally_http_take_header(const char *line, size_t len, const char *name,
                            char *value, size_t size) {
  size_t name_len = strlen(name);
  if (len <= name_len || line[name_len] != ':' ||
      strncasecmp(line, name, name_len) != 0)
    return false;
  line += name_len + 1;
  len -= name_len + 1;
  while (len > 0 && (*line == ' ' || *line == '\t')) {
    line++;
    len--;
  }
  while (len > 0 && (unsigned char)line[len - 1] <= ' ')
    len--;
  if (len >= size)
    len = size - 1;
  memcpy(value, line, len);
  value[len] = '\0';
  tally_text_tidy(value);
  return true;
}
