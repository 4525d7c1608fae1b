# SPDX-License-Identifier: MIT
"""Docker events as notifications: severity, sentence, meta data, counters."""

import pytest

from process import wait_until
from recorder import Recorder

MIB = 1 << 20


@pytest.fixture(scope="module")
def engine(module_engine):
    return module_engine


@pytest.fixture(scope="module")
def before(engine):
    """What is there when collectd starts for the first time."""
    early = engine.run("sleep", "1000", name="early", env={"PROCESS": "web"})
    engine.run("sh", "-c", "exit 5", name="past").wait()
    return early


@pytest.fixture(scope="module")
def daemon(engine, before, module_collectd):
    daemon = module_collectd()
    daemon.recorder = Recorder(daemon)
    daemon.plugins["docker_events"] = f"""
        Endpoint "{engine.endpoint}"
        StateDir "{daemon.path('state')}"
        MetaLabel "team" """
    daemon.start()
    daemon.recorder.wait_for(plugin_instance="early")
    return daemon


@pytest.fixture(scope="module")
def tell(daemon):
    """The notification of an action, as soon as it is there."""
    def tell(actor, action, kind="container"):
        return daemon.recorder.wait_for(
            plugin="docker", plugin_instance=actor, type=kind,
            type_instance=action)
    return tell


def actions(daemon, actor):
    """In the order in which they were told."""
    return [told.type_instance for told in daemon.notifications()
            if told.plugin_instance == actor]


# -- the scan at the start ------------------------------------------------------

@pytest.mark.sanitized
def test_running_containers_are_announced(before, daemon, tell):
    told = tell("early", "start")
    assert (told.severity, told.host) == ("OKAY", "node")
    assert told.message == f"Starting web process {before.id[:12]}"
    assert told.meta["origin"] == "scan"
    assert actions(daemon, "early") == ["start"]


def test_exited_containers_are_counted_and_not_announced(daemon):
    daemon.wait_for_log(r"1 containers running, 1 exited")
    assert actions(daemon, "past") == []


# -- a life -----------------------------------------------------------------------

def test_a_container_that_fails(engine, daemon, tell):
    fails = engine.run("sh", "-c", "exit 3", name="fails",
                       labels={"team": "blue", "other": "x"})
    told = tell("fails", "die")
    assert told.severity == "FAILURE"
    assert told.message == f"Dead process {fails.id[:12]} (exit code 3)"
    assert told.meta["container_id"] == fails.id
    assert told.meta["container_name"] == "fails"
    assert told.meta["container_image"] == fails.inspect()["Config"]["Image"]
    assert told.meta["exit_code"] == "3"
    assert told.meta["label:team"] == "blue"
    assert "label:other" not in told.meta
    assert told.meta["origin"] == "live"
    assert tell("fails", "create").message == (
        f"Starting process {fails.id[:12]}")
    assert tell("fails", "start").severity == "OKAY"
    life = [action for action in actions(daemon, "fails")
            if action in ("create", "start", "die")]
    assert life == ["create", "start", "die"]


def test_a_container_that_ends_well(engine, tell):
    engine.run("true", name="good")
    told = tell("good", "die")
    assert (told.severity, told.meta["exit_code"]) == ("OKAY", "0")


@pytest.mark.sanitized
def test_docker_stop_names_both_signals(engine, daemon, tell):
    """PID 1 ignores SIGTERM; SIGKILL follows. Asked for is not failed."""
    stopped = engine.run("sleep", "1000", name="stopped",
                         env={"PROCESS": "api"})
    stopped.stop(grace=1)
    short = stopped.id[:12]
    died = tell("stopped", "die")
    assert died.severity == "WARNING"
    assert died.message == f"Dead api process {short} (killed by SIGKILL)"
    assert died.meta["exit_code"] == "137"
    assert died.meta["signal"] == "SIGKILL"
    assert died.meta["stop_requested"] == "true"
    tell("stopped", "stop")
    killed = daemon.recorder.find(plugin_instance="stopped",
                                  type_instance="kill")
    assert {told.message for told in killed} == {
        f"Stopped api process {short} via SIGTERM",
        f"Stopped api process {short} via SIGKILL"}
    assert {told.meta["signal"] for told in killed} == {"SIGTERM", "SIGKILL"}


def test_any_signal_has_its_name(engine, tell):
    hears = engine.run("sh", "-c", "trap 'exit 0' HUP; while :; do sleep 0.1; "
                       "done", name="hears")
    hears.kill("HUP")
    told = tell("hears", "kill")
    assert told.message == f"Stopped process {hears.id[:12]} via SIGHUP"
    assert told.severity == "OKAY"
    assert tell("hears", "die").severity == "OKAY"


@pytest.mark.sanitized
def test_out_of_memory(engine, tell):
    starved = engine.run_out_of_memory("starved", 16 * MIB)
    told = tell("starved", "oom")
    assert told.severity == "FAILURE"
    assert told.message == f"Stopped process {starved.id[:12]} due to OOM"
    died = tell("starved", "die")
    assert died.severity == "FAILURE"
    assert died.meta["oom"] == "true"
    assert died.meta["exit_code"] == "137"
    assert "out of memory" in died.message


def test_health(engine, tell):
    patient = engine.run(
        "sh", "-c", "sleep 1; touch /well; sleep 1000", name="patient",
        settings={"Healthcheck": {
            "Test": ["CMD-SHELL", "test -e /well"], "Retries": 1,
            "Interval": 300_000_000, "Timeout": 10**10}})
    told = tell("patient", "health_status_unhealthy")
    assert told.severity == "FAILURE"
    assert "unhealthy" in told.message
    assert tell("patient", "health_status_healthy").severity == "OKAY"
    patient.remove()  # each check is three events


def test_the_rest_of_a_life(engine, daemon, tell):
    busy = engine.run("sleep", "1000", name="busy")
    busy.pause()
    busy.unpause()
    busy.execute("sh", "-c", "exit 4")
    busy.update(PidsLimit=100)
    busy.rename("busier")
    busy.remove()
    told = tell("busy", "exec_die")
    assert told.meta["exit_code"] == "4"
    # The command is not part of the name, but not lost either.
    assert tell("busy", "exec_create").meta["action"].startswith(
        "exec_create: sh -c exit 4")
    assert "from busy to busier" in tell("busier", "rename").message
    tell("busier", "destroy")
    wanted = ["create", "start", "pause", "unpause", "exec_create",
              "exec_start", "exec_die", "update"]
    assert [action for action in actions(daemon, "busy")
            if action in wanted] == wanted


# -- other types --------------------------------------------------------------------

def test_networks(engine, tell):
    canal = engine.api("POST", "/networks/create", {"Name": "canal"})["Id"]
    told = tell("canal", "create", "network")
    assert (told.severity, told.meta["actor_id"]) == ("OKAY", canal)
    ship = engine.run("true", name="on-canal", NetworkMode="canal")
    told = tell("canal", "connect", "network")
    assert told.meta["container_id"] == ship.id
    assert ship.id[:12] in told.message
    tell("canal", "disconnect", "network")
    ship.remove()
    engine.api("DELETE", "/networks/canal")
    tell("canal", "destroy", "network")


def test_volumes(engine, tell):
    engine.api("POST", "/volumes/create", {"Name": "hold"})
    tell("hold", "create", "volume")
    ship = engine.run("true", name="with-hold", Binds=["hold:/hold"])
    told = tell("hold", "mount", "volume")
    assert told.meta["container_id"] == ship.id
    tell("hold", "unmount", "volume")
    ship.remove()
    engine.api("DELETE", "/volumes/hold")
    tell("hold", "destroy", "volume")


def test_images(engine, daemon, tell):
    engine.api("POST", "/images/busybox:latest/tag?repo=cargo&tag=7")
    told = tell("cargo:7", "tag", "image")
    assert told.message == "Image cargo:7 tagged"
    engine.api("DELETE", "/images/cargo:7")
    # The Engine names only the digest: its first twelve digits are shown.
    digest = told.meta["actor_id"].split(":")[-1]
    untagged = daemon.recorder.wait_for(type="image", type_instance="untag")
    assert untagged.plugin_instance.split(":")[-1] == digest[:12]


# -- counters -----------------------------------------------------------------------

def test_counters_are_what_was_told(engine, daemon, tell):
    """The scan is told, but has not happened now."""
    engine.run("true", name="counted")
    tell("counted", "die")

    def told():
        happened = {}
        for event in daemon.recorder.all():
            if event.plugin == "docker" and event.meta["origin"] != "scan":
                key = (f"docker_events-{event.type}/"
                       f"total_events-{event.type_instance}")
                happened[key] = happened.get(key, 0) + 1
        return happened

    def counted():
        return {key: daemon.samples(key)[-1]["value"]
                for key in daemon.identifiers() if "/total_events-" in key}
    wait_until(lambda: counted() == told(), "counters that agree")
    assert counted()["docker_events-container/total_events-die"] >= 1
