# SPDX-License-Identifier: MIT
"""What an audit tells about a limit, and whose limits are never touched."""

import pytest

import kernel
from process import wait_until
from recorder import Recorder
from scripted_engine import ScriptedContainer, ScriptedEngine

MIB = 1 << 20
FILE, UNLIMITED = (("memory.max", "max") if kernel.is_unified() else
                   ("memory.limit_in_bytes", "18446744073709551615"))


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
    container = engine.run("sleep", "1000", name=name, Memory=64 * MIB,
                           MemorySwap=128 * MIB, **how)
    return container, kernel.Cgroup(container.pid)


@pytest.mark.parametrize("options", ["", "DryRun true"])
def test_old_and_new_are_in_the_meta_data(engine, adjust, options):
    container, cgroup = limited(engine, "web", env={"SWAP": "1"})
    daemon = adjust(options)
    told = daemon.recorder.wait_for(plugin="cgroup_adjust",
                                    plugin_instance="web", type_instance=FILE)
    dry = bool(options)
    assert told.severity == "OKAY"
    after = cgroup.read("memory", FILE).strip()
    assert cgroup.memory_limit() == (64 * MIB if dry else None)
    assert told.meta == {
        "container_id": container.id, "container_name": "web",
        "container_image": "busybox", "method": "cgroup",
        "dry_run": str(dry).lower(), "restoring": "false",
        "source": "environment", "limit": "memory.max", "file": FILE,
        "before": str(64 * MIB), "wanted": UNLIMITED, "after": after,
        "errno": "0"}


def test_sizes_that_are_none(engine, adjust):
    """Reported with key and value, and nothing is changed."""
    wrong = ["yes", "-1", "12q", "1e3", "9999999t"]
    cgroups = [limited(engine, f"odd{number}", env={"SWAP": value},
                       NetworkMode="none")[1]
               for number, value in enumerate(wrong)]
    daemon = adjust()
    for number, value in enumerate(wrong):
        told = daemon.recorder.wait_for(plugin_instance=f"odd{number}")
        assert told.severity == "WARNING"
        assert (told.meta["key"], told.meta["value"]) == ("SWAP", value)
        assert value in told.message
    for cgroup in cgroups:
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
