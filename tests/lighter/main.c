/* SPDX-License-Identifier: MIT */

/*
 * An AWS that does what it is told to: Kinesis, CloudWatch Logs and CloudWatch
 * as a producer sees them, on 127.0.0.1. It checks signatures, takes what it
 * gets into a ledger (ledger.h), and lets go wrong what the test asks for
 * (faults.h).
 *
 * Prints "ready PORT", then answers each line on stdin with a line:
 *
 *   fault OPERATION[/RESOURCE] FAULT RATE|xTIMES
 *   behave                no fault any more
 *   reshard STREAM COUNT  closes its shards and opens new ones
 *   clock SECONDS         its clock is so far ahead of the host's
 *   keys ACCESS SECRET TOKEN UNTIL
 *                         may sign, too, until that second since 1970 (0: for
 *                         ever); the first ones no longer may
 *   refuse MILLISECONDS   ends all connections and takes none
 *   sync                  the ledger is written up to here
 *   stats                 numbers, as a JSON object
 *
 * Ends when stdin does, or with SIGTERM.
 */

#include "config.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "core/cleanup.h"
#include "server.h"

static const char usage[] =
    "usage: lighter [OPTION]...\n"
    "  --port PORT      default: any free one\n"
    "  --ledger FILE    default: none, only counters\n"
    "  --mark TEXT      what stands in front of [KEY/]NUMBER in the data\n"
    "  --shards COUNT   of each stream (default 4)\n"
    "  --seed NUMBER    of what goes wrong at random (default 1)\n"
    "  --cert FILE --key FILE   for TLS\n"
    "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and\n"
    "AWS_REGION say what requests have to be signed with.\n";

typedef struct options_s {
  unsigned port;
  const char *ledger, *mark, *cert, *key;
  size_t shards;
  uint64_t seed;
} options_t;

static int parse_options(int argc, char **argv, options_t *options) {
  static const struct option known[] = {
      {"port", required_argument, NULL, 'p'},
      {"ledger", required_argument, NULL, 'l'},
      {"mark", required_argument, NULL, 'm'},
      {"shards", required_argument, NULL, 's'},
      {"seed", required_argument, NULL, 'r'},
      {"cert", required_argument, NULL, 'c'},
      {"key", required_argument, NULL, 'k'},
      {0}};
  *options = (options_t){.mark = "line=", .shards = 4, .seed = 1};
  int c;
  while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
    if (c == 'p')
      options->port = (unsigned)strtoul(optarg, NULL, 10);
    else if (c == 'l')
      options->ledger = optarg;
    else if (c == 'm')
      options->mark = optarg;
    else if (c == 's')
      options->shards = strtoul(optarg, NULL, 10);
    else if (c == 'r')
      options->seed = strtoull(optarg, NULL, 10);
    else if (c == 'c')
      options->cert = optarg;
    else if (c == 'k')
      options->key = optarg;
    else
      return -1;
  }
  bool fine = optind == argc && options->port <= 65535 && options->seed != 0 &&
              options->shards >= 1 && options->shards <= SHARDS_MAX &&
              (options->cert == NULL) == (options->key == NULL);
  return fine ? 0 : -1;
}

static const char *environment(const char *name, const char *fallback) {
  const char *value = getenv(name);
  return value != NULL && *value != '\0' ? value : fallback;
}

static SSL_CTX *load_tls(const options_t *options) {
  SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
  if (tls == NULL ||
      SSL_CTX_use_certificate_chain_file(tls, options->cert) != 1 ||
      SSL_CTX_use_PrivateKey_file(tls, options->key, SSL_FILETYPE_PEM) != 1) {
    fprintf(stderr, "lighter: the certificate or its key cannot be read\n");
    SSL_CTX_free(tls);
    return NULL;
  }
  /* What is left to write may move: it is in a buffer that grows. */
  SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return tls;
}

/* ---- commands
 * ---------------------------------------------------------------- */

static size_t signers_used(const signer_t *signer) {
  size_t used = 0;
  for (size_t i = 0; i < signer->count; i++)
    used += signer->pairs[i].uses > 0;
  return used;
}

static void print_stats(const service_t *service) {
  const ledger_counts_t *taken = ledger_counts(service->ledger);
  const service_counts_t *counts = &service->counts;
  printf("{\"requests\":%" PRIu64 ",\"refused\":%" PRIu64
         ",\"aggregates\":%" PRIu64 ",\"broken\":%" PRIu64
         ",\"astray\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"calls\":%" PRIu64
         ",\"taken\":%" PRIu64 ",\"unmarked\":%" PRIu64 ",\"signers\":%zu"
         ",\"faults\":{",
         counts->requests, counts->refused, counts->aggregates, counts->broken,
         counts->astray, counts->bytes, taken->calls, taken->taken,
         taken->unmarked, signers_used(&service->signer));
  for (fault_t i = FAULT_NONE + 1; i < FAULTS; i++)
    printf("%s\"%s\":%" PRIu64, i > FAULT_NONE + 1 ? "," : "", fault_name(i),
           service->faults.happened[i]);
  printf("}}\n");
}

static bool reshard(service_t *service, const char *rest) {
  char name[256];
  size_t count;
  if (sscanf(rest, "%255s %zu", name, &count) != 2)
    return false;
  stream_t *stream = streams_get(&service->streams, name);
  return stream != NULL && stream_reshard(stream, count);
}

static bool add_keys(service_t *service, const char *rest) {
  char access_key[129], secret_key[129], token[513];
  int64_t until_s;
  if (sscanf(rest, "%128s %128s %512s %" SCNd64, access_key, secret_key, token,
             &until_s) != 4)
    return false;
  service->signer.pairs[0].until_s = 1; /* long ago */
  return signer_add(&service->signer, access_key, secret_key, token, until_s);
}

/* Answers with "ok", or "?" for what it does not understand. */
static void obey(char *line, server_t *server, service_t *service) {
  char *rest = line;
  const char *word = strsep(&rest, " ");
  bool fine = true;
  if (rest == NULL)
    rest = line + strlen(line);
  if (strcmp(word, "stats") == 0) {
    print_stats(service);
    return;
  }
  if (strcmp(word, "fault") == 0)
    fine = faults_add(&service->faults, rest);
  else if (strcmp(word, "behave") == 0)
    service->faults.count = 0;
  else if (strcmp(word, "reshard") == 0)
    fine = reshard(service, rest);
  else if (strcmp(word, "clock") == 0)
    service->clock_offset_s = strtoll(rest, NULL, 10);
  else if (strcmp(word, "keys") == 0)
    fine = add_keys(service, rest);
  else if (strcmp(word, "refuse") == 0)
    server_refuse(server, strtoull(rest, NULL, 10));
  else if (strcmp(word, "sync") == 0)
    ledger_flush(service->ledger);
  else
    fine = false;
  printf(fine ? "ok\n" : "?\n");
}

static void obey_and_say(char *line, server_t *server, service_t *service) {
  obey(line, server, service);
  fflush(stdout);
}

/* ---- main
 * -------------------------------------------------------------------- */

static int serve(const options_t *options, SSL_CTX *tls) {
  service_t service = {.signer.region = environment("AWS_REGION", "us-east-1"),
                       .streams.shards = options->shards,
                       .faults.random = options->seed,
                       .ledger = ledger_create(options->ledger, options->mark)};
  if (service.ledger == NULL ||
      !signer_add(&service.signer,
                  environment("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
                  environment("AWS_SECRET_ACCESS_KEY", "secret"),
                  environment("AWS_SESSION_TOKEN", NULL), 0))
    return 1;
  server_t *server = server_create(options->port, tls, &service);
  if (server != NULL) {
    printf("ready %u\n", server_port(server));
    fflush(stdout);
    server_run(server, obey_and_say);
    server_destroy(server);
  }
  service_clear(&service);
  ledger_destroy(service.ledger);
  return server != NULL ? 0 : 1;
}

int main(int argc, char **argv) {
  options_t options;
  if (parse_options(argc, argv, &options) != 0) {
    fputs(usage, stderr);
    return 2;
  }
  SSL_CTX *tls = NULL;
  if (options.cert != NULL && (tls = load_tls(&options)) == NULL)
    return 1;
  int status = serve(&options, tls);
  SSL_CTX_free(tls);
  return status;
}
