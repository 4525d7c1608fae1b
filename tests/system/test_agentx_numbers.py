# SPDX-License-Identifier: MIT
"""What SNMP shows of the node and its containers: the kernel's own numbers,
read around the same moment, by a subagent without any privilege."""

import os
import time
from functools import partial

import pytest

import kernel
import quay as work
from process import PATIENCE, wait_until

pytestmark = pytest.mark.vm

# A sample takes its time, and its age is rounded.
_MARGIN = 0.1 * PATIENCE


def open_to_all(engine):
    """The group of Docker's socket is the host's business; here everybody is
    in it."""
    os.chmod(engine.directory, 0o755)
    os.chmod(engine.socket, 0o666)


def start_subagent(engine, snmpd, subagent, config=""):
    open_to_all(engine)
    master = snmpd("agentXPerms 0660 0550 root nogroup")
    os.chmod(master.directory, 0o755)
    master.start()
    agent = subagent(master, f"interval 1\ncollectdSocket off\n"
                     f"dockerEndpoint {engine.endpoint}\n{config}",
                     user="nobody").start()
    master.wait_for_subagent()
    return master, agent


def wait_for_fresh_view(master, since=None, timeout=10):
    """Until what is shown was certainly read after `since` (now)."""
    since = (since or time.time()) + _MARGIN

    def is_fresh():
        age = master.get("tallySampleAge.0")
        return age is not None and time.time() - int(age) / 100 > since
    wait_until(is_fresh, "a fresh view", timeout)


def containers(master):
    return {row["tallyContainerName"]: row
            for row in master.table("tallyContainerTable")}


def number(row, column):
    """A number that is not known has no cell."""
    text = row[f"tallyContainer{column}"]
    return None if text in ("?", "") else int(text)


def together(master, name, *columns):
    """Of one sample. A table takes several requests, and the next sample may
    come between them."""
    result = master.ask("snmpget", "-OqvtU", *(
        f'TALLYMAN-MIB::tallyContainer{column}."{name}"'
        for column in columns))
    assert result.returncode == 0, result.stdout + result.stderr
    return [int(value) for value in result.stdout.split()]


class Reading:
    """A row of SNMP between two readings of the truth."""

    def __init__(self, before, row, after):
        self.before, self.row, self.after = before, row, after

    def check(self, source, column, unit=1):
        low, high = sorted((self.before[source] // unit,
                            self.after[source] // unit))
        shown = number(self.row, column)
        assert shown is not None and low <= shown <= high, \
            f"{column}: {shown} is not in [{low}, {high}]"


def truth_of(quay, name):
    """"usage" is that of the CPU, which comes after that of memory."""
    cgroup = quay.cgroups[name]
    return {**cgroup.memory(), **quay.cpu(name), **cgroup.network()["eth0"],
            **quay.tasks(name)}


@pytest.fixture(scope="module")
def master(quay, module_snmpd, module_subagent):
    master, _ = start_subagent(quay.engine, module_snmpd, module_subagent)
    wait_until(lambda: len(containers(master)) == len(quay.containers),
               "all containers are shown")
    # Percentages need two samples.
    wait_for_fresh_view(master)
    wait_for_fresh_view(master)
    return master


@pytest.fixture(scope="module")
def readings(quay, master):
    ask = {name: partial(truth_of, quay, name) for name in quay.containers}
    before = {name: ask[name]() for name in ask}
    disk_before = quay.disk("writer", "bytes")
    wait_for_fresh_view(master)
    rows = containers(master)
    found = {name: Reading(before[name], rows[name], ask[name]())
             for name in ask}
    found["writer's disk"] = Reading(disk_before, rows["writer"],
                                     quay.disk("writer", "bytes"))
    return found


def test_counters_are_the_kernels(quay, readings):
    for name in quay.containers:
        reading = readings[name]
        for source, column in (("usage", "CpuTime"), ("user", "CpuUserTime"),
                               ("system", "CpuSystemTime")):
            reading.check(source, column, unit=1000)
        for way in ("rx", "tx"):
            for what, column in (("octets", "Bytes"), ("packets", "Packets"),
                                 ("errors", "Errors"), ("dropped", "Dropped")):
                reading.check(f"{way}_{what}", way.capitalize() + column)
        reading.check("page_faults", "MemoryPageFaults")
        reading.check("limit_hits", "MemoryLimitHits")
        reading.check("oom_kills", "MemoryOomKills")
        reading.check("processes", "Processes")
        reading.check("threads", "Threads")
    assert number(readings["sender"].row, "TxBytes") >= work.SENT
    assert number(readings["starver"].row, "MemoryOomKills") >= 1


def test_disk_bytes_are_the_kernels(readings):
    reading = readings["writer's disk"]
    reading.check("write", "WriteBytes")
    reading.check("read", "ReadBytes")
    assert number(reading.row, "WriteBytes") >= work.WRITTEN


def test_limits_and_percentages(quay, master, readings):
    burner, eater = readings["burner"].row, readings["eater"].row
    assert number(burner, "CpuLimit") == 50
    percent, limit_percent = together(
        master, "burner", "CpuPercent", "CpuLimitPercent")
    assert percent > 1000
    assert limit_percent == pytest.approx(2 * percent, abs=2)
    assert number(burner, "CpuThrottled") > 0
    assert number(burner, "CpuThrottledTime") > 0
    assert number(eater, "CpuLimit") == 100
    assert number(eater, "MemoryLimit") == 200 * work.MIB
    used, used_percent = together(
        master, "eater", "MemoryUsed", "MemoryPercent")
    assert used >= work.EATEN
    assert used_percent == pytest.approx(
        10000 * used / (200 * work.MIB), abs=1)
    for name in quay.containers:
        limit = quay.cgroups[name].threads_limit()
        assert number(readings[name].row, "ThreadsLimit") == (
            2**32 - 1 if limit is None else limit)


def test_what_docker_says(quay, readings):
    for name, container in quay.containers.items():
        row, truth = readings[name].row, container.inspect()
        assert row["tallyContainerId"] == container.id
        assert row["tallyContainerImage"] == truth["Config"]["Image"]
        assert row["tallyContainerState"] == "running"
        assert row["tallyContainerNetwork"] == "own"
        assert number(row, "Restarts") == 0


def test_interfaces_have_rows(quay, master):
    rows = master.table("tallyContainerIfTable")
    assert {(row["tallyContainerIfContainer"], row["tallyContainerIfName"])
            for row in rows} == {(name, "eth0") for name in quay.containers}


def test_pressure_where_the_kernel_has_it(quay, readings):
    if quay.cgroups["burner"].pressure_total_us("cpu") is None:
        pytest.skip("this kernel keeps no pressure per cgroup")
    assert number(readings["burner"].row, "CpuSome") > 0


def test_node(quay, master):
    assert master.get("tallyNodeName.0") == os.uname().nodename
    assert int(master.get("tallyNodeCpus.0")) == os.cpu_count()
    memory = {line.split(":")[0]: int(line.split()[1]) << 10
              for line in kernel.read("/proc/meminfo").splitlines()}
    assert int(master.get("tallyNodeMemoryTotal.0")) == memory["MemTotal"]
    assert int(master.get("tallyNodeMemoryAvailable.0")) == pytest.approx(
        memory["MemAvailable"], rel=0.05)
    assert int(master.get("tallyNodeSwapTotal.0")) == memory["SwapTotal"]
    # burner alone keeps half a CPU busy
    assert int(master.get("tallyNodeCpuPercent.0")) > 5000 / os.cpu_count() / 2
    assert int(master.get("tallyNodeProcesses.0")) >= len(quay.containers)
    uptime = float(kernel.read("/proc/uptime").split()[0])
    assert int(master.get("tallyNodeUptime.0")) / 100 == pytest.approx(
        uptime, abs=2)


def test_docker(quay, master):
    version = quay.engine.api("GET", "/version")
    assert master.get("tallyDockerReachable.0") in ("1", "true")
    assert master.get("tallyDockerVersion.0") == version["Version"]
    assert int(master.get("tallyContainersRunning.0")) == len(quay.containers)
    wait_until(lambda: master.get("tallyDockerImages.0") == str(
        len(quay.engine.api("GET", "/images/json"))), "images are counted")


def test_disks(master):
    def rows():
        return {row["tallyDiskMount"]: row
                for row in master.table("tallyDiskTable")}
    root = wait_until(lambda: rows().get("/"), "the root has a row")
    truth = os.statvfs("/")
    assert int(root["tallyDiskTotal"]) == truth.f_blocks * truth.f_frsize
    assert int(root["tallyDiskAvailable"]) == pytest.approx(
        truth.f_bavail * truth.f_frsize, rel=0.05)
    assert root["tallyDiskAnswering"] == "true"
    assert root["tallyDiskReadOnly"] == "false"
    assert not any("/merged" in mount or mount.startswith("/proc")
                   for mount in rows())
