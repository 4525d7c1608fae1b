# SPDX-License-Identifier: MIT
"""The outputs of collectd over SNMP: a real collectd with its unixsock plugin,
values as an output would dispatch them, and a collectd that hangs, dies and
comes back."""

import os
import signal
import socket
import time

import pytest

from process import PATIENCE, wait_until

SOURCES = ("accepted", "sent", "failed", "retried", "dropped", "queued",
           "spooled_bytes", "oldest_age", "last_error", "latency")


def say(daemon, line):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10 * PATIENCE)
        s.connect(daemon.path("unixsock"))
        s.sendall(line.encode() + b"\n")
        return s.makefile().readline()


def put(daemon, sink, **values):
    numbers = ":".join(str(values.get(source, 0)) for source in SOURCES)
    answer = say(daemon, f"PUTVAL node/tallyman-{sink}/tallyman_outbox "
                 f"interval=10 {time.time():.3f}:{numbers}")
    assert answer.startswith("0 "), answer


@pytest.fixture
def scene(collectd, snmpd, subagent):
    daemon = collectd().start()
    master = snmpd().start()
    agent = subagent(master, f"""
        interval 1
        dockerEndpoint unix:///nowhere/docker.sock
        collectdSocket {daemon.path("unixsock")}
        sinkDelayed 60
        sinkStalled 300""")
    return daemon, master, agent


def sinks(master):
    return {row["tallySinkName"]: row for row in master.table("tallySinkTable")}


def wait_for_state(master, state, timeout=10):
    wait_until(lambda: master.get("tallySinksState.0") == state,
               f"sinks are {state}", timeout)


def test_rows(scene):
    daemon, master, agent = scene
    put(daemon, "write_kinesis-metrics", accepted=1000, sent=900, failed=3,
        retried=2, queued=97, spooled_bytes=4096, oldest_age=1.5)
    put(daemon, "write_nsq", oldest_age=61, last_error=503)
    put(daemon, "docker_logs", oldest_age=301, last_error=1111)
    say(daemon, f"PUTVAL node/tallyman-other/gauge {int(time.time())}:1")
    agent.start()
    wait_until(lambda: master.attached() and len(sinks(master)) == 3, "rows")
    rows = sinks(master)
    row = rows["write_kinesis-metrics"]
    assert {column: row[f"tallySink{column}"] for column in (
        "Accepted", "Sent", "Failed", "Retried", "Dropped", "Queued",
        "SpooledBytes", "LastError", "LastErrorText", "State")} == {
            "Accepted": "1000", "Sent": "900", "Failed": "3", "Retried": "2",
            "Dropped": "0", "Queued": "97", "SpooledBytes": "4096",
            "LastError": "0", "LastErrorText": "", "State": "ok"}
    assert int(row["tallySinkOldestAge"]) == 1500
    assert rows["write_nsq"]["tallySinkState"] == "delayed"
    assert rows["write_nsq"]["tallySinkLastErrorText"] == \
        "HTTP 503 Service Unavailable"
    assert rows["docker_logs"]["tallySinkState"] == "stalled"
    assert rows["docker_logs"]["tallySinkLastErrorText"] == \
        os.strerror(111)
    assert master.get("tallySinksState.0") == "read"
    assert master.get("tallySinksProblem.0") == ""

    # Another output that comes later; one that loses records
    put(daemon, "late", accepted=1)
    put(daemon, "write_nsq", dropped=7)
    wait_until(lambda: sinks(master)["write_nsq"]["tallySinkState"] == "losing",
               "records are lost")
    wait_until(lambda: "late" in sinks(master), "the late one", timeout=15)
    wait_until(lambda: sinks(master)["write_nsq"]["tallySinkState"] == "ok",
               "no more are lost")


def test_collectd_hangs_dies_and_comes_back(scene):
    daemon, master, agent = scene
    put(daemon, "write_nsq", accepted=1)
    agent.start()
    wait_until(lambda: master.attached() and sinks(master), "rows")

    os.kill(daemon.pid, signal.SIGSTOP)
    try:
        wait_for_state(master, "unreachable")
        assert "answer" in master.get("tallySinksProblem.0")
        assert not sinks(master)
        age = int(master.get("tallySampleAge.0"))  # views go on
        assert age < 300 * PATIENCE
    finally:
        os.kill(daemon.pid, signal.SIGCONT)
    wait_for_state(master, "read")
    wait_until(lambda: sinks(master), "rows again")

    daemon.kill9()
    wait_for_state(master, "unreachable")
    assert not sinks(master)
    daemon.start()
    put(daemon, "write_nsq", accepted=2)
    wait_for_state(master, "read")
    wait_until(lambda: sinks(master).get("write_nsq", {}).get(
        "tallySinkAccepted") == "2", "rows of the new collectd")


def test_the_end_waits_for_no_collectd(scene):
    daemon, master, agent = scene
    os.kill(daemon.pid, signal.SIGSTOP)
    try:
        agent.start()
        wait_until(master.attached, "the subagent is attached")
        began = time.monotonic()
        agent.stop()
        assert time.monotonic() - began < 3 * PATIENCE
    finally:
        os.kill(daemon.pid, signal.SIGCONT)


def test_no_socket_and_switched_off(scene):
    daemon, master, agent = scene
    agent.config = agent.config.replace("unixsock", "nowhere")
    agent.start()
    wait_until(master.attached, "the subagent is attached")
    wait_for_state(master, "unreachable")
    assert "No such file" in master.get("tallySinksProblem.0")
    agent.reload("interval 1\ncollectdSocket off\n")
    wait_for_state(master, "off")
