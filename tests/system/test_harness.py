# SPDX-License-Identifier: MIT
"""The real parts themselves: if these fail, no other result means anything."""

import time

import pytest

import kernel
from engine import Engine
from process import wait_until

STOCK_LOAD = 'LoadPlugin load'


def test_engine_runs_a_container_in_a_cgroup(engine):
    container = engine.run("sleep", "100", name="quay", env={"SWAP": "1"},
                           Memory=64 << 20, PidsLimit=50)
    cgroup = kernel.Cgroup(container.pid)
    assert container.id in cgroup.path("memory")
    assert cgroup.memory_limit() == 64 << 20
    assert cgroup.processes() == 1
    assert cgroup.cpu_usage_ns() > 0
    assert "eth0" in cgroup.network()
    assert "SWAP=1" in container.inspect()["Config"]["Env"]


def test_containers_reach_the_bridge(engine):
    container = engine.run("sleep", "100")
    before = kernel.Cgroup(container.pid).network()["eth0"]
    assert container.execute("ping", "-c", "2", engine.gateway) == 0
    after = kernel.Cgroup(container.pid).network()["eth0"]
    assert after["tx_packets"] >= before["tx_packets"] + 2


def test_kernel_counts_what_a_container_burns(engine):
    container = engine.run("sh", "-c", "while :; do :; done")
    cgroup = kernel.Cgroup(container.pid)
    start, before = time.monotonic(), cgroup.cpu_usage_ns()
    time.sleep(0.5)
    burnt = (cgroup.cpu_usage_ns() - before) / 1e9
    assert 0.05 < burnt <= (time.monotonic() - start) * 1.1


@pytest.mark.parametrize("live_restore", [False, True])
def test_restart_of_the_engine(engine, live_restore):
    engine.restart(live_restore)
    container = engine.run("sleep", "100")
    pid = container.pid
    engine.restart()
    assert (container.pid == pid) == live_restore


def test_killed_engine_comes_back(engine):
    engine.restart(live_restore=True)
    container = engine.run("sleep", "100")
    pid = container.pid
    engine.kill9()
    assert kernel.Cgroup(pid).processes() == 1
    engine.start(live_restore=True)
    assert container.pid == pid


def test_nothing_is_left_of_an_engine_that_was_killed():
    engine = Engine()
    try:
        engine.start()
        container = engine.run("sleep", "100")
        pid, cgroup = container.pid, kernel.Cgroup(container.pid)
        engine.kill9()
    finally:
        engine.close()
    with pytest.raises(FileNotFoundError):
        kernel.read(f"/proc/{pid}/cgroup")
    with pytest.raises(FileNotFoundError):
        cgroup.memory_usage()
    assert engine.directory not in kernel.read("/proc/self/mountinfo")


def test_stock_collectd_writes_and_answers(collectd):
    daemon = collectd(stock=STOCK_LOAD).start()
    daemon.wait_for_samples("load/load", count=2)
    assert set(daemon.samples("load/load")[0].values) == {
        "shortterm", "midterm", "longterm"}
    assert daemon.getval("load/load")["shortterm"] >= 0
    assert "node/load/load" in daemon.listval()
    assert 0 < daemon.rss_bytes() < 64 << 20
    daemon.restart()
    wait_until(lambda: daemon.samples("load/load")[-1].time > time.time() - 1,
               "a sample after the restart")


def test_stock_collectd_hands_out_notifications(collectd):
    daemon = collectd(stock=STOCK_LOAD + """
        LoadPlugin threshold
        <Plugin threshold>
          <Type load>
            FailureMin 1000
          </Type>
        </Plugin>""").start()
    seen = wait_until(daemon.notifications, "a notification")[0]
    assert (seen.severity, seen.host, seen.plugin) == ("FAILURE", "node", "load")
    assert "below the failure threshold" in seen.message


def test_stock_collectd_refuses_a_bad_configuration(collectd):
    status, output = collectd(stock="LoadPlugin no_such_plugin").check_config()
    assert status != 0
    assert "no_such_plugin" in output
