/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aws/keys.h"
#include "aws/secret.h"
#include "core/cleanup.h"
#include "core/clock.h"

#define OUTPUT_MAX 65536
#define WORDS_MAX 64
#define LOOK_MS 100 /* whether somebody said stop */

extern char **environ;

/* Cuts the command into words, in place. -1: too many, or an open quote. */
static int split(char *command, char *words[WORDS_MAX + 1]) {
  int count = 0;
  char *from = command, *to = command;
  for (;;) {
    while (*from == ' ' || *from == '\t')
      from++;
    if (*from == '\0')
      break;
    if (count == WORDS_MAX)
      return -1;
    words[count++] = to;
    char quote = '\0';
    for (; *from != '\0'; from++) {
      if (quote == '\0' && (*from == ' ' || *from == '\t'))
        break;
      if (quote == '\0' && (*from == '"' || *from == '\''))
        quote = *from;
      else if (quote != '\0' && *from == quote)
        quote = '\0';
      else if (*from == '\\' && quote != '\'' && from[1] != '\0')
        *to++ = *++from;
      else
        *to++ = *from;
    }
    if (quote != '\0')
      return -1;
    bool end = *from == '\0';
    *to++ = '\0';
    if (end)
      break;
    from++;
  }
  words[count] = NULL;
  return count;
}

/* With our end of its output, nothing else of ours open, and the signals as a
 * program expects them: our threads block all. */
static int start(char *const words[], int output, pid_t *pid) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  if (posix_spawn_file_actions_init(&files) != 0)
    return ENOMEM;
  if (posix_spawnattr_init(&attributes) != 0) {
    posix_spawn_file_actions_destroy(&files);
    return ENOMEM;
  }
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  int code = posix_spawnattr_setsigmask(&attributes, &none);
  code |= posix_spawnattr_setsigdefault(&attributes, &all);
  code |= posix_spawnattr_setpgroup(&attributes, 0);
  code |= posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETPGROUP);
  code |= posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null",
                                           O_RDONLY, 0);
  code |= posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  code |= posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null",
                                           O_WRONLY, 0);
#ifdef HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCLOSEFROM_NP
  code |= posix_spawn_file_actions_addclosefrom_np(&files, 3);
#endif
  code = code != 0
             ? ENOMEM
             : posix_spawnp(pid, words[0], &files, &attributes, words, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return code;
}

/* Up to the end of its output. */
static int collect(tally_aws_http_t *http, int fd, uint64_t until_ns,
                   tally_buffer_t *output, tally_error_t *err) {
  for (;;) {
    if (tally_aws_http_is_stopped(http))
      return tally_error_set(err, ECANCELED, "credential_process");
    if (tally_clock_monotonic_ns() >= until_ns)
      return tally_error_set(err, ETIMEDOUT, "credential_process");
    struct pollfd look = {.fd = fd, .events = POLLIN};
    if (poll(&look, 1, LOOK_MS) <= 0)
      continue;
    char bytes[1024];
    ssize_t n = read(fd, bytes, sizeof(bytes));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
      continue;
    if (n < 0)
      return tally_error_set(err, errno, "credential_process");
    if (n == 0)
      return 0;
    int code = tally_buffer_append(output, bytes, (size_t)n);
    tally_secret_wipe(bytes, sizeof(bytes));
    if (code != 0)
      return tally_error_set(err, EMSGSIZE, "credential_process");
  }
}

/* It closed its output; whether it also ends is another matter. */
static int reap(tally_aws_http_t *http, pid_t pid, uint64_t until_ns,
                tally_error_t *err) {
  int status = 0;
  for (int pause_ms = 1;; pause_ms = pause_ms < 50 ? 2 * pause_ms : 50) {
    pid_t ended = waitpid(pid, &status, WNOHANG);
    if (ended < 0 && errno == EINTR)
      continue;
    if (ended < 0)
      return 0; /* SIGCHLD is ignored in this process: nobody knows */
    if (ended == pid)
      break;
    if (tally_clock_monotonic_ns() >= until_ns)
      return tally_error_set(err, ETIMEDOUT, "credential_process");
    if (tally_aws_http_wait(http, pause_ms, err) != 0)
      return -1;
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return 0;
  if (WIFEXITED(status))
    tally_error_set(err, 0, "credential_process: exit status %d",
                    WEXITSTATUS(status));
  else
    tally_error_set(err, 0, "credential_process: killed by signal %d",
                    WTERMSIG(status));
  return 1;
}

static void put_down(pid_t pid) {
  kill(-pid, SIGKILL);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
    ;
}

int tally_aws_process_run(tally_aws_http_t *http, const char *command,
                          int timeout_ms, tally_buffer_t *output,
                          tally_error_t *err) {
  uint64_t until_ns =
      tally_clock_monotonic_ns() + (uint64_t)timeout_ms * TALLY_NS_PER_MS;
  tally_autofree char *copy = strdup(command);
  char *words[WORDS_MAX + 1];
  if (copy == NULL || tally_secret_buffer_init(output, OUTPUT_MAX) != 0)
    return tally_error_set(err, ENOMEM, "credential_process");
  int pipes[2] = {-1, -1};
  if (split(copy, words) <= 0) {
    tally_error_set(err, 0, "credential_process: no command, or an open quote");
    goto failed;
  }
  if (pipe2(pipes, O_CLOEXEC) != 0) {
    tally_error_set(err, errno, "credential_process");
    goto failed;
  }
  pid_t pid;
  int code = start(words, pipes[1], &pid);
  close(pipes[1]);
  if (code != 0) {
    tally_error_set(err, code, "credential_process `%.100s'", words[0]);
    close(pipes[0]);
    goto failed;
  }
  code = collect(http, pipes[0], until_ns, output, err);
  close(pipes[0]);
  if (code == 0)
    code = reap(http, pid, until_ns, err);
  if (code < 0)
    put_down(pid);
  if (code == 0)
    return 0;
failed:
  tally_secret_buffer_clear(output);
  return -1;
}
