# SPDX-License-Identifier: MIT
"""An endpoint that speaks nonsense: one warning, another attempt, bounded
memory; and nobody else notices."""

import hashlib
import itertools

import pytest

import kernel
from bracket import bracket, fresh_sample
from process import wait_until
from scripted_engine import ScriptedContainer, ScriptedEngine

WAYS = ["garbage", "half", "endless", "oversized", "hang", "error", "no-http"]
PATHS = ["/_ping", "/containers/json", "/containers/ID/json", "/events"]
# An event that does not come is no event.
CASES = [case for case in itertools.product(WAYS, PATHS)
         if case != ("hang", "/events")]


def case_name(way, path):
    return f"{way}{path}".replace("/", "-").strip("-")


class Liar(ScriptedEngine):
    """An Engine with one container, which goes wrong in one way."""

    def __init__(self, way, path):
        super().__init__()
        self.name = case_name(way, path)
        identifier = hashlib.sha256(self.name.encode()).hexdigest()
        self.ship = self.add(ScriptedContainer(id=identifier, name="ship"))
        self._path = path
        self.misbehave(path, way)

    @property
    def attempts(self):
        path = self._path.replace("ID", self.ship.id)
        return sum(count for request, count in self.requests.items()
                   if request.split()[1] == path)

    def say_something(self):
        """So that there is an event that can go wrong."""
        if self._path == "/events" and self.listeners:
            self.emit_container(self.ship.id, "top")


@pytest.fixture(scope="module")
def liars():
    found = {case: Liar(*case) for case in CASES}
    try:
        for liar in found.values():
            liar.start()
        yield found
    finally:
        for liar in found.values():
            liar.close()


@pytest.fixture(scope="module")
def honest(module_engine):
    container = module_engine.run("sh", "-c", "while :; do sleep 0.1; done",
                                  name="honest")
    return kernel.Cgroup(container.pid)


def watch(collectd, *endpoints):
    daemon = collectd()
    daemon.plugins = {
        "docker_stats": endpoints,
        "docker_events": [f'{endpoint}\nStateDir "{daemon.path("state")}"'
                          for endpoint in endpoints]}
    return daemon.start()


@pytest.fixture(scope="module")
def daemon(module_engine, honest, liars, module_collectd):
    """One collectd for all of them: each must be a world of its own."""
    return watch(
        module_collectd, f'Endpoint "{module_engine.endpoint}"',
        *(f'Endpoint "{liar.endpoint}"\nInstance "{liar.name}"'
          for liar in liars.values()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case_name(*case))
def test_one_warning_and_another_attempt(liars, daemon, case):
    liar = liars[case]

    def tried_again():
        liar.say_something()
        return liar.attempts >= 2
    wait_until(tried_again, "another attempt", timeout=30, step=0.2)
    warnings = [line for line in daemon.log().splitlines()
                if liar.socket in line and "[warning]" in line]
    assert len(warnings) == 1, warnings

    liar.behave()
    wait_until(lambda: liar.listeners, "a listener", timeout=30)
    daemon.wait_for_samples(f"docker-{liar.name}:ship/container_state",
                            timeout=30)
    liar.emit_container(liar.ship.id, "pause")
    wait_until(lambda: [told for told in daemon.notifications()
                        if told.plugin_instance == f"{liar.name}:ship"
                        and told.type_instance == "pause"],
               "an event after all that", timeout=30)


def test_the_honest_endpoint_is_none_the_worse(honest, daemon):
    identifier = "docker-honest/container_cpu"
    bracket(daemon, {identifier: lambda: {
        "usage": honest.cpu_usage_ns()}})[identifier].check()
    times = [sample.time for sample in daemon.samples(identifier)]
    # Not once was it late.
    assert max(b - a for a, b in zip(times, times[1:])) < 2 * daemon.interval


def test_split_into_single_bytes(collectd):
    """Slow is not wrong."""
    with ScriptedEngine() as engine:
        ship = engine.add(ScriptedContainer(id="d" * 64, name="ship"))
        for path in PATHS:
            engine.misbehave(path, "drip")
        daemon = watch(collectd, f'Endpoint "{engine.endpoint}"')
        daemon.wait_for_samples("docker-ship/container_state", timeout=20)
        wait_until(lambda: engine.listeners, "a listener")
        engine.emit_container(ship.id, "pause")
        wait_until(lambda: [told for told in daemon.notifications()
                            if told.type_instance == "pause"], "the event")
        assert "[warning] docker" not in daemon.log()


@pytest.mark.parametrize("path", PATHS[1:])
@pytest.mark.parametrize("way", ["endless", "oversized"])
def test_memory_is_bounded(collectd, way, path):
    """64 MiB and more are sent, again and again."""
    with Liar(way, path) as liar:
        daemon = watch(collectd, f'Endpoint "{liar.endpoint}"')
        fresh_sample(daemon, "tallyman-docker_stats/tallyman_daemon")

        def tried_again():
            liar.say_something()
            return liar.attempts >= 3
        wait_until(tried_again, "more attempts", timeout=30, step=0.1)
        assert daemon.peak_rss_bytes() < 48 << 20
