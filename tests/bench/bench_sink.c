/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "bench_sink.h"

#include <arpa/inet.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "core/base64.h"
#include "core/buffer.h"

#define ACCESS_KEY "AKBENCH"
#define SECRET_KEY "secretOfTheBench"
#define REGION "eu-central-1"

struct bench_sink_s {
  char directory[64], cert[96], key[96], url[64];
  pid_t pid;
  FILE *in, *out; /* of lighter */
  unsigned port;
  tally_aws_options_t options;
  /* the floor */
  SSL_CTX *context;
  SSL *tls;
  tally_buffer_t bytes, body;
};

static bench_sink_t *complain(bench_sink_t *sink, const char *what) {
  fprintf(stderr, "bench_sink: %s\n", what);
  bench_sink_close(sink);
  return NULL;
}

static void stay_on(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof(set), &set);
}

/* ---- lighter ------------------------------------------------------------- */

static int make_certificate(bench_sink_t *sink) {
  snprintf(sink->directory, sizeof(sink->directory), "/tmp/bench-sink-XXXXXX");
  if (mkdtemp(sink->directory) == NULL)
    return -1;
  snprintf(sink->cert, sizeof(sink->cert), "%s/cert.pem", sink->directory);
  snprintf(sink->key, sizeof(sink->key), "%s/key.pem", sink->directory);
  char command[512];
  snprintf(command, sizeof(command),
           "openssl req -x509 -nodes -newkey ec -pkeyopt "
           "ec_paramgen_curve:prime256v1 -days 2 -subj /CN=lighter -addext "
           "subjectAltName=IP:127.0.0.1 -keyout %s -out %s 2>/dev/null",
           sink->key, sink->cert);
  return system(command) == 0 ? 0 : -1;
}

static void become_lighter(const bench_sink_t *sink, int in, int out) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  stay_on((int)sysconf(_SC_NPROCESSORS_ONLN) - 1);
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY, 1);
  setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY, 1);
  setenv("AWS_REGION", REGION, 1);
  const char *build = getenv("TALLYMAN_BUILD");
  char program[4096];
  snprintf(program, sizeof(program), "%s/tests/lighter/lighter",
           build != NULL ? build : ".");
  execl(program, program, "--shards", "4", "--cert", sink->cert, "--key",
        sink->key, (char *)NULL);
  perror(program);
  _exit(1);
}

static int start_lighter(bench_sink_t *sink) {
  int in[2], out[2];
  if (pipe(in) != 0 || pipe(out) != 0 || (sink->pid = fork()) < 0)
    return -1;
  if (sink->pid == 0) {
    close(in[1]);
    close(out[0]);
    become_lighter(sink, in[0], out[1]);
  }
  close(in[0]);
  close(out[1]);
  sink->in = fdopen(in[1], "w");
  sink->out = fdopen(out[0], "r");
  return sink->in != NULL && sink->out != NULL &&
                 fscanf(sink->out, "ready %u", &sink->port) == 1
             ? 0
             : -1;
}

bench_sink_t *bench_sink_open(void) {
  bench_sink_t *sink = calloc(1, sizeof(*sink));
  if (sink == NULL)
    return NULL;
  tally_buffer_init(&sink->bytes, SIZE_MAX / 2);
  tally_buffer_init(&sink->body, SIZE_MAX / 2);
  if (make_certificate(sink) != 0)
    return complain(sink, "no certificate, by openssl req");
  if (start_lighter(sink) != 0)
    return complain(sink, "lighter does not start; TALLYMAN_BUILD?");
  stay_on(0);
  snprintf(sink->url, sizeof(sink->url), "https://127.0.0.1:%u", sink->port);
  sink->options = (tally_aws_options_t){.access_key = ACCESS_KEY,
                                        .secret_key = SECRET_KEY,
                                        .region = REGION,
                                        .endpoint_url = sink->url,
                                        .ca_file = sink->cert,
                                        .timeout_ms = 60000};
  return sink;
}

const tally_aws_options_t *bench_sink_options(const bench_sink_t *sink) {
  return &sink->options;
}

void bench_sink_close(bench_sink_t *sink) {
  if (sink == NULL)
    return;
  SSL_free(sink->tls);
  SSL_CTX_free(sink->context);
  tally_buffer_clear(&sink->bytes);
  tally_buffer_clear(&sink->body);
  if (sink->in != NULL)
    fclose(sink->in); /* it ends with its stdin */
  if (sink->out != NULL)
    fclose(sink->out);
  if (sink->pid > 0)
    waitpid(sink->pid, NULL, 0);
  unlink(sink->cert);
  unlink(sink->key);
  rmdir(sink->directory);
  free(sink);
}

/* ---- the floor ----------------------------------------------------------- */

static int connect_tls(bench_sink_t *sink) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)sink->port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sink->context = SSL_CTX_new(TLS_client_method());
  sink->tls = sink->context != NULL ? SSL_new(sink->context) : NULL;
  if (sink->tls == NULL ||
      connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
      SSL_set_fd(sink->tls, fd) != 1 || SSL_connect(sink->tls) != 1) {
    fprintf(stderr, "bench_sink: no TLS to lighter\n");
    return -1;
  }
  return 0;
}

/* A request without a signature: it is read to its end, and refused. */
static int exchange(bench_sink_t *sink) {
  char head[128], answer[4096];
  int len = snprintf(head, sizeof(head),
                     "POST / HTTP/1.1\r\nHost: l\r\nContent-Length: "
                     "%zu\r\n\r\n",
                     sink->body.len);
  size_t sent = 0;
  int n = SSL_write(sink->tls, head, len);
  while (n > 0 && sent < sink->body.len) {
    n = SSL_write(sink->tls, sink->body.data + sent,
                  (int)(sink->body.len - sent));
    sent += n > 0 ? (size_t)n : 0;
  }
  if (n > 0 && SSL_read(sink->tls, answer, sizeof(answer)) > 0)
    return 0;
  fprintf(stderr, "bench_sink: lighter has hung up\n");
  return -1;
}

static int digest(const EVP_MD *type, const tally_buffer_t *bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  if (EVP_Digest(bytes->data, bytes->len, digest, NULL, type, NULL) == 1)
    return 0;
  fprintf(stderr, "bench_sink: no %s\n", EVP_MD_name(type));
  return -1;
}

int bench_sink_write(bench_sink_t *sink, const tally_record_t *records,
                     size_t count, bool digests) {
  if (sink->tls == NULL && connect_tls(sink) != 0)
    return -1;
  tally_buffer_reset(&sink->bytes);
  tally_buffer_reset(&sink->body);
  for (size_t i = 0; i < count; i++)
    tally_buffer_append(&sink->bytes, records[i].data, records[i].len);
  char *out =
      tally_buffer_extend(&sink->body, TALLY_BASE64_LEN(sink->bytes.len));
  if (out == NULL)
    return -1;
  tally_buffer_grow(
      &sink->body, tally_base64_encode(out, sink->bytes.data, sink->bytes.len));
  if (digests && (digest(EVP_md5(), &sink->bytes) != 0 ||
                  digest(EVP_sha256(), &sink->body) != 0))
    return -1;
  return exchange(sink);
}
