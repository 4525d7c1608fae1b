# SPDX-License-Identifier: MIT
"""What Docker says of a container, as numbers: state, health, exit code,
restarts, uptime, limits; and how many containers are in which state."""

import math
import time
from datetime import datetime

import pytest

from bracket import fresh_sample
from process import PATIENCE, wait_until

pytestmark = pytest.mark.sanitized

# lib/docker/docker.h
CREATED, RUNNING, PAUSED, RESTARTING, REMOVING, EXITED, DEAD = range(1, 8)
NO_HEALTH, STARTING, HEALTHY, UNHEALTHY = range(4)

MIB = 1 << 20


def health_check(command):
    return {"Healthcheck": {"Test": ["CMD-SHELL", command], "Retries": 1,
                            "Interval": int(PATIENCE * 10**9),
                            "Timeout": 10**10}}


@pytest.fixture(scope="module")
def containers(module_engine):
    run = module_engine.run
    found = {
        "plain": run("sleep", "1000", name="plain", Memory=64 * MIB),
        "sick": run("sleep", "1000", name="sick",
                    settings=health_check("exit 1")),
        "well": run("sleep", "1000", name="well",
                    settings=health_check("exit 0")),
        "frozen": run("sleep", "1000", name="frozen"),
        "ended": run("sh", "-c", "exit 7", name="ended", RestartPolicy={
            "Name": "on-failure", "MaximumRetryCount": 2}),
        "made": module_engine.create("sleep", "1000", name="made"),
    }
    found["frozen"].pause()

    def settled():
        state = found["ended"].inspect()
        return (state["RestartCount"] == 2
                and state["State"]["Status"] == "exited"
                and health_of("sick") == "unhealthy"
                and health_of("well") == "healthy")

    def health_of(name):
        return found[name].inspect()["State"]["Health"]["Status"]
    wait_until(settled, "the containers are in their states", timeout=30)
    return found


@pytest.fixture(scope="module")
def daemon(containers, module_engine, module_collectd):
    daemon = module_collectd(
        docker_stats=f'Endpoint "{module_engine.endpoint}"').start()
    for name in containers:
        daemon.wait_for_samples(f"docker-{name}/container_state")
    return daemon


def state_of(daemon, name):
    return daemon.samples(f"docker-{name}/container_state")[-1]


@pytest.mark.parametrize("name, state, health", [
    ("plain", RUNNING, NO_HEALTH), ("sick", RUNNING, UNHEALTHY),
    ("well", RUNNING, HEALTHY), ("frozen", PAUSED, NO_HEALTH),
    ("ended", EXITED, NO_HEALTH), ("made", CREATED, NO_HEALTH)])
def test_state_and_health(daemon, name, state, health):
    sample = state_of(daemon, name)
    assert (sample["state"], sample["health"]) == (state, health)


def test_exit_code_and_restarts(daemon):
    ended = state_of(daemon, "ended")
    assert (ended["exit_code"], ended["restarts"]) == (7, 2)
    assert state_of(daemon, "plain")["restarts"] == 0
    # Who has not ended has no exit code yet.
    assert math.isnan(state_of(daemon, "plain")["exit_code"])


def test_uptime(containers, daemon):
    started = containers["plain"].inspect()["State"]["StartedAt"]
    started = datetime.fromisoformat(started[:26] + "+00:00").timestamp()
    sample = fresh_sample(daemon, "docker-plain/container_state")
    assert sample["uptime"] == pytest.approx(sample.time - started, abs=0.1)
    assert sample["uptime"] <= time.time() - started
    assert math.isnan(state_of(daemon, "made")["uptime"])


def test_a_container_that_does_not_run_has_no_usage(daemon):
    for name in ("made", "ended"):
        assert [found for found in daemon.identifiers()
                if found.startswith(f"docker-{name}/")] == [
                    f"docker-{name}/container_state"]


def test_containers_per_state(containers, daemon):
    sample = fresh_sample(daemon, "docker/containers")
    assert sample.values == {"running": 3, "paused": 1, "exited": 1,
                             "created": 1, "restarting": 0, "dead": 0,
                             "removing": 0, "unhealthy": 1}


def test_a_limit_that_docker_changes_is_seen(containers, daemon):
    assert daemon.samples("docker-plain/container_memory")[-1][
        "limit"] == 64 * MIB
    containers["plain"].update(Memory=128 * MIB, MemorySwap=256 * MIB,
                               NanoCpus=250_000_000)
    wait_until(lambda: daemon.samples("docker-plain/container_memory")[-1][
        "limit"] == 128 * MIB, "the new limit of memory", timeout=5)
    wait_until(lambda: daemon.samples("docker-plain/container_cpu")[-1][
        "limit"] == 0.25, "the new limit of CPU", timeout=5)


def test_a_state_that_changes_is_seen(containers, daemon):
    containers["frozen"].unpause()
    wait_until(lambda: state_of(daemon, "frozen")["state"] == RUNNING,
               "frozen runs again", timeout=5)
    containers["frozen"].kill()
    wait_until(lambda: state_of(daemon, "frozen")["state"] == EXITED,
               "frozen has ended", timeout=5)
    assert state_of(daemon, "frozen")["exit_code"] == 137
