# SPDX-License-Identifier: MIT
"""Daemons that a test starts, and waiting for what they do.

Every wait is bounded. The bounds are written for a bare machine; the emulated
one multiplies them all through TALLYMAN_PATIENCE."""

import ctypes
import os
import signal
import subprocess
import time

PATIENCE = float(os.environ.get("TALLYMAN_PATIENCE", "1"))
_PAUSE_MAX = 0.2 * PATIENCE

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class TimedOut(AssertionError):
    """Something did not happen in time; the message says what."""


def wait_until(condition, what, timeout=10, step=0.02):
    """Call condition() until it gives something true, and return that."""
    deadline = time.monotonic() + timeout * PATIENCE
    while True:
        asked = time.monotonic()
        result = condition()
        if result:
            return result
        now = time.monotonic()
        if now > deadline:
            raise TimedOut(f"{what}: not within {timeout * PATIENCE:g} s")
        # Who asks shall not take the CPU from what is waited for.
        time.sleep(max(step, min(2 * (now - asked), _PAUSE_MAX)))


def die_with_the_parent():
    """A test run that is killed must not leave its daemons running."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def all_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


class Daemon:
    """One child process in the foreground, its output in a file."""

    def __init__(self, name, log_path):
        self.name = name
        self.log_path = log_path
        self.process = None

    def start(self, argv, env=None):
        assert not self.running, f"{self.name} already runs"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=env, start_new_session=True,
                preexec_fn=die_with_the_parent)

    @property
    def pid(self):
        return self.process.pid

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def require_running(self):
        """For waits: a daemon that has died will never become ready."""
        assert self.running, f"{self.name} has ended:\n{self.log_tail()}"

    def terminate(self, timeout=20):
        """Ask politely; returns the exit status. Too slow is a failure, but
        it is dead in any case when this returns."""
        return self._end(signal.SIGTERM, timeout)

    def kill(self):
        return self._end(signal.SIGKILL, 5)

    def _end(self, how, timeout):
        if self.process is None:
            return None
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(how)
        try:
            return process.wait(timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise TimedOut(f"{self.name} did not end on {how.name}:\n"
                           f"{self.log_tail()}") from None

    def log(self):
        try:
            with open(self.log_path, errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def log_tail(self, lines=30):
        return "\n".join(self.log().splitlines()[-lines:])
