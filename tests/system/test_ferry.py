# SPDX-License-Identifier: MIT
"""Numbered records through an outbox, lib/aws and TLS to lighter, while
everything goes wrong: nothing is lost, nothing changes places, and what comes
twice has an excuse and is counted. The producer is tests/lighter/ferry.c; with
collectd and containers it is test_soak.py."""

import json
import os
import shutil
import tempfile

import pytest

from collectd import BUILD
from lighter import ALL_TAKEN, REFUSALS
from process import Daemon, wait_until
from small_disk import SmallDisk

pytestmark = pytest.mark.delivery

PROGRAM = os.path.join(BUILD, "tests/lighter/ferry")
KEYS = 20
TIMEOUT_MS = 1000

# Records that the destination takes in one batch
BATCH = {"aggregated": 10000, "one by one": 500, "events": 10000}

# All of them but those that last until the client has had enough
QUICK = (*REFUSALS, "reset", *ALL_TAKEN[1:], "drip")


class Ferry:
    def __init__(self, lighter, *options, count, spool=None):
        self.directory = tempfile.mkdtemp(prefix="tally-ferry-")
        self.expected = {f"c{k:02}": count for k in range(KEYS)}
        self.killed = 0  # what the numbers of killed ones said
        self._command = [
            PROGRAM, "--name", "lines", "--spool",
            str(spool or self._path("spool")),
            "--numbers", self._path("numbers"), "--keys", str(KEYS),
            "--count", str(count), "--timeout-ms", str(TIMEOUT_MS), *options]
        self._environment = {
            **os.environ, **lighter.environment(),
            "AWS_ENDPOINT_URL": lighter.endpoint,
            "AWS_CA_BUNDLE": lighter.ca_file}
        self._daemon = Daemon("ferry", self._path("log"))

    def _path(self, name):
        return os.path.join(self.directory, name)

    def start(self):
        self._daemon.start(self._command, env=self._environment)
        return self

    def numbers(self):
        try:
            with open(self._path("numbers")) as f:
                return json.load(f)
        except (OSError, ValueError):  # not written yet
            return {}

    def wait_for_sent(self, count):
        wait_until(lambda: self.numbers().get("sent", 0) >= count,
                   f"{count} records are sent", timeout=20)

    def kill9(self):
        self._daemon.kill()
        self.killed += self.numbers()["possible_duplicates"]

    def finish(self, timeout=40):
        wait_until(lambda: not self._daemon.running, "all is delivered",
                   timeout)
        assert self._daemon.terminate() == 0, self._daemon.log()

    def close(self):
        self._daemon.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


@pytest.fixture
def ferry():
    made = []

    def make(*arguments, **how):
        made.append(Ferry(*arguments, **how))
        return made[-1].start()
    try:
        yield make
    finally:
        for one in made:
            one.close()


def judge(lighter, ferry, kills=0, how="aggregated"):
    """Of everything that was put; gives the verdict for more questions."""
    verdict = lighter.ledger().verdict(ferry.expected)
    assert (verdict.lost, verdict.disordered) == (0, 0), verdict
    # One that is killed has a batch under way, of one call or more
    assert verdict.unexcused + verdict.unproven <= kills * BATCH[how], verdict
    numbers = ferry.numbers()
    assert numbers["lost"] == numbers["queued"] == 0
    counted = ferry.killed + numbers["possible_duplicates"]
    assert verdict.repeated <= counted, (verdict, counted)
    return verdict


HOW = {"aggregated": ["--to", "kinesis", "--aggregate"],
       "one by one": ["--to", "kinesis"],
       "events": ["--to", "logs"]}
CALLS = ("PutRecords", "ListShards", "PutLogEvents", "CreateLogStream")


@pytest.mark.sanitized
@pytest.mark.parametrize("how, count", [
    ("aggregated", 2000), ("one by one", 50), ("events", 300)])
@pytest.mark.parametrize("seed", [1, 2])
def test_everything_goes_wrong_at_random(lighter, ferry, how, count, seed):
    daemon = lighter(tls=True, seed=seed)
    for operation in CALLS:
        for kind in QUICK:
            daemon.fault(operation, kind, rate=0.01)
    daemon.fault("PutRecords", "records", rate=0.02)
    one = ferry(daemon, *HOW[how], count=count)
    one.finish()
    judge(daemon, one)
    stats = daemon.stats()
    assert sum(stats["faults"].values()) > 0
    assert stats["refused"] == stats["broken"] == stats["astray"] == 0


@pytest.mark.parametrize("kind", [*QUICK, "hang", "taken-hang", "records"])
def test_each_thing_that_can_go_wrong(lighter, ferry, kind):
    """Often enough that it meets fresh connections and used ones."""
    daemon = lighter(tls=True)
    daemon.fault("PutRecords", kind, times=3)
    one = ferry(daemon, *HOW["aggregated"], count=500)
    one.finish()
    verdict = judge(daemon, one)
    assert daemon.stats()["faults"][kind] == 3
    assert (verdict.repeated > 0) == (kind in ALL_TAKEN), verdict


@pytest.mark.parametrize("how", HOW)
def test_killed_again_and_again(lighter, ferry, how):
    """What was accepted is there after kill -9, and a note says how far the
    producer came."""
    daemon = lighter(tls=True)
    for kind in ("taken-reset", "unavailable"):
        daemon.fault("*", kind, rate=0.02)
    count = {"aggregated": 20000, "one by one": 300, "events": 2000}[how]
    one = ferry(daemon, *HOW[how], count=count)
    for step in (1, 2, 3):
        one.wait_for_sent(step * count)
        one.kill9()
        one.start()
    one.finish()
    judge(daemon, one, kills=3, how=how)


def test_nobody_is_there_for_a_while(lighter, ferry):
    daemon = lighter(tls=True)
    one = ferry(daemon, *HOW["aggregated"], count=3000)
    one.wait_for_sent(1000)
    daemon.refuse(2)
    one.finish()
    judge(daemon, one)


def test_the_disk_is_full_for_a_while(lighter, ferry, tmp_path):
    """Meanwhile it goes on from memory, and stops putting when that is full."""
    disk = SmallDisk(tmp_path / "disk", 8 << 20)
    try:
        daemon = lighter(tls=True)
        one = ferry(daemon, *HOW["aggregated"], count=5000,
                    spool=disk.path / "spool")
        one.wait_for_sent(10000)
        disk.fill()
        sent = one.numbers()["sent"]
        one.wait_for_sent(sent + 20000)
        daemon.refuse(1)
        disk.free()
        one.finish()
        judge(daemon, one)
        one.close()
    finally:
        disk.close()


def test_shards_are_split_and_merged(lighter, ferry):
    """Records that came with an aggregate to another shard are sent again,
    because a KCL would drop them."""
    daemon = lighter(tls=True, shards=2)
    one = ferry(daemon, *HOW["aggregated"], count=10000)
    for shards in (4, 3, 8):
        one.wait_for_sent(daemon.stats()["taken"] + 1000)
        daemon.reshard("lines", shards)
    one.finish()
    verdict = daemon.ledger().verdict(one.expected)
    assert verdict.lost == 0
    assert daemon.stats()["astray"] <= verdict.repeated
