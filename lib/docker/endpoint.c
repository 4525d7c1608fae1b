/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/docker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "core/cleanup.h"

#define DEFAULT_ENDPOINT "unix:///var/run/docker.sock"

static const char *environment(const char *name) {
  const char *value = getenv(name);
  return value != NULL && *value != '\0' ? value : NULL;
}

void tally_endpoint_clear(tally_endpoint_t *endpoint) {
  free(endpoint->name);
  free(endpoint->socket_path);
  free(endpoint->base_url);
  free(endpoint->cert_dir);
  *endpoint = (tally_endpoint_t){0};
}

static int parse_unix(tally_endpoint_t *endpoint, const char *path,
                      tally_error_t *err) {
  if (*path != '/')
    return tally_error_set(err, 0, "not an absolute path");
  if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
    return tally_error_set(err, 0, "the path is too long for a socket");

  endpoint->socket_path = strdup(path);
  endpoint->base_url = strdup("http://localhost"); /* a Host: is required */
  if (asprintf(&endpoint->name, "unix://%s", path) < 0)
    endpoint->name = NULL;
  return 0;
}

/* "HOST", "HOST:PORT", "[V6]:PORT", a slash at the end allowed. */
static int parse_authority(const char *text, int default_port, char *host,
                           size_t host_size, int *port, tally_error_t *err) {
  size_t len = strcspn(text, "/");
  if (text[len] == '/' && text[len + 1] != '\0')
    return tally_error_set(err, 0, "a path is not supported here");

  size_t host_len;
  if (*text == '[') {
    const char *end = memchr(text, ']', len);
    if (end == NULL)
      return tally_error_set(err, 0, "\"]\" is missing");
    host_len = (size_t)(end + 1 - text);
  } else {
    const char *colon = memchr(text, ':', len);
    host_len = colon != NULL ? (size_t)(colon - text) : len;
  }
  if (host_len == 0)
    return tally_error_set(err, 0, "the host is missing");
  if (host_len >= host_size)
    return tally_error_set(err, 0, "the host name is too long");
  memcpy(host, text, host_len);
  host[host_len] = '\0';
  if (strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                   "0123456789-._[]:%") != host_len)
    return tally_error_set(err, 0, "not a host name");

  *port = default_port;
  if (host_len == len)
    return 0;
  char *end;
  long number = strtol(text + host_len + 1, &end, 10);
  if (text[host_len] != ':' || end != text + len || number < 1 ||
      number > 65535)
    return tally_error_set(err, 0, "the port must be 1 to 65535");
  *port = (int)number;
  return 0;
}

static int parse_network(tally_endpoint_t *endpoint, const char *authority,
                         bool tls, tally_error_t *err) {
  char host[256];
  int port = 0;
  if (parse_authority(authority, tls ? 2376 : 2375, host, sizeof(host), &port,
                      err) != 0)
    return -1;

  if (asprintf(&endpoint->base_url, "%s://%s:%d", tls ? "https" : "http", host,
               port) < 0)
    endpoint->base_url = NULL;
  /* The name tells plain and TLS apart; the same words reach the same place. */
  if (endpoint->base_url != NULL)
    endpoint->name = strdup(endpoint->base_url);
  return 0;
}

/* Certificates as the docker command finds them. */
static char *default_cert_dir(void) {
  const char *path = environment("DOCKER_CERT_PATH");
  if (path != NULL)
    return strdup(path);
  const char *home = environment("HOME");
  char *dir;
  if (home == NULL || asprintf(&dir, "%s/.docker", home) < 0)
    return NULL;
  return dir;
}

static const char *after(const char *text, const char *prefix) {
  size_t len = strlen(prefix);
  return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* Without it the handshake would fail, and say something else. */
static int check_cert_dir(const char *dir, tally_error_t *err) {
  struct stat status;
  if (stat(dir, &status) != 0)
    return tally_error_set(err, errno, "certificates in \"%s\"", dir);
  if (!S_ISDIR(status.st_mode))
    return tally_error_set(err, ENOTDIR, "certificates in \"%s\"", dir);
  return 0;
}

static int parse(tally_endpoint_t *endpoint, const char *text,
                 const char *cert_dir, tally_error_t *err) {
  const char *rest;
  if (*text == '/')
    return parse_unix(endpoint, text, err);
  if ((rest = after(text, "unix://")) != NULL)
    return parse_unix(endpoint, rest, err);
  if ((rest = after(text, "http://")) != NULL)
    return parse_network(endpoint, rest, false, err);

  bool tls = cert_dir != NULL || environment("DOCKER_TLS_VERIFY") != NULL;
  if ((rest = after(text, "https://")) != NULL)
    tls = true;
  else if ((rest = after(text, "tcp://")) == NULL)
    return tally_error_set(
        err, 0, "must be unix://PATH, tcp://HOST:PORT, http://… or https://…");
  if (parse_network(endpoint, rest, tls, err) != 0)
    return -1;
  if (cert_dir != NULL && check_cert_dir(cert_dir, err) != 0)
    return -1;

  if (cert_dir != NULL)
    endpoint->cert_dir = strdup(cert_dir);
  else if (environment("DOCKER_TLS_VERIFY") != NULL)
    endpoint->cert_dir = default_cert_dir();
  return 0;
}

int tally_endpoint_parse(tally_endpoint_t *endpoint, const char *text,
                         const char *cert_dir, tally_error_t *err) {
  *endpoint = (tally_endpoint_t){.verify = true};
  if (cert_dir != NULL && *cert_dir == '\0')
    cert_dir = NULL;
  if (text == NULL || *text == '\0')
    text = environment("DOCKER_HOST");
  if (text == NULL)
    text = DEFAULT_ENDPOINT;

  int status = parse(endpoint, text, cert_dir, err);
  bool is_unix = endpoint->cert_dir == NULL && endpoint->name != NULL &&
                 after(endpoint->name, "unix://") != NULL;
  if (status == 0 && (endpoint->name == NULL || endpoint->base_url == NULL ||
                      (is_unix && endpoint->socket_path == NULL)))
    status = tally_error_set(err, ENOMEM, "no room for it");
  if (status != 0) {
    tally_endpoint_clear(endpoint);
    return tally_error_wrap(err, "Docker endpoint \"%s\"", text);
  }
  return 0;
}
