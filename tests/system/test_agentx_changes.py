# SPDX-License-Identifier: MIT
"""Tables while containers, networks and the Engine come and go."""

import pytest

from process import wait_until
from test_agentx_numbers import (containers, number, open_to_all,
                                 start_subagent, wait_for_fresh_view)

pytestmark = pytest.mark.sanitized


def oid_of(master, name, column="tallyContainerId"):
    """The identifier of a container's cell, whatever its value."""
    index = ".".join(str(n) for n in [len(name), *name.encode()])
    return next((oid for oid in master.walk(column)
                 if oid.endswith(f".{index}")), None)


def test_a_new_container_of_the_name_keeps_the_index(engine, snmpd, subagent):
    first = engine.run("sleep", "1000", name="web")
    master, _ = start_subagent(engine, snmpd, subagent)
    oid = wait_until(lambda: oid_of(master, "web"), "the row")
    assert master.get(oid) == first.id
    first.remove()
    second = engine.run("sleep", "1000", name="web")
    wait_until(lambda: master.get(oid) == second.id, "the new container")


def test_rows_follow_the_life_of_a_container(engine, snmpd, subagent):
    master, _ = start_subagent(engine, snmpd, subagent, "interval 60")
    container = engine.create("sh", "-c", "exit 3", name="short")
    # Docker's news bring a view, not the interval.
    wait_until(lambda: containers(master).get("short", {}).get(
        "tallyContainerState") == "created", "created", timeout=5)
    container.start()
    assert container.wait() == 3
    wait_until(lambda: containers(master)["short"][
        "tallyContainerState"] == "exited", "exited", timeout=5)
    row = containers(master)["short"]
    assert number(row, "ExitCode") == 3
    assert number(row, "CpuTime") is None
    container.remove()
    wait_until(lambda: "short" not in containers(master), "gone", timeout=5)


def test_counters_outlive_an_interface(engine, snmpd, subagent):
    network = engine.api("POST", "/networks/create", {"Name": "second"})["Id"]
    try:
        web = engine.run("sleep", "1000", name="web")
        join = {"Container": web.id}
        engine.api("POST", f"/networks/{network}/connect", join)
        master, _ = start_subagent(engine, snmpd, subagent)

        def traffic():
            row = containers(master).get("web", {})
            return number(row, "TxBytes") if row else None

        def interfaces():
            return [row["tallyContainerIfName"]
                    for row in master.table("tallyContainerIfTable")]
        wait_until(lambda: interfaces() == ["eth0", "eth1"], "two interfaces")
        # Nobody answers there, but a question is traffic.
        web.execute("arping", "-c", "1", "-w", "1", "-I", "eth1", "10.255.1.1")
        web.execute("ping", "-c", "1", "-W", "1", engine.gateway)
        wait_for_fresh_view(master)
        before = traffic()
        assert before > 0
        seen = [before]
        for _ in range(2):
            engine.api("POST", f"/networks/{network}/disconnect",
                       {**join, "Force": True})
            wait_until(lambda: interfaces() == ["eth0"], "one interface")
            seen.append(traffic())
            engine.api("POST", f"/networks/{network}/connect", join)
            wait_until(lambda: len(interfaces()) == 2, "two interfaces again")
            seen.append(traffic())
        assert seen == sorted(seen)
        web.remove()
    finally:
        engine.api("DELETE", f"/networks/{network}")


def test_numbers_go_on_without_the_engine(engine, snmpd, subagent):
    engine.restart(live_restore=True)
    engine.run("sh", "-c", "while :; do :; done", name="busy")
    master, agent = start_subagent(engine, snmpd, subagent)
    wait_until(lambda: "busy" in containers(master), "the row")
    wait_for_fresh_view(master)
    before = number(containers(master)["busy"], "CpuTime")
    engine.kill9()
    wait_until(lambda: master.get("tallyDockerReachable.0") == "false",
               "Docker is lost")
    assert master.get("tallyDockerProblem.0")
    wait_for_fresh_view(master)
    between = number(containers(master)["busy"], "CpuTime")
    assert between > before
    engine.start(live_restore=True)
    open_to_all(engine)
    wait_until(lambda: master.get("tallyDockerReachable.0") == "true",
               "Docker is back", timeout=30)
    assert master.get("tallyDockerProblem.0") == ""
    wait_for_fresh_view(master)
    row = containers(master)["busy"]
    assert row["tallyContainerState"] == "running"
    assert number(row, "CpuTime") > between
    agent.stop()


def test_another_filter_after_sighup(engine, snmpd, subagent):
    engine.run("sleep", "1000", name="web")
    engine.run("sleep", "1000", name="db")
    master, agent = start_subagent(engine, snmpd, subagent)
    wait_until(lambda: set(containers(master)) == {"web", "db"}, "both")
    agent.reload(agent.config + "\ncontainerName db\n")
    wait_until(lambda: set(containers(master)) == {"db"}, "one of them")
    assert int(master.get("tallyContainersRunning.0")) == 2
