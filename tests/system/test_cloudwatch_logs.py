# SPDX-License-Identifier: MIT
"""CloudWatch Logs as a destination: read back with boto3 from moto, and, where
things go wrong, from lighter's ledger. tests/lighter/put_logs.c is who
sends."""

import json
import os
import subprocess
import time

import pytest

import emulators
from collectd import BUILD
from ledger import Verdict
from lighter import ALL_TAKEN, NOTHING_TAKEN, REFUSALS
from process import PATIENCE, die_with_the_parent

pytestmark = pytest.mark.delivery

PROGRAM = os.path.join(BUILD, "tests/lighter/put_logs")
MESSAGE_MAX = 262118
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class Putter:
    def __init__(self, environment, *arguments):
        self._process = subprocess.Popen(
            [PROGRAM, *map(str, arguments)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, preexec_fn=die_with_the_parent,
            env={**emulators.environment(), **environment,
                 "AWS_EC2_METADATA_DISABLED": "true"})

    def put(self, stream, time_ms, text):
        text = text.encode() if isinstance(text, str) else text
        self._process.stdin.write(
            f"put {stream} {time_ms} ".encode() + text + b"\n")

    def flush(self, timeout=20.0):
        """Its numbers when all was sent, or after that time."""
        self._process.stdin.write(
            f"flush {int(timeout * PATIENCE * 1000)}\n".encode())
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "put_logs has ended; its last words are above"
        return json.loads(line)

    def close(self):
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def putter():
    made = []

    def make(*arguments):
        made.append(Putter(*arguments))
        return made[-1]
    yield make
    for one in made:
        one.close()


def of_moto(moto):
    return {"AWS_ENDPOINT_URL": moto.endpoint, "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret"}


def of_lighter(daemon):
    return {"AWS_ENDPOINT_URL": daemon.endpoint, **daemon.environment()}


def now_ms():
    return int(time.time() * 1000)


def read_stream(client, group, stream):
    """[(time stamp, message)] as GetLogEvents gives them, from the oldest."""
    found, token = [], {}
    while True:
        answer = client.call("logs", "get_log_events", logGroupName=group,
                             logStreamName=stream, startFromHead=True,
                             limit=5000, **token)
        found += [(e["timestamp"], e["message"]) for e in answer["events"]]
        if token.get("nextToken") == answer["nextForwardToken"]:
            return found
        token = {"nextToken": answer["nextForwardToken"]}


# ---- what an independent client reads ----------------------------------------

def test_streams_order_and_a_group_that_is_made(moto, aws, putter):
    streams, count = ["a" * 64, "b" * 64, "c" * 64], 500
    begin = now_ms() - 60000
    to = putter(of_moto(moto), "web/logs", "create", 14)
    expected = {stream: [] for stream in streams}
    for i in range(count):
        for stream in streams:
            # 100 events share a millisecond: only their order tells them apart
            event = (begin + i // 100, f"web:R1/{stream[:12]} line {i} é")
            to.put(stream, *event)
            expected[stream].append(event)
    numbers = to.flush()
    assert numbers["done"] and numbers["sent"] == count * len(streams)

    client = aws(moto.endpoint)
    assert client.log_streams("web/logs") == streams
    for stream in streams:
        assert read_stream(client, "web/logs", stream) == expected[stream]
    groups = client.call("logs", "describe_log_groups")["logGroups"]
    assert [(g["logGroupName"], g["retentionInDays"]) for g in groups] == [
        ("web/logs", 14)]


def test_a_group_that_comes_late(moto, aws, putter):
    to = putter(of_moto(moto), "late")
    for i in range(10):
        to.put("web", now_ms(), f"line {i}")
    numbers = to.flush(0.5)
    assert numbers["queued"] == 10 and numbers["lost"] == 0
    assert numbers["status"] == 400
    assert "log group `late'" in numbers["words"]
    assert "ResourceNotFoundException" in numbers["words"]

    client = aws(moto.endpoint)
    client.create_log_group("late")
    numbers = to.flush()
    assert numbers["done"] and numbers["sent"] == 10
    assert [message for _, message in read_stream(client, "late", "web")] == [
        f"line {i}" for i in range(10)]


def test_events_out_of_order_and_a_day_apart(moto, aws, putter):
    now, hour = now_ms(), 3600 * 1000
    to = putter(of_moto(moto), "group", "create")
    ages = [1, 30, 0, 5, 49, 2, 25]
    for age in ages:
        to.put("web", now - age * hour, f"{age} hours ago")
    assert to.flush()["sent"] == len(ages)
    assert read_stream(aws(moto.endpoint), "group", "web") == [
        (now - age * hour, f"{age} hours ago")
        for age in sorted(ages, reverse=True)]


def test_what_messages_may_be(moto, aws, putter):
    now = now_ms()
    cases = [(b"", " "), (b"\xff\xfe", REPLACEMENT * 2),
             (b"\x00\x1b[0m\t\"\\", "\0\x1b[0m\t\"\\"),
             ("\N{SPOUTING WHALE}".encode(), "\N{SPOUTING WHALE}"),
             (b"x" * MESSAGE_MAX, "x" * MESSAGE_MAX),
             (b"\xff" + b"x" * (MESSAGE_MAX - 1), "?" + "x" * (MESSAGE_MAX - 1))]
    to = putter(of_moto(moto), "group", "create")
    for i, (sent, _) in enumerate(cases):
        to.put("web:1", now + i, sent)
    assert to.flush()["sent"] == len(cases)
    assert read_stream(aws(moto.endpoint), "group", "web_1") == [
        (now + i, read) for i, (_, read) in enumerate(cases)]


# ---- when things go wrong ----------------------------------------------------

KEYS, LINES = 5, 2000


def put_lines(to, first, last):
    begin = now_ms()
    for i in range(first, last):
        for key in range(KEYS):
            to.put(f"c{key}", begin, f"text line=c{key}/{i}")


@pytest.mark.sanitized
def test_nothing_is_lost_through_faults(lighter, putter):
    daemon = lighter()
    for operation in ("CreateLogGroup", "CreateLogStream"):
        for kind in ("throttled", "internal", "reset"):
            daemon.fault(operation, kind, times=1)
    to = putter(of_lighter(daemon), "group", "create")
    put_lines(to, 0, 1)  # nothing is taken while a stream is missing
    assert to.flush()["done"]

    kinds = (*REFUSALS, *NOTHING_TAKEN, *ALL_TAKEN)
    for kind in kinds:
        daemon.fault("PutLogEvents", kind, times=1)
    for part in range(1, LINES, LINES // 4):
        put_lines(to, part, min(part + LINES // 4, LINES))
        to.flush(0.1)
    numbers = to.flush(40)
    assert numbers["done"] and numbers["sent"] == KEYS * LINES, numbers
    assert numbers["lost"] == 0

    happened = daemon.stats()["faults"]
    assert all(happened[kind] for kind in kinds), happened
    verdict = daemon.ledger().verdict({f"c{k}": LINES for k in range(KEYS)})
    assert verdict._replace(repeated=0, unproven=0) == Verdict(
        lost=0, disordered=0, repeated=0, unexcused=0, unproven=0)
    assert 0 < verdict.repeated <= numbers["unsure"]


def test_what_is_too_old_is_counted_and_its_neighbours_arrive(lighter, putter):
    daemon = lighter()
    to = putter(of_lighter(daemon), "group", "create")
    now, day = now_ms(), 24 * 3600 * 1000
    for age_ms in (15 * day, 20 * day, 0, -3 * day):
        to.put("web", now - age_ms, f"line=web/{age_ms}")
    to.put("web", now, "line=web/0")
    numbers = to.flush()
    assert numbers["done"] and numbers["sent"] == 2, numbers
    assert numbers["refused"] == 3 and numbers["status"] == 400
    assert "events refused" in numbers["words"]
