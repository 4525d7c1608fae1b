# SPDX-License-Identifier: MIT
"""Limits from environment, labels and rules, set and read back."""

import os
import time

import pytest

import kernel
from process import PATIENCE, wait_until
from recorder import Recorder
from scripted_engine import ScriptedContainer, ScriptedEngine

MIB = 1 << 20

# What a limit is called where, in the order of writing.
SWAP, HIGH, MAX = (
    ("memory.swap.max", "memory.high", "memory.max") if kernel.is_unified()
    else ("memory.memsw.limit_in_bytes", "memory.soft_limit_in_bytes",
          "memory.limit_in_bytes"))
UNLIMITED = "max" if kernel.is_unified() else "18446744073709551615"


@pytest.fixture
def adjust(engine, collectd):
    """Starts collectd with cgroup_adjust and a recorder."""
    def start(options="", endpoint=engine.endpoint, **how):
        daemon = collectd(**how)
        daemon.recorder = Recorder(daemon)
        daemon.plugins["cgroup_adjust"] = f"""
            Endpoint "{endpoint}"
            StateDir "{daemon.path('state')}"
            {options}"""
        return daemon.start()
    return start


def limited(engine, name, **how):
    """A container with limits of its own: 64 MiB, as much swap again."""
    container = engine.run("sleep", "1000", name=name, **{
        "Memory": 64 * MIB, "MemorySwap": 128 * MIB, **how})
    return container, kernel.Cgroup(container.pid)


def memory_limits(cgroup):
    return cgroup.memory_limit(), cgroup.memory_high(), cgroup.swap_limit()


def audit(daemon, name):
    """{file: notification} of what was changed, refused or would be."""
    return {told.type_instance: told for told in daemon.recorder.find(
        plugin="cgroup_adjust", plugin_instance=name)}


def files_in_order(daemon, name):
    return [told.type_instance for told in daemon.notifications()
            if told.plugin == "cgroup_adjust" and told.plugin_instance == name]


# -- SWAP=1 -------------------------------------------------------------------

@pytest.mark.vm
def test_swap_1_takes_the_limits_away(engine, adjust):
    """Of containers that start, and of those that run already."""
    _, early = limited(engine, "early", env={"SWAP": "1"})
    daemon = adjust()
    started = time.monotonic()
    _, late = limited(engine, "late", env={"SWAP": "1"},
                      MemoryReservation=32 * MIB)
    wait_until(lambda: memory_limits(late) == (None, None, None), "late")
    assert time.monotonic() - started < 5 * PATIENCE
    wait_until(lambda: memory_limits(early) == (None, None, None), "early")

    # Memory and swap first, or the kernel would refuse the rest.
    wanted = [SWAP, MAX] if kernel.is_unified() else [SWAP, HIGH, MAX]
    wait_until(lambda: len(audit(daemon, "late")) == len(wanted), "the audit")
    assert files_in_order(daemon, "late") == wanted
    change = audit(daemon, "late")[MAX]
    assert change.severity == "OKAY"
    assert change.meta["before"] == str(64 * MIB)
    assert change.meta["wanted"] == UNLIMITED
    assert change.meta["after"] == late.read("memory", MAX).strip()
    assert change.meta["source"] == "environment"
    assert f"{MAX}: {64 * MIB} -> " in change.message


@pytest.mark.parametrize("env", [{}, {"SWAP": ""}, {"swap": "1"}])
def test_other_containers_are_left_alone(engine, adjust, env):
    _, other = limited(engine, "other", env=env)
    daemon = adjust()
    _, swap = limited(engine, "swap", env={"SWAP": "1"})
    wait_until(lambda: memory_limits(swap) == (None, None, None), "swap")
    assert other.memory_limit() == other.swap_limit() == 64 * MIB
    assert not audit(daemon, "other")


def test_every_run_of_a_container(engine, adjust):
    adjust()
    container, _ = limited(engine, "swap", env={"SWAP": "1"})
    for _ in range(2):
        container.restart()
        cgroup = kernel.Cgroup(container.pid)
        wait_until(lambda: memory_limits(cgroup) == (None, None, None),
                   "the limits of a new run")


# -- sizes --------------------------------------------------------------------

@pytest.mark.vm
def test_sizes_from_environment_and_labels(engine, adjust):
    _, env = limited(engine, "env", env={"SWAP": "32m"})
    _, label = limited(engine, "label", labels={"SWAP": "16m"})
    _, many = limited(engine, "many", labels={
        "tallyman.memory.max": "48m", "tallyman.memory.high": "40m",
        "tallyman.swap.max": "0", "tallyman.cpu.max": "0.5",
        "tallyman.pids.max": "77"})
    adjust()
    wait_until(lambda: env.swap_limit() == 32 * MIB, "swap of env")
    assert env.memory_limit() == 64 * MIB
    wait_until(lambda: label.swap_limit() == 16 * MIB, "swap of label")
    wait_until(lambda: many.threads_limit() == 77, "the limits of many")
    wait_until(lambda: memory_limits(many) == (48 * MIB, 40 * MIB, 0)
               and many.cpu_limit() == 0.5, "all limits of many")


@pytest.mark.parametrize("value", ["yes", "-1", "12q", "1e3", "9999999t"])
def test_a_size_that_is_none(engine, adjust, value):
    """Reported, and nothing is changed."""
    _, cgroup = limited(engine, "odd", env={"SWAP": value})
    daemon = adjust()
    told = daemon.recorder.wait_for(plugin_instance="odd")
    assert told.severity == "WARNING"
    assert told.meta["key"] == "SWAP" and told.meta["value"] == value
    assert value in told.message
    assert cgroup.memory_limit() == cgroup.swap_limit() == 64 * MIB


# -- rules --------------------------------------------------------------------

@pytest.mark.vm
def test_rules(engine, adjust):
    """The first rule that matches counts, and beats what containers want."""
    _, web = limited(engine, "web1", env={"SWAP": "1"})
    _, batch = limited(engine, "job", labels={"tier": "batch"})
    _, rest = limited(engine, "rest")
    shares = batch.read("cpu", "cpu.weight" if batch.unified else "cpu.shares")
    daemon = adjust("""
        <Rule "web">
          Container "/^web/"
          MemoryMax "80m"
          MemoryHigh "70m"
          SwapMax 0
          CpuMax 1.5
          PidsMax 123
        </Rule>
        <Rule "batch">
          Label "tier=batch"
          CpuWeight 10
          IoWeight 10
        </Rule>
        <Rule "the rest">
          PidsMax 55
        </Rule>""")
    wait_until(lambda: web.threads_limit() == 123, "the web rule")
    wait_until(lambda: memory_limits(web) == (80 * MIB, 70 * MIB, 0)
               and web.cpu_limit() == 1.5, "all of the web rule")
    wait_until(lambda: rest.threads_limit() == 55, "the last rule")
    assert rest.memory_limit() == 64 * MIB
    weight = "cpu.weight" if batch.unified else "cpu.shares"
    told = daemon.recorder.wait_for(plugin_instance="job",
                                    type_instance=weight)
    assert told.meta["rule"] == "batch"
    assert told.meta["before"] == shares.strip()
    assert batch.read("cpu", weight).strip() == told.meta["after"]
    assert int(told.meta["after"]) < int(told.meta["before"])
    assert batch.threads_limit() != 55


def test_containers_may_be_distrusted(engine, adjust):
    _, env = limited(engine, "env", env={"SWAP": "1"})
    _, label = limited(engine, "label", labels={"tallyman.pids.max": "9"})
    _, ruled = limited(engine, "ruled")
    adjust("""
        FromEnvironment false
        FromLabels false
        <Rule "one">
          Container "ruled"
          PidsMax 66
        </Rule>""")
    wait_until(lambda: ruled.threads_limit() == 66, "the rule")
    assert env.memory_limit() == 64 * MIB
    assert label.threads_limit() != 9


# -- by way of the Engine -----------------------------------------------------

@pytest.mark.vm
def test_method_engine_and_inspect_agree(engine, adjust):
    container, cgroup = limited(engine, "web")
    adjust("""
        Method "engine"
        <Rule "web">
          MemoryMax "96m"
          SwapMax "32m"
          CpuMax 0.5
          PidsMax 88
        </Rule>""")
    wait_until(lambda: (cgroup.memory_limit(), cgroup.swap_limit(),
                        cgroup.cpu_limit(), cgroup.threads_limit())
               == (96 * MIB, 32 * MIB, 0.5, 88), "the limits")
    config = container.inspect()["HostConfig"]
    assert config["Memory"] == 96 * MIB
    assert config["MemorySwap"] == 128 * MIB
    assert config["PidsLimit"] == 88
    assert (config["NanoCpus"] == 500_000_000
            or config["CpuQuota"] / config["CpuPeriod"] == 0.5)


# -- what is not to happen ----------------------------------------------------

@pytest.mark.vm
def test_dry_run_changes_nothing(engine, adjust):
    _, cgroup = limited(engine, "swap", env={"SWAP": "1"})
    daemon = adjust("DryRun true")
    told = daemon.recorder.wait_for(plugin_instance="swap", type_instance=MAX)
    assert told.meta["dry_run"] == "true"
    assert told.meta["before"] == str(64 * MIB)
    assert told.meta["wanted"] == UNLIMITED
    assert "would set" in told.message
    assert cgroup.memory_limit() == cgroup.swap_limit() == 64 * MIB


@pytest.mark.vm
def test_a_refusal_is_told_with_the_kernels_reason(engine, adjust):
    """One file may not be written; the others are none the worse."""
    _, cgroup = limited(engine, "web")
    daemon = adjust("""
        <Rule "web">
          MemoryMax "96m"
          PidsMax 44
        </Rule>""", mounts=f"""
        file={cgroup.path('pids', 'pids.max')}
        mount --bind $file $file
        mount -o remount,bind,ro $file""")
    told = daemon.recorder.wait_for(plugin_instance="web",
                                    type_instance="pids.max")
    assert told.severity == "WARNING"
    assert "Read-only file system" in told.meta["reason"]
    assert "Read-only file system" in told.message
    assert cgroup.threads_limit() != 44
    wait_until(lambda: cgroup.memory_limit() == 96 * MIB, "the other limit")


@pytest.mark.skipif(kernel.is_unified(),
                    reason="v2 accepts a limit below what is in use")
@pytest.mark.parametrize("method, words", [
    ("cgroup", "Device or resource busy"), ("engine", "current usage")])
def test_a_limit_below_what_is_in_use(engine, adjust, method, words):
    """The kernel refuses it, and so does the Engine, in its own words."""
    eater = engine.run("sh", "-c", f"dd if=/dev/zero bs={30 * MIB} count=1 | "
                       "sleep 1000", name="eater", Memory=64 * MIB,
                       MemorySwap=64 * MIB, MemorySwappiness=0)
    cgroup = kernel.Cgroup(eater.pid)
    wait_until(lambda: cgroup.memory_usage() > 30 * MIB, "memory is in use")
    daemon = adjust(f"""
        Method "{method}"
        <Rule "eater">
          MemoryMax "8m"
        </Rule>""")
    told = daemon.recorder.wait_for(plugin_instance="eater",
                                    type_instance=MAX)
    assert told.severity == "WARNING"
    assert words in told.meta["reason"]
    assert cgroup.memory_limit() == 64 * MIB


def test_a_strangers_cgroup_is_never_written(engine, adjust):
    """The process that Docker names lives in the cgroup of somebody else."""
    victim, cgroup = limited(engine, "victim")
    mine, own = limited(engine, "mine")
    with ScriptedEngine() as liar:
        env = {"SWAP": "1"}
        liar.add(ScriptedContainer(id="5" * 64, name="liar", pid=victim.pid,
                                   env=env))
        liar.add(ScriptedContainer(id="6" * 64, name="root", pid=1, env=env))
        liar.add(ScriptedContainer(id=mine.id, name="mine", pid=mine.pid,
                                   env=env))
        daemon = adjust(endpoint=liar.endpoint)
        wait_until(lambda: own.memory_limit() is None, "the honest one")
        for name in ("liar", "root"):
            told = daemon.recorder.wait_for(plugin_instance=name)
            assert told.severity == "WARNING"
            assert "before" not in told.meta
    assert cgroup.memory_limit() == cgroup.swap_limit() == 64 * MIB


# -- and back -----------------------------------------------------------------

@pytest.mark.vm
def test_restore_at_the_end(engine, adjust):
    """Also what was changed before collectd was killed."""
    _, cgroup = limited(engine, "swap", env={"SWAP": "1"})
    daemon = adjust("Restore true")
    wait_until(lambda: memory_limits(cgroup) == (None, None, None), "changed")
    daemon.kill9()
    daemon.start()
    wait_until(lambda: "Initialization complete" in
               daemon.log().split("Exiting normally")[-1], "it runs again")
    daemon.stop()
    assert cgroup.memory_limit() == cgroup.swap_limit() == 64 * MIB


def test_limits_stay_without_restore(engine, adjust):
    _, cgroup = limited(engine, "swap", env={"SWAP": "1"})
    daemon = adjust()
    wait_until(lambda: memory_limits(cgroup) == (None, None, None), "changed")
    daemon.stop()
    assert memory_limits(cgroup) == (None, None, None)


def test_restore_on_request(engine, adjust):
    """While the file is there, originals hold; afterwards limits again."""
    _, cgroup = limited(engine, "swap", env={"SWAP": "1"})
    daemon = adjust()
    wait_until(lambda: memory_limits(cgroup) == (None, None, None), "changed")
    request = daemon.path("state/cgroup_adjust/restore")
    with open(request, "w"):
        pass
    wait_until(lambda: cgroup.memory_limit() == cgroup.swap_limit() == 64 * MIB,
               "the originals")
    os.remove(request)
    wait_until(lambda: memory_limits(cgroup) == (None, None, None),
               "the limits again")
