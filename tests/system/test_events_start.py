# SPDX-License-Identifier: MIT
"""What docker_events says at a start, the first and the next ones."""

from lives import expect_lives, lives
from process import wait_until


def events(collectd, engine, options=""):
    daemon = collectd()
    daemon.plugins["docker_events"] = f"""
        Endpoint "{engine.endpoint}"
        StateDir "{daemon.path('state')}"
        {options}"""
    return daemon


def test_nothing_is_repeated_after_a_restart(engine, collectd):
    engine.run("sleep", "1000", name="early")
    daemon = events(collectd, engine).start()
    wait_until(lambda: lives(daemon), "the scan")
    for _ in range(3):
        daemon.restart()
    expect_lives(engine, daemon, {"early": ["start"]})


def test_the_scan_can_be_left_out(engine, collectd):
    engine.run("sleep", "1000", name="early")
    daemon = events(collectd, engine, "ReportExisting false").start()
    daemon.wait_for_log("1 containers running")
    expect_lives(engine, daemon, {})


def test_selection_of_containers_types_and_actions(engine, collectd):
    daemon = events(collectd, engine, """
        Container "/^web/"
        EventType "container"
        IgnoreAction "/^exec_/" """).start()
    daemon.wait_for_log("0 containers running")
    web = engine.run("sleep", "1000", name="web1")
    engine.run("sleep", "1000", name="db")
    web.execute("true")
    web.kill()
    wait_until(lambda: "die" in lives(daemon).get("web1", []), "web1's end")
    told = {(found.type, found.plugin_instance, found.type_instance)
            for found in daemon.notifications()}
    assert told == {("container", "web1", action)
                    for action in ("create", "start", "kill", "die")}


def test_plugins_share_one_connection(engine, collectd):
    """One event stream per endpoint and process, however many want it."""
    daemon = events(collectd, engine)
    daemon.plugins["docker_stats"] = f'Endpoint "{engine.endpoint}"'
    daemon.start()
    daemon.wait_for_samples("docker/containers")
    readers = [thread for thread in daemon.threads()
               if thread == "tally-events"]
    assert len(readers) == 1, daemon.threads()
    engine.run("true", name="ship").wait()
    wait_until(lambda: "die" in lives(daemon).get("ship", []), "ship's end")
