# SPDX-License-Identifier: MIT
"""No event is lost and none is told twice, whatever restarts."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from lives import LIFE, expect_lives, lives
from process import wait_until

# The daemon remembers so many events for whoever comes late.
RING = 256


@pytest.fixture
def watch(engine, collectd):
    """A collectd that tells events, and keeps its state with its files."""
    daemon = collectd()
    daemon.plugins = {
        "docker_events": f"""
            Endpoint "{engine.endpoint}"
            StateDir "{daemon.path('state')}" """,
        "docker_stats": f'Endpoint "{engine.endpoint}"'}
    daemon.start()
    # What was before the first connection is not its business.
    wait_until(lambda: any(told["reachable"] for told in daemon.samples(
        "tallyman-docker_stats/tallyman_daemon")), "it is connected")
    return daemon


@contextmanager
def traffic(engine):
    """Containers come and go until the end of the block. Gives the list of
    their names, which grows as they have started."""
    names, stop, problems = [], threading.Event(), []

    def run():
        try:
            while not stop.is_set():
                name = f"ship{len(names)}"
                engine.run("sleep", "0.2", name=name, NetworkMode="none")
                names.append(name)
        except Exception as error:
            problems.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield names
    finally:
        stop.set()
        thread.join()
    assert not problems, problems


def wait_for_more(things, what, more=3):
    wanted = len(things()) + more
    wait_until(lambda: len(things()) >= wanted, what, timeout=20)


@pytest.mark.timeout(240)
def test_two_hundred_containers_of_one_second(engine, watch):
    names = [f"ship{number}" for number in range(200)]

    def voyage(name):
        return engine.run("sleep", "1", name=name, NetworkMode="none")

    with ThreadPoolExecutor(6) as pool:
        ships = list(pool.map(voyage, names))
    for ship in ships:
        ship.wait()
    expect_lives(engine, watch, dict.fromkeys(names, LIFE), timeout=30)

    def counted(action):
        values = watch.samples(f"docker_events-container/total_events-{action}")
        return values[-1]["value"] if values else 0
    for action in LIFE:
        wait_until(lambda: counted(action) == 201, f"201 × {action}")

    # An interval is as long as such a life: none may fall between two.
    wait_until(lambda: all(watch.samples(f"docker-{name}/container_cpu")
                           for name in names), "a sample of each")


@pytest.mark.parametrize("end", ["stop", "kill9"])
def test_restart_of_collectd(engine, watch, end):
    engine.run("sleep", "1000", name="stays")
    with traffic(engine) as names:
        for _ in range(2):
            wait_for_more(lambda: lives(watch), "lives told")
            getattr(watch, end)()
            wait_for_more(lambda: names, "containers without a witness")
            watch.start()
        wait_for_more(lambda: lives(watch), "lives told")
    expect_lives(engine, watch, {"stays": ["create", "start"],
                                 **dict.fromkeys(names, LIFE)})


def test_what_the_daemon_forgot_is_made_up_from_inspect(engine, watch):
    engine.run("sleep", "1000", name="stays")
    ends = engine.run("sleep", "1000", name="ends")
    wait_until(lambda: len(lives(watch)) == 2, "both lives")
    watch.stop()
    ends.kill()
    engine.run("sleep", "1000", name="new")
    engine.run("sh", "-c", "exit 3", name="short").wait()
    noise = engine.create("true", name="noise")
    for number in range(RING + 50):
        noise.rename(f"noise{number}")
    watch.start()
    expect_lives(engine, watch, {
        "stays": ["create", "start"], "ends": LIFE, "short": LIFE,
        "new": ["create", "start"], f"noise{number}": ["create"]})


@pytest.mark.sanitized
def test_killed_engine_with_live_restore(engine, watch):
    engine.restart(live_restore=True)
    engine.run("sleep", "1000", name="stays")
    ends = engine.run("sleep", "1000", name="ends")
    orphan = ends.pid
    engine.kill9()
    os.kill(orphan, signal.SIGKILL)
    engine.start(live_restore=True)
    wait_until(lambda: not ends.inspect()["State"]["Running"],
               "the engine knows of the end")
    engine.run("sh", "-c", "exit 3", name="new").wait()
    expect_lives(engine, watch, {"stays": ["create", "start"], "ends": LIFE,
                                 "new": LIFE})


@pytest.mark.parametrize("end", ["stop", "kill9"])
def test_restarted_engine_without_live_restore(engine, watch, end):
    """Its containers end with it, or when it comes back and finds them."""
    engine.run("sleep", "1000", name="ends")
    engine.run("sleep", "1000", name="always",
               RestartPolicy={"Name": "always"})
    wait_until(lambda: lives(watch).get("always") == ["create", "start"],
               "both lives")
    getattr(engine, end)()
    engine.start()
    wait_until(lambda: lives(watch).get("always") == LIFE + ["start"],
               "the restart of always")
    expect_lives(engine, watch, {"ends": LIFE, "always": LIFE + ["start"]})


def test_both_killed_at_once(engine, watch):
    engine.restart(live_restore=True)
    engine.run("sleep", "1000", name="stays")
    ends = engine.run("sleep", "1000", name="ends")
    orphan = ends.pid
    wait_until(lambda: len(lives(watch)) == 2, "both lives")
    watch.kill9()
    engine.kill9()
    os.kill(orphan, signal.SIGKILL)
    watch.start()  # finds no engine at first
    engine.start(live_restore=True)
    expect_lives(engine, watch, {"stays": ["create", "start"], "ends": LIFE})
