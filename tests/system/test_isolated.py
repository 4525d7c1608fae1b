# SPDX-License-Identifier: MIT
"""Something is wrong with one value: only that value is missing."""

import math
import os
import signal
import socket
from contextlib import contextmanager

import pytest

import kernel
from bracket import bracket, fresh_sample
from process import wait_until
from scripted_engine import ScriptedContainer, ScriptedEngine

_WORK = "while :; do sleep 0.1; done"
HARMED, OTHER = "docker-harmed", "docker-other"


@pytest.fixture
def harmed(engine):
    return engine.run("sh", "-c", _WORK, name="harmed")


@pytest.fixture
def other(engine):
    """The one that must not notice."""
    return engine.run("sh", "-c", _WORK, name="other")


def stats(collectd, engine, options=""):
    return collectd(
        docker_stats=f'Endpoint "{engine.endpoint}"\n{options}')


def expect_right(daemon, cgroup, prefix, without=()):
    """Every kind of value, as the kernel has it."""
    def octets():
        eth0 = cgroup.network()["eth0"]
        return {"rx": eth0["rx_octets"], "tx": eth0["tx_octets"]}

    truths = {
        "container_cpu": lambda: {"usage": cgroup.cpu_usage_ns()},
        "container_memory": lambda: {
            key: value for key, value in cgroup.memory().items()
            if key in ("page_faults", "major_page_faults", "oom_kills")},
        "container_state": lambda: {"threads": cgroup.threads()},
        "if_octets-eth0": octets}
    readings = bracket(daemon, {f"{prefix}/{kind}": truth
                                for kind, truth in truths.items()
                                if kind not in without})
    for reading in readings.values():
        # The shell and its sleep: a thread comes and goes.
        reading.check(slack=1 if "state" in reading.identifier else 0)


def unreadable(daemon):
    """A file that not even root can open."""
    path = daemon.path("unreadable")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path)
    return path


def test_unreadable_file(engine, harmed, other, collectd):
    daemon = stats(collectd, engine)
    cgroup = kernel.Cgroup(harmed.pid)
    daemon.mounts = (f"mount --bind {unreadable(daemon)} "
                     f"{cgroup.path('memory', 'memory.stat')}")
    daemon.start()
    memory = fresh_sample(daemon, f"{HARMED}/container_memory")
    assert memory["usage"] > 0
    assert math.isnan(memory["anon"]) and math.isnan(memory["file"])
    expect_right(daemon, cgroup, HARMED, without=["container_memory"])
    expect_right(daemon, kernel.Cgroup(other.pid), OTHER)
    complaints = [line for line in daemon.log().splitlines()
                  if "memory.stat" in line]
    assert len(complaints) == 1, complaints


def test_empty_file_of_block_io(engine, harmed, other, collectd):
    """An empty list is an answer: no device was used."""
    daemon = stats(collectd, engine)
    cgroup = kernel.Cgroup(harmed.pid)
    names = ["io.stat"] if cgroup.unified else [
        f"blkio.throttle.{name}" for name in (
            "io_service_bytes", "io_service_bytes_recursive",
            "io_serviced", "io_serviced_recursive")]
    daemon.mounts = "\n".join(
        f"mount --bind /dev/null {cgroup.path('blkio', name)}"
        for name in names)
    daemon.start()
    expect_right(daemon, cgroup, HARMED)
    expect_right(daemon, kernel.Cgroup(other.pid), OTHER)
    assert not [found for found in daemon.identifiers()
                if found.startswith(f"{HARMED}/disk_")]
    assert "[warning] docker_stats" not in daemon.log()


@pytest.mark.skipif(kernel.is_unified(),
                    reason="the v2 hierarchy cannot lose a single controller")
def test_memory_accounting_is_off(engine, harmed, other, collectd):
    daemon = stats(collectd, engine)
    table = daemon.path("cgroups")
    daemon.mounts = f"""
        umount /sys/fs/cgroup/memory
        sed 's/^\\(memory[[:space:]].*\\)1$/\\10/' /proc/cgroups >{table}
        mount --bind {table} /proc/cgroups"""
    daemon.start()
    for container, prefix in ((harmed, HARMED), (other, OTHER)):
        expect_right(daemon, kernel.Cgroup(container.pid), prefix,
                     without=["container_memory"])
    hints = [line for line in daemon.log().splitlines()
             if "cgroup_enable=memory" in line]
    assert len(hints) == 1
    assert "swapaccount=1" in hints[0]
    assert not [found for found in daemon.identifiers()
                if found.endswith("/container_memory")]


@contextmanager
def frozen(pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_vanished_process(engine, harmed, other, collectd):
    """Docker still says that it runs: it had no time to notice."""
    daemon = stats(collectd, engine).start()
    victim = kernel.Cgroup(harmed.pid)
    witness = kernel.Cgroup(other.pid)
    daemon.wait_for_samples(f"{HARMED}/container_cpu")
    dockerd, containerd = engine.daemon_pids[:2]
    with frozen([dockerd, containerd]):
        os.kill(victim.pid, signal.SIGKILL)
        wait_until(lambda: victim.threads() == 0, "nobody is left in there")
        expect_right(daemon, witness, OTHER)
        assert fresh_sample(daemon, f"{HARMED}/container_state")["threads"] == 0
        late = daemon.samples(f"{HARMED}/container_cpu")[-1]
        assert late["usage"] == victim.cpu_usage_ns()
    wait_until(lambda: daemon.samples(f"{HARMED}/container_state")[-1]["state"]
               == 6, "Docker has noticed")
    expect_right(daemon, witness, OTHER)


def test_reused_process_id(engine, other, collectd):
    """Docker names a process that belongs to somebody else by now. Its
    numbers, and the interfaces of its namespace, are not the container's."""
    stranger = kernel.Cgroup(other.pid)
    with ScriptedEngine() as liar:
        liar.add(ScriptedContainer(id="5" * 64, name="gone", pid=other.pid))
        liar.add(ScriptedContainer(id=other.id, name="other", pid=other.pid))
        daemon = stats(collectd, liar).start()
        expect_right(daemon, stranger, OTHER)
        fresh_sample(daemon, "docker-gone/container_state")
        assert [found for found in daemon.identifiers()
                if found.startswith("docker-gone/")] == [
                    "docker-gone/container_state"]
        state = daemon.samples("docker-gone/container_state")[-1]
        assert math.isnan(state["threads"])


def test_renamed_container(engine, harmed, collectd):
    daemon = stats(collectd, engine).start()
    cgroup = kernel.Cgroup(harmed.pid)
    expect_right(daemon, cgroup, HARMED)
    harmed.rename("renamed")
    expect_right(daemon, cgroup, "docker-renamed")
    count = len(daemon.samples(f"{HARMED}/container_cpu"))
    for _ in range(2):
        fresh_sample(daemon, "docker-renamed/container_cpu")
    assert len(daemon.samples(f"{HARMED}/container_cpu")) == count


@pytest.fixture
def two_endpoints(engine, second_engine, collectd):
    return collectd(docker_stats=[
        f'Endpoint "{engine.endpoint}"',
        f'Endpoint "{second_engine.endpoint}"\nInstance "second"'])


def test_two_endpoints(engine, second_engine, two_endpoints):
    """Containers of the same name on both; then one of the daemons dies."""
    here = engine.run("sh", "-c", _WORK, name="web")
    there = second_engine.run("sh", "-c", _WORK, name="web")
    here, there = kernel.Cgroup(here.pid), kernel.Cgroup(there.pid)
    daemon = two_endpoints.start()
    expect_right(daemon, here, "docker-web")
    expect_right(daemon, there, "docker-second:web")
    for name in ("docker", "docker-second"):
        assert fresh_sample(daemon, f"{name}/containers")["running"] == 1

    second_engine.stop()
    expect_right(daemon, here, "docker-web")
    expect_right(daemon, here, "docker-web")
    # Its last sample may come one interval late, and nothing after that.
    last = daemon.samples("docker-second:web/container_cpu")[-1].time
    for _ in range(3):
        expect_right(daemon, here, "docker-web")
    told = daemon.samples("docker-second:web/container_cpu")
    assert len([sample for sample in told if sample.time > last]) <= 1


# lib/container/sampler.h
OWN, SHARED, ELSEWHERE, AT_THE_HOST = range(1, 5)


def test_shared_network_namespaces(engine, other, collectd):
    """Interfaces are counted once, and the node's own not at all."""
    owner = engine.run("sh", "-c", _WORK, name="owner")
    engine.run("sh", "-c", _WORK, name="guest",
               NetworkMode=f"container:{owner.id}")
    at_host = engine.run("sh", "-c", _WORK, name="at-host", NetworkMode="host")
    daemon = stats(collectd, engine).start()
    cgroup = kernel.Cgroup(owner.pid)
    expect_right(daemon, kernel.Cgroup(other.pid), OTHER)
    expect_right(daemon, kernel.Cgroup(at_host.pid), "docker-at-host",
                 without=["if_octets-eth0"])

    kind = {name: daemon.samples(f"docker-{name}/container_state")[-1][
        "network_namespace"] for name in ("other", "owner", "guest", "at-host")}
    assert kind["other"] == OWN
    assert kind["at-host"] == AT_THE_HOST
    assert sorted((kind["owner"], kind["guest"])) == [SHARED, ELSEWHERE]
    counting = "owner" if kind["owner"] == SHARED else "guest"
    expect_right(daemon, cgroup, f"docker-{counting}",
                 without=["container_cpu", "container_memory",
                          "container_state"])
    interfaces = {found.split("/")[0] for found in daemon.identifiers()
                  if "/if_" in found}
    assert interfaces == {"docker-other", f"docker-{counting}"}
