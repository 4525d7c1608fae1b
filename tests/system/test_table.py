# SPDX-License-Identifier: MIT
"""The live table, on a terminal and in a file."""

import fcntl
import os
import pty
import re
import struct
import termios
import threading

import pytest

from process import wait_until

MIB = 1 << 20


class Terminal:
    """A pseudo-terminal and what was written to it."""

    def __init__(self, columns, lines):
        self._master, self._slave = pty.openpty()
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", lines, columns, 0, 0))
        self.path = os.ttyname(self._slave)
        self._written = b""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            while True:
                self._written += os.read(self._master, 1 << 16)
        except OSError:
            pass  # closed

    def raw(self):
        return self._written.decode(errors="replace")

    def screen(self):
        """The newest whole table, line by line, without colours."""
        tables = re.split(r"\033\[\d+A", self.raw())
        text = tables[-2] if len(tables) > 1 else ""
        return re.sub(r"\033\[[0-9;]*[A-Za-z]", "", text).splitlines()

    def close(self):
        os.close(self._slave)
        os.close(self._master)


@pytest.fixture
def terminal():
    terminal = Terminal(columns=120, lines=30)
    try:
        yield terminal
    finally:
        terminal.close()


def show(collectd, engine, file):
    return collectd(docker_stats=f'Endpoint "{engine.endpoint}"',
                    write_table=f'File "{file}"')


def row(lines, name):
    """{column title: cell} of a container. The state may be of two words;
    nothing else has a blank in it."""
    for line in lines:
        if line.startswith("CONTAINER"):
            titles = re.split(r"\s{2,}", line.strip())
        elif line.split()[:1] == [name]:
            return dict(zip(titles, re.split(r"\s{2,}", line.strip())))
    return {}


def test_on_a_terminal(engine, collectd, terminal):
    engine.run("sh", "-c", "while :; do :; done", name="burner",
               NanoCpus=200_000_000, Memory=64 * MIB)
    engine.run("sh", "-c", "for i in 1 2 3; do sleep 1000 & done; wait",
               name="forker")
    engine.run("sh", "-c", "exit 3", name="ended").wait()
    show(collectd, engine, terminal.path).start()

    wait_until(lambda: row(terminal.screen(), "burner").get("CPU %", "-")
               not in ("-", "0.0"), "a table with the burner in it")
    burner = row(terminal.screen(), "burner")
    assert burner["STATE"] == "running"
    assert float(burner["CPU %"]) > 5
    assert burner["LIMIT"] == "64M"
    assert re.fullmatch(r"[\d.]+[KM]", burner["MEMORY"])
    assert burner["PIDS"] == "1"
    assert re.fullmatch(r"\d+m?\d*s", burner["UP"])
    assert row(terminal.screen(), "forker")["PIDS"] == "4"
    ended = row(terminal.screen(), "ended")
    assert (ended["STATE"], ended["UP"]) == ("exited", "exit 3")
    assert all(len(line) <= 120 for line in terminal.screen())


def test_in_a_file(engine, collectd):
    """For `watch cat` and for scripts: no escape sequences, always whole."""
    engine.run("sleep", "1000", name="web")
    daemon = show(collectd, engine, "")
    path = daemon.path("table")
    daemon.plugins["write_table"] = f'File "{path}"'
    daemon.start()

    def lines():
        try:
            with open(path) as f:
                return f.read().splitlines()
        except FileNotFoundError:
            return []
    wait_until(lambda: row(lines(), "web").get("STATE") == "running",
               "a table with web in it")
    assert "\033" not in "\n".join(lines())


def test_the_table_follows(engine, collectd, terminal):
    """Containers come, change and go; the daemon dies and is back."""
    show(collectd, engine, terminal.path).start()
    wait_until(terminal.screen, "an empty table")
    web = engine.run("sleep", "1000", name="web")
    wait_until(lambda: row(terminal.screen(), "web").get("STATE") == "running",
               "web in the table")
    web.pause()
    wait_until(lambda: row(terminal.screen(), "web").get("STATE") == "paused",
               "web paused in the table")
    web.remove()
    wait_until(lambda: not row(terminal.screen(), "web"), "web gone")
    engine.stop()
    silence = "Docker does not answer"
    wait_until(lambda: silence in terminal.screen()[0],
               "the table says that Docker is away", timeout=15)
    engine.start()
    wait_until(lambda: silence not in terminal.screen()[0],
               "the table no longer says so", timeout=15)
