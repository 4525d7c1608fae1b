# SPDX-License-Identifier: MIT
"""Limits from environment, labels and rules, set, read back and put back."""

import os
import time

import pytest

import kernel
from process import PATIENCE, wait_until

MIB = 1 << 20

# What a limit is called where, in the order of writing.
SWAP, HIGH, MAX = (
    ("memory.swap.max", "memory.high", "memory.max") if kernel.is_unified()
    else ("memory.memsw.limit_in_bytes", "memory.soft_limit_in_bytes",
          "memory.limit_in_bytes"))


@pytest.fixture
def adjust(engine, collectd):
    """Starts collectd with cgroup_adjust."""
    def start(options=""):
        daemon = collectd()
        daemon.plugins["cgroup_adjust"] = f"""
            Endpoint "{engine.endpoint}"
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


def is_free(cgroup):
    return memory_limits(cgroup) == (None, None, None)


def has_its_own(cgroup):
    return cgroup.memory_limit() == cgroup.swap_limit() == 64 * MIB


def audit(daemon, name):
    """What was told of a container, in this order."""
    return [told for told in daemon.notifications()
            if (told.plugin, told.plugin_instance) == ("cgroup_adjust", name)]


# -- SWAP=1 -------------------------------------------------------------------

@pytest.mark.vm
def test_swap_1_takes_the_limits_away(engine, adjust):
    """Of containers that start, and of those that run already."""
    _, early = limited(engine, "early", env={"SWAP": "1"})
    daemon = adjust()
    started = time.monotonic()
    _, late = limited(engine, "late", env={"SWAP": "1"},
                      MemoryReservation=32 * MIB)
    wait_until(lambda: is_free(late), "late is free")
    assert time.monotonic() - started < 5 * PATIENCE
    wait_until(lambda: is_free(early), "early is free")

    # Memory and swap first, or the kernel would refuse the rest; on v2
    # memory.high was free before.
    wanted = [SWAP, MAX] if kernel.is_unified() else [SWAP, HIGH, MAX]
    wait_until(lambda: len(audit(daemon, "late")) == len(wanted), "the audit")
    assert [told.type_instance for told in audit(daemon, "late")] == wanted
    last = audit(daemon, "late")[-1]
    assert last.severity == "OKAY"
    assert f"{MAX}: {64 * MIB} -> {late.read('memory', MAX).strip()}" in (
        last.message)


def test_other_containers_are_left_alone(engine, adjust):
    others = [limited(engine, f"other{number}", env=env)[1]
              for number, env in enumerate([{}, {"SWAP": ""}, {"swap": "1"}])]
    daemon = adjust()
    _, swap = limited(engine, "swap", env={"SWAP": "1"})
    wait_until(lambda: is_free(swap), "swap is free")
    for number, other in enumerate(others):
        assert has_its_own(other)
        assert not audit(daemon, f"other{number}")


def test_every_run_of_a_container(engine, adjust):
    adjust()
    container, _ = limited(engine, "swap", env={"SWAP": "1"})
    for _ in range(2):
        container.restart()
        cgroup = kernel.Cgroup(container.pid)
        wait_until(lambda: is_free(cgroup), "a new run is free")


# -- sizes --------------------------------------------------------------------

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


# -- rules --------------------------------------------------------------------

def test_rules(engine, adjust):
    """The first rule that matches counts, and beats what containers want."""
    _, web = limited(engine, "web1", env={"SWAP": "1"})
    _, batch = limited(engine, "job", labels={"tier": "batch"})
    _, rest = limited(engine, "rest")
    weight = "cpu.weight" if batch.unified else "cpu.shares"
    shares = batch.read("cpu", weight)
    adjust("""
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
    wait_until(lambda: int(batch.read("cpu", weight)) < int(shares),
               "the batch rule")
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
    assert has_its_own(env)
    assert label.threads_limit() != 9


@pytest.mark.skipif(kernel.is_unified(),
                    reason="v2 accepts a limit below what is in use")
@pytest.mark.parametrize("method, words", [
    ("cgroup", "Device or resource busy"), ("engine", "unable to set memory limit")])
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
    told = wait_until(lambda: [told for told in audit(daemon, "eater")
                               if told.type_instance == MAX], "the audit")[0]
    assert told.severity == "WARNING"
    assert words in told.message
    assert cgroup.memory_limit() == 64 * MIB


# -- and back -----------------------------------------------------------------

@pytest.mark.vm
def test_restore_at_the_end(engine, adjust):
    """Also what was changed before collectd was killed."""
    _, cgroup = limited(engine, "swap", env={"SWAP": "1"})
    daemon = adjust("Restore true")
    wait_until(lambda: is_free(cgroup), "swap is free")
    daemon.kill9()
    killed = time.time()
    daemon.start()

    def looked_again():
        found = daemon.samples("tallyman-cgroup_adjust/tallyman_adjust")
        return found and found[-1].time > killed and found[-1]["unchanged"] > 0
    wait_until(looked_again, "it has seen that all is as it should be")
    daemon.stop()
    assert has_its_own(cgroup)


def test_limits_stay_without_restore(engine, adjust):
    _, cgroup = limited(engine, "swap", env={"SWAP": "1"})
    daemon = adjust()
    wait_until(lambda: is_free(cgroup), "swap is free")
    daemon.stop()
    assert is_free(cgroup)


def test_restore_on_request(engine, adjust):
    """While the file is there, originals hold; afterwards limits again."""
    _, cgroup = limited(engine, "swap", env={"SWAP": "1"})
    daemon = adjust()
    wait_until(lambda: is_free(cgroup), "swap is free")
    request = daemon.path("state/cgroup_adjust/restore")
    with open(request, "w"):
        pass
    wait_until(lambda: has_its_own(cgroup), "the originals")
    os.remove(request)
    wait_until(lambda: is_free(cgroup), "swap is free again")
