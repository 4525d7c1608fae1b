# SPDX-License-Identifier: MIT
"""A sink that does not answer delays no other sink, no thread of collectd that
writes, and not the reading of values. (Of write_kinesis's streams among
themselves: test_write_kinesis.py.)"""

import time

import pytest

from process import wait_until

pytestmark = pytest.mark.delivery

LINES = 2000
INTERVAL = 1
ONE_WRITER = "WriteThreads 1\nReadThreads 2\n"

_WRITER = """awk -v key={key} 'BEGIN {{
  for (i = 0; i < {lines}; i++) print "line=" key "/" i }}'; sleep 1000"""


def write_lines(engine, key, stream):
    return engine.run("sh", "-c", _WRITER.format(key=key, lines=LINES),
                      name=key, env={"KINESIS": stream})


def test_a_dead_sink_delays_nobody(engine, collectd, lighter):
    aws = lighter()
    aws.fault("PutRecords", "hang", rate=1, resource="dead")
    daemon = collectd(interval=INTERVAL, stock=ONE_WRITER)
    to_aws = f"{aws.config()}\nTimeout 300\nAggregate true"
    state = f'StateDir "{daemon.path("state")}"'
    daemon.plugins = {
        "docker_stats": f'Endpoint "{engine.endpoint}"',
        "docker_logs": f"""
            Endpoint "{engine.endpoint}"
            {state}
            <Kinesis>
              {to_aws}
            </Kinesis>""",
        "write_kinesis": f"""
            {to_aws}
            SpoolDir "{daemon.path("spool")}"
            <Stream "dead">
            </Stream>
            <Stream "values">
            </Stream>"""}
    daemon.start()
    write_lines(engine, "stuck", "dead")
    wait_until(lambda: aws.stats()["faults"]["hang"] == 2,
               "the dead stream was tried by both", timeout=20)

    began = time.monotonic()
    write_lines(engine, "quick", "alive")
    wait_until(lambda: aws.ledger().taken("quick") == LINES,
               "the living stream has all lines", timeout=20, step=0.1)
    before = len(daemon.samples("docker-quick/container_cpu"))
    taken = aws.stats()["taken"]
    time.sleep(3 * INTERVAL)
    values = daemon.samples("docker-quick/container_cpu")
    assert len(values) >= before + 2, "values are read and written"
    assert aws.stats()["taken"] > taken, "values arrive at their stream"
    assert "above its read interval" not in daemon.log()
    assert aws.ledger().taken("stuck") == 0
    assert time.monotonic() - began < 60

    began = time.monotonic()
    daemon.stop()
    assert time.monotonic() - began < 20, "nor is the end delayed"
    aws.behave()
    daemon.start()
    wait_until(lambda: aws.ledger().verdict({"stuck": LINES}).lost == 0,
               "what waited has come", timeout=30, step=0.2)
    assert aws.ledger().verdict({"stuck": LINES}).disordered == 0
