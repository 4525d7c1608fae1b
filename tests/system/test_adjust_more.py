# SPDX-License-Identifier: MIT
"""Limits once more: the young, the Engine's own idea of them, and what was
there before."""

import os
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

import kernel
from process import wait_until

MIB = 1 << 20
COUNTERS = "tallyman-cgroup_adjust/tallyman_adjust"
HARD = {"Memory": 64 * MIB, "MemorySwap": 64 * MIB,
        "MemoryReservation": 32 * MIB}


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
    container = engine.run("sleep", "1000", name=name, **{**HARD, **how})
    return container, kernel.Cgroup(container.pid)


def is_free(cgroup):
    return (cgroup.memory_limit() is None and cgroup.swap_limit() is None
            and cgroup.memory_high() is None)


def weight(cgroup):
    return cgroup.read("cpu",
                       "cpu.weight" if cgroup.unified else "cpu.shares")


def audit(daemon, name):
    return [told for told in daemon.notifications()
            if (told.plugin, told.plugin_instance) == ("cgroup_adjust", name)]


def wait_a_while(daemon):
    """Until the next interval, long after an adjuster has done its work."""
    daemon.wait_for_samples(COUNTERS, len(daemon.samples(COUNTERS)) + 1)


# -- setting ------------------------------------------------------------------

def test_none_is_too_young(engine, adjust):
    """The cgroup of each is waited for, and not by sleeping."""
    adjust()

    def run(number):
        return limited(engine, f"ship{number}", env={"SWAP": "1"},
                       NetworkMode="none")
    with ThreadPoolExecutor(6) as pool:
        ships = list(pool.map(run, range(12)))
    wait_until(lambda: all(is_free(cgroup) for _, cgroup in ships),
               "all are free")


def test_nonsense_breaks_nothing_else(engine, adjust):
    daemon = adjust()
    _, cgroup = limited(engine, "ship", env={"SWAP": "a lot"}, labels={
        "tallyman.pids.max": "20", "tallyman.cpu.weight": "0"})
    wait_until(lambda: cgroup.threads_limit() == 20, "what makes sense")
    warnings = [told for told in audit(daemon, "ship")
                if told.severity == "WARNING"]
    assert sorted(told.type_instance for told in warnings) == [
        "SWAP", "tallyman.cpu.weight"]
    wait_until(lambda: (found := daemon.samples(COUNTERS))
               and found[-1]["bad_requests"] == 2, "both were counted")


def test_a_rule_withdraws_trust(engine, adjust):
    daemon = adjust("""
        <Rule "batch">
          Label "tier=batch"
          MemoryMax "32m"
          FromEnvironment false
        </Rule>""")
    _, batch = limited(engine, "batch", env={"SWAP": "1"},
                       labels={"tier": "batch"})
    _, other = limited(engine, "other", env={"SWAP": "1"})
    wait_until(lambda: is_free(other), "who is trusted")
    wait_until(lambda: batch.memory_limit() == 32 * MIB, "the rule's limit")
    wait_a_while(daemon)
    assert batch.swap_limit() == 0


# -- by way of the Engine -----------------------------------------------------

def test_the_engine_sets_and_puts_back(engine, adjust):
    daemon = adjust("Method engine\nRestore true")
    _, twin = limited(engine, "twin")
    ship, cgroup = limited(engine, "ship", labels={
        "tallyman.memory.max": "48m", "SWAP": "8m", "tallyman.pids.max": "20",
        "tallyman.cpu.max": "0.5", "tallyman.cpu.weight": "200"})
    wait_until(lambda: cgroup.threads_limit() == 20, "its limits")
    wait_until(lambda: len(audit(daemon, "ship")) >= 5, "the audit")
    # Newer runtimes convert the weight in another way: that is told.
    assert {told.severity for told in audit(daemon, "ship")
            if told.type_instance != "cpu.weight"} == {"OKAY"}
    assert (cgroup.memory_limit(), cgroup.swap_limit(), cgroup.cpu_limit()) == (
        48 * MIB, 8 * MIB, 0.5)
    config = ship.inspect()["HostConfig"]
    assert (config["Memory"], config["MemorySwap"]) == (48 * MIB, 56 * MIB)

    daemon.stop()
    config = ship.inspect()["HostConfig"]
    assert config["Memory"] == config["MemorySwap"] == 64 * MIB
    assert (cgroup.memory_limit(), cgroup.swap_limit()) == (64 * MIB, 0)
    assert (cgroup.threads_limit(), cgroup.cpu_limit()) == (
        twin.threads_limit(), None)
    assert weight(cgroup) == weight(twin)
    assert any("put back" in told.message for told in audit(daemon, "ship"))


@pytest.mark.vm
def test_swap_1_by_the_engine(engine, adjust):
    daemon = adjust("Method engine")
    _, cgroup = limited(engine, "ship", env={"SWAP": "1"})
    wait_until(lambda: is_free(cgroup), "it is free")
    wait_until(lambda: len(audit(daemon, "ship")) >= 2, "the audit")
    assert {told.severity for told in audit(daemon, "ship")} == {"OKAY"}


@pytest.mark.skipif(kernel.is_unified(),
                    reason="on v2 the Engine is not asked about memory.high")
def test_the_engines_reason(engine, adjust):
    daemon = adjust("""
        Method engine
        <Rule "wrong">
          MemoryMax "32m"
          MemoryHigh "48m"
        </Rule>""")
    _, cgroup = limited(engine, "ship")
    told = wait_until(lambda: audit(daemon, "ship"), "the audit")
    assert {found.severity for found in told} == {"WARNING"}
    assert "reservation" in told[0].message
    assert cgroup.memory_limit() == 64 * MIB


# -- putting back -------------------------------------------------------------

def test_a_new_run_has_limits_of_its_own(engine, adjust):
    """What was kept of the run before is not put back into this one."""
    daemon = adjust("Restore true")
    ship, cgroup = limited(engine, "ship", env={"SWAP": "1"})
    wait_until(lambda: is_free(cgroup), "it is free")
    daemon.kill9()
    ship.restart()
    ship.update(Memory=48 * MIB, MemorySwap=48 * MIB)
    daemon.plugins["cgroup_adjust"] += '\nFromEnvironment false'
    daemon.start()
    wait_a_while(daemon)
    daemon.stop()
    assert kernel.Cgroup(ship.pid).memory_limit() == 48 * MIB


def test_nothing_is_set_while_originals_are_wanted(engine, adjust):
    daemon = adjust()
    os.makedirs(daemon.path("state/cgroup_adjust"), exist_ok=True)
    request = daemon.path("state/cgroup_adjust/restore")
    open(request, "w").close()
    daemon.wait_for_log("putting original limits back")
    _, late = limited(engine, "late", env={"SWAP": "1"})
    wait_a_while(daemon)
    wait_a_while(daemon)
    assert late.memory_limit() == 64 * MIB
    os.unlink(request)
    wait_until(lambda: is_free(late), "it is set now")


def test_what_is_kept_goes_with_the_container(engine, adjust):
    daemon = adjust()
    ship, cgroup = limited(engine, "ship", env={"SWAP": "1"})
    wait_until(lambda: is_free(cgroup), "it is free")

    def kept():
        return [name for _, _, names in os.walk(daemon.path("state"))
                for name in names if re.fullmatch("[0-9a-f]{64}", name)]
    assert kept() == [ship.id]
    ship.remove()
    daemon.restart()
    wait_until(lambda: not kept(), "nothing is kept")
