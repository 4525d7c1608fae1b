# SPDX-License-Identifier: MIT
"""What every manager relies on: a walk ends, skips nothing and says the same
as a GET, also while containers come and go by the hundred."""

import collections
import os
import random
import re
import socket
import subprocess
import threading
import time

import pytest

import agentx_wire as wire
import snmp
from collectd import BUILD
from process import PATIENCE, Daemon, wait_until
from scripted_engine import ScriptedContainer, ScriptedEngine

FLEET = 1000
CHURN_SECONDS = 60 if os.environ.get("TALLY_LONG") else 10
COLUMNS_AT_LEAST = 38


def oid_key(oid):
    return [int(number) for number in oid.strip(".").split(".")]


def start_agent(snmpd, subagent, endpoint):
    master = snmpd().start()
    agent = subagent(master, f"dockerEndpoint {endpoint}\ninterval 2\n"
                             "collectdSocket off").start()
    master.wait_for_subagent()
    return master, agent


def wait_for_containers(master, count, timeout=30):
    def shown():
        names = master.walk("tallyContainerName")
        return len(names) == count
    wait_until(shown, f"{count} containers are shown", timeout, step=0.2)


# ---- one fleet of real containers --------------------------------------------


@pytest.fixture(scope="module")
def steady(module_engine, module_snmpd, module_subagent):
    """A few real containers that do nothing, and the master that shows them."""
    for name in ("aa", "bb", "abc", "web-1", "zzz"):
        module_engine.run("sleep", "1000", name=name, Memory=64 << 20)
    module_engine.create("true", name="created")
    master, _ = start_agent(module_snmpd, module_subagent,
                            module_engine.endpoint)
    wait_for_containers(master, 6)
    # Known a little later than the rest: they take two samples, and a request
    # of their own to the Engine.
    for name in ("tallyNodeCpuPercent.0", "tallyDockerImages.0"):
        wait_until(lambda: master.get(name) is not None, name, timeout=30)
    return master


# Columns of containers that stay as they are: name, id, image, state, health,
# created, started, exit code.
_STILL = tuple(f".1.3.1.{column}." for column in (2, 3, 4, 5, 6, 7, 8, 10))


def still(walk):
    """Without what moves by itself from sample to sample."""
    root = snmp.root_oid()
    return {oid: value for oid, value in walk.items()
            if oid[len(root):].startswith(_STILL)}


@pytest.mark.sanitized
def test_walks_agree(steady):
    """GETNEXT one by one and GETBULK of every size give the same objects."""
    walks = [steady.walk("tallyman", bulk=False)]
    walks += [steady.walk("tallyman", max_repetitions=n) for n in (1, 7, 50)]
    for walk in walks:
        assert list(walk) == sorted(walk, key=oid_key)
        assert still(walk) == still(walks[0])
        assert len(still(walk)) > 6 * 5
    table = steady.table("tallyContainerTable")
    names = [row["tallyContainerName"] for row in table]
    # Shorter first, then by bytes: as SNMP compares indexes.
    assert names == ["aa", "bb", "abc", "zzz", "web-1", "created"]
    column = f"{snmp.root_oid()}.1.3.1.2."
    assert names == [value for oid, value in walks[0].items()
                     if oid.startswith(column)]


@pytest.mark.sanitized
def test_bulkwalk_checks_the_order(steady):
    """snmpbulkwalk without -Cc stops at an identifier that does not increase;
    with -Cc it would walk on, and find no more."""
    checked = steady.ask("snmpbulkwalk", "-Onq", "TALLYMAN-MIB::tallyman")
    unchecked = steady.ask("snmpbulkwalk", "-Cc", "-Onq",
                           "TALLYMAN-MIB::tallyman")
    for answer in (checked, unchecked):
        assert answer.returncode == 0 and not answer.stderr, answer.stderr
    first, second = ([line.split(" ")[0] for line in each.stdout.splitlines()
                      if line.startswith(".")] for each in (checked, unchecked))
    assert sorted(set(first) ^ set(second)) == []
    assert len(first) == len(set(first))


@pytest.mark.sanitized
def test_get_says_what_the_walk_says(steady):
    walk = still(steady.walk("tallyContainerTable"))
    oids = list(walk)
    for start in range(0, len(oids), 20):
        some = oids[start:start + 20]
        answer = steady.ask("snmpget", "-Onqt", *some).stdout.splitlines()
        said = dict(line.split(" ", 1) for line in answer if line[0] == ".")
        assert {oid: value.strip().strip('"') for oid, value in said.items()} \
            == {oid: walk[oid] for oid in some}


def test_exceptions(steady):
    root = snmp.root_oid()
    for oid, exception in (
            (f"{root}.1.3.1.2.1.113", "No Such Instance"),
            (f"{root}.1.3.1.200.1.97", "No Such Object"),
            (f"{root}.1.1.1.1", "No Such Instance"),
            (f"{root}.9.9", "No Such Object")):
        answer = steady.ask("snmpget", "-Onq", oid)
        assert exception in answer.stdout, answer.stdout + answer.stderr
    refused = steady.ask("snmpset", "TALLYMAN-MIB::tallyNodeName.0", "s", "x",
                         community="private")
    assert "notWritable" in refused.stderr
    # What follows the last object is somebody else's.
    last = list(steady.walk("tallyman"))[-1]
    following = steady.ask("snmpgetnext", "-Onq", last).stdout
    assert not following.startswith(root + ".")


# ---- walks while rows come and go --------------------------------------------


@pytest.fixture(scope="module")
def farm(tmp_path_factory):
    """(id, pid) of cgroups with a process and an interface each."""
    program = "tests/bench/cgroup_farm"
    subprocess.run(["make", "-s", "-C", BUILD, program], check=True)
    process = subprocess.Popen(
        [f"{BUILD}/{program}", "-n", str(FLEET), "-i",
         "-b", str(tmp_path_factory.mktemp("farm"))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield [process.stdout.readline().split() for _ in range(FLEET)]
    finally:
        process.stdin.close()
        process.wait()


@pytest.fixture
def fleet(farm):
    with ScriptedEngine() as engine:
        yield Fleet(engine, farm)


class Fleet:
    """Containers of a scripted Engine. One in four stays, the others come and
    go while it is churned."""

    def __init__(self, engine, farm):
        self.engine = engine
        self._farm = farm
        self.stays = {f"c{number}" for number in range(0, FLEET, 4)}
        self.changes = 0
        for number in range(FLEET):
            self._add(number)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._churn, daemon=True)

    def _add(self, number):
        container_id, pid = self._farm[number]
        self.engine.add(ScriptedContainer(id=container_id, pid=int(pid),
                                          name=f"c{number}"))

    def _churn(self):
        dice = random.Random(4711)
        others = [n for n in range(FLEET) if f"c{n}" not in self.stays]
        gone = set()
        while not self._stop.wait(0.005):
            number = dice.choice(others)
            container_id = self._farm[number][0]
            if number in gone:
                self._add(number)
                gone.discard(number)
                self.engine.emit_container(container_id, "start")
            else:
                self.engine.emit_container(container_id, "destroy")
                self.engine.remove(container_id)
                gone.add(number)
            self.changes += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


@pytest.mark.timeout(90)
def test_a_thousand_containers_at_default_settings(fleet, snmpd, subagent):
    """All columns, with the time limits that master and tools have by
    default."""
    master, _ = start_agent(snmpd, subagent, fleet.engine.endpoint)
    wait_for_containers(master, FLEET)
    # CPU percent takes two samples.
    wait_until(lambda: master.get('tallyContainerCpuPercent."c999"'),
               "there are two samples", step=0.2)
    walk = master.walk("tallyContainerTable")
    entry = f"{snmp.root_oid()}.1.3.1."
    cells = collections.Counter(oid[len(entry):].split(".")[0] for oid in walk)
    everywhere = [column for column, count in cells.items() if count == FLEET]
    assert len(everywhere) >= COLUMNS_AT_LEAST, cells


@pytest.mark.timeout(60 + 2 * CHURN_SECONDS)
def test_churn_during_walks(fleet, snmpd, subagent):
    master, agent = start_agent(snmpd, subagent, fleet.engine.endpoint)
    wait_for_containers(master, FLEET)
    walks = incomplete = 0
    with fleet:
        end = time.monotonic() + CHURN_SECONDS
        while time.monotonic() < end:
            # walk() itself refuses an identifier that comes twice, and
            # snmpbulkwalk one that does not increase.
            names = master.walk("tallyContainerName", bulk=walks % 3 != 0,
                                max_repetitions=20)
            assert list(names) == sorted(names, key=oid_key)
            missing = fleet.stays - set(names.values())
            assert not missing, sorted(missing)[:10]
            incomplete += len(names) < FLEET
            walks += 1
        assert fleet.changes > 10 * CHURN_SECONDS / PATIENCE
    assert walks > 5 / PATIENCE and incomplete > 0
    agent.stop()


# ---- on the wire -------------------------------------------------------------


def free_tcp_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Capture:
    """tshark, on what subagent and master say to each other over TCP."""

    def __init__(self, directory, port):
        self._file = str(directory / "agentx.pcap")
        self._port = port
        self._tshark = Daemon("tshark", str(directory / "tshark.log"))
        self._tshark.start(["tshark", "-i", "lo", "-w", self._file,
                            "-f", f"tcp port {port}"])
        wait_until(lambda: "Capturing on" in self._tshark.log()
                   and os.path.exists(self._file), "tshark captures")

    def stop(self):
        self._tshark.terminate()

    def read(self, *arguments):
        return subprocess.run(
            ["tshark", "-r", self._file, "-d", f"tcp.port=={self._port},agentx",
             *arguments], capture_output=True, text=True,
            timeout=60 * PATIENCE).stdout.splitlines()

    def types(self, display_filter):
        lines = self.read("-Y", display_filter, "-T", "fields",
                          "-e", "agentx.type")
        return {int(number) for line in lines for number in line.split(",")}

    def stream(self, ours):
        """All that one side has said."""
        lines = self.read("-q", "-z", "follow,tcp,raw,0")
        return b"".join(
            bytes.fromhex(line.strip()) for line in lines
            if line.strip() and set(line.strip()) <= set("0123456789abcdef")
            and line.startswith("\t") != ours)


def tshark_version():
    said = subprocess.run(["tshark", "--version"], capture_output=True,
                          text=True, check=True).stdout
    return tuple(map(int, re.search(r"(\d+)\.(\d+)\.\d", said).groups()))


@pytest.mark.vm
def test_no_malformed_packet(module_engine, snmpd, subagent, tmp_path):
    """A session from its beginning to its end, notifications included."""
    port = free_tcp_port()
    capture = Capture(tmp_path, port)
    try:
        master = snmpd()
        master.extra = f"agentXSocket unix:{master.socket},tcp:127.0.0.1:{port}"
        master.start()
        agent = subagent(master, "interval 1\ncollectdSocket off\n"
                         f"dockerEndpoint {module_engine.endpoint}")
        agent.start("-x", f"tcp:127.0.0.1:{port}")
        master.wait_for_subagent()
        module_engine.run("sleep", "1000", name="crane").kill()
        wait_until(lambda: int(master.get("tallyNotificationsSent.0")) > 0,
                   "something was notified", step=0.2)
        walk = master.walk("tallyman")
        master.walk("tallyContainerTable", bulk=False)
        master.get("tallyContainerName.4.110.111.110.101")  # none such
        agent.stop()
        wait_until(lambda: capture.types("agentx.type == 2"),
                   "the end of the session is captured", step=0.5)
    finally:
        capture.stop()

    spoken = {wire.OPEN, wire.CLOSE, wire.REGISTER, wire.GET, wire.GETNEXT,
              wire.NOTIFY, wire.ADD_CAPS, wire.RESPONSE}
    assert capture.types("agentx") >= spoken
    # Debian 12's tshark 4.0 takes every varbind for longer than the packet,
    # also those of snmpd; Debian 13's reads them, on the second machine.
    misread = (set() if tshark_version() >= (4, 4)
               else {wire.NOTIFY, wire.RESPONSE})
    assert capture.types("agentx && _ws.malformed") <= misread
    # And a stricter reader, everywhere.
    ours = wire.read_stream(capture.stream(ours=True))
    masters = wire.read_stream(capture.stream(ours=False))
    assert {pdu.type for pdu in ours + masters} >= spoken
    said = {"." + ".".join(map(str, name)) for pdu in ours
            if pdu.type == wire.RESPONSE for name, _, _ in pdu.varbinds}
    assert set(walk) <= said
    assert not [pdu for pdu in ours + masters if pdu.error]
