# SPDX-License-Identifier: MIT
"""The README's first command, on a terminal, against a real Engine."""

import os
import re
import socket
import subprocess

import pytest

import samples
from collectd import SOURCE
from process import PATIENCE, wait_until
from terminal import Terminal

SNMP = ("127.0.0.1", 1161)
HOST = os.uname().nodename


def read(path):
    try:
        with open(path) as f:
            return f.read()
    except FileNotFoundError:
        return ""


@pytest.fixture
def quickstart(tmp_path):
    """Starts ./quickstart; its temporary files must be gone in the end."""
    started = []

    def start(endpoint, *arguments):
        started.append(Terminal(
            [f"{SOURCE}/quickstart", "--interval", "1", *arguments],
            env={**os.environ, "TMPDIR": str(tmp_path), "TERM": "xterm",
                 "DOCKER_HOST": endpoint}))
        return started[-1]
    try:
        yield start
    finally:
        for terminal in started:
            terminal.close()


@pytest.mark.timeout(180)
def test_shows_a_running_container_and_ends_with_ctrl_c(
        engine, quickstart, tmp_path):
    engine.run("sh", "-c", "while :; do :; done", name="crane")
    keep = tmp_path / "values"
    terminal = quickstart(engine.endpoint, "--keep", str(keep))
    # The first build may have to compile everything.
    terminal.wait_for(r"crane\s+running\s+\d", timeout=120)
    log = terminal.wait_for(r"what containers write from now on: (\S+)")[1]
    engine.run("echo", "one container came ashore", name="caller")
    wait_until(lambda: "one container came ashore" in read(log),
               "the line is in the file", timeout=30)
    assert terminal.interrupt() == 0
    assert os.listdir(tmp_path) == ["values"]
    assert sorted(os.listdir(keep)) == sorted(["containers.log", HOST])
    assert samples.read(keep, HOST, "docker-crane/container_cpu")


def snmp_is_free():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.bind(SNMP)
            return True
        except OSError:
            return False


def run_as_printed(command, state):
    """The tools keep files of their own, which shall not be the host's."""
    return subprocess.run(
        command, shell=True, capture_output=True, text=True,
        timeout=20 * PATIENCE,
        env={**os.environ, "SNMP_PERSISTENT_DIR": str(state)}).stdout


@pytest.mark.timeout(180)
def test_the_commands_it_prints_show_the_container(
        engine, quickstart, tmp_path_factory):
    engine.run("sh", "-c", "while sleep 0.5; do echo ashore; done",
               name="crane")
    terminal = quickstart(engine.endpoint)
    terminal.wait_for("first values in 1 s", timeout=120)
    commands = re.findall(r"(?m)^  (snmp\S+ .*?)\r?$", terminal.text)
    assert [command.split(" ")[0] for command in commands] == [
        "snmptable", "snmpwalk"]
    state = tmp_path_factory.mktemp("snmp")
    table, walk = commands
    for command, wanted in (
            (table, r"(?m)^\s*crane .*busybox .*running"),
            (walk, r'TALLYMAN-MIB::tallyContainerName."crane" = STRING: crane'),
            # The collectd beside it is asked for its outputs.
            (walk, r"TALLYMAN-MIB::tallySinksState.0 = INTEGER: read\(1\)"),
            # The file of what containers write is one.
            (walk, r"TALLYMAN-MIB::tallySinkName.* = STRING: docker_logs-file-")):
        wait_until(lambda: re.search(wanted, run_as_printed(command, state)),
                   f"{wanted} in the answer to {command}", timeout=40, step=0.5)
    assert terminal.interrupt() == 0
    assert snmp_is_free()
    assert not os.path.lexists(
        os.path.expanduser("~/.snmp/mibs/TALLYMAN-MIB.txt"))


@pytest.mark.timeout(180)
def test_goes_on_without_snmp(engine, quickstart):
    engine.run("sleep", "1000", name="crane")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(SNMP)
        terminal = quickstart(engine.endpoint)
        terminal.wait_for(r"no SNMP: .*127\.0\.0\.1:1161; is the port taken\?"
                          r" It said: Error opening", timeout=120)
        terminal.wait_for(r"crane\s+running", timeout=40)
        assert terminal.interrupt() == 0


@pytest.mark.timeout(180)
def test_picks_up_a_daemon_that_appears_later(engine, quickstart, tmp_path):
    engine.run("sleep", "100", name="crane")
    engine.stop()
    terminal = quickstart(engine.endpoint)
    terminal.wait_for("no Docker daemon", timeout=120)
    log = terminal.wait_for(r"collectd's log: (\S+)")[1]
    terminal.wait_for("first values in 1 s")
    engine.start()
    container = engine.containers()[0]
    container.start()
    terminal.wait_for(r"crane\s+running", timeout=40)
    with open(log) as f:
        assert not re.search(r"\[error\].*(segfault|unknown)", f.read())
    assert terminal.interrupt() == 0
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("arguments", [
    ["--interval", "soon"], ["--interval"], ["--no-such-option"],
    ["check", "no_such_stage"]])
def test_refuses_nonsense(arguments):
    terminal = Terminal([f"{SOURCE}/quickstart", *arguments])
    try:
        terminal.wait_for("needs a value|not a number|unknown argument"
                          "|no such stage")
        assert terminal.process.wait(20) != 0
    finally:
        terminal.close()
