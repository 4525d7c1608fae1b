# SPDX-License-Identifier: MIT
"""A program on a terminal of its own, as a person would run it."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from process import PATIENCE, TimedOut

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    def __init__(self, argv, env=None, rows=40, columns=140):
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, columns, 0, 0))
        self.text = ""
        self.process = subprocess.Popen(
            argv, env=env, stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)

    def wait_for(self, pattern, timeout=20):
        """Until what was printed so far, without escape sequences, matches."""
        deadline = time.monotonic() + timeout * PATIENCE
        while not (match := re.search(pattern, self.text)):
            if not self._read(deadline - time.monotonic()):
                raise TimedOut(f"/{pattern}/ never came:\n{self.text}")
        return match

    def interrupt(self, timeout=20):
        """Ctrl-C; the exit status."""
        os.write(self._master, b"\x03")
        deadline = time.monotonic() + timeout * PATIENCE
        while self._read(deadline - time.monotonic()):
            pass
        return self.process.wait(max(0.1, deadline - time.monotonic()))

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def _read(self, timeout):
        """False at the end of the program and when nothing came in time."""
        if not select.select([self._master], [], [], max(0, timeout))[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: nobody has the other side any more
            return False
        self.text += _ESCAPE.sub("", data.decode(errors="replace"))
        return bool(data)
