# SPDX-License-Identifier: MIT
"""An endpoint that speaks nonsense: one warning, another attempt, bounded
memory; and nobody else notices."""

import hashlib
import itertools
from typing import NamedTuple

import pytest

import kernel
from bracket import bracket, fresh_sample
from process import TimedOut, wait_until
from scripted_engine import ScriptedContainer, ScriptedEngine

WAYS = ["garbage", "half", "endless", "oversized", "hang", "error", "no-http"]
PATHS = ["/_ping", "/containers/json", "/containers/ID/json", "/events"]
# An event that does not come is no event; nobody reads what a ping says.
HARMLESS = [("hang", "/events"), ("garbage", "/_ping")]
CASES = [case for case in itertools.product(WAYS, PATHS)
         if case not in HARMLESS]

# "oversized" sends 64 MiB; an answer may have 16.
RSS_LIMIT = 48 << 20


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


HUNGRY = list(itertools.product(["endless", "oversized"], PATHS[1:]))


@pytest.fixture(scope="module")
def fed(module_collectd):
    """{case: (liar, the collectd that he feeds, and nobody else)}"""
    liars = {case: Liar(*case) for case in HUNGRY}
    try:
        yield {case: (liar.start(), watch(module_collectd,
                                          f'Endpoint "{liar.endpoint}"'))
               for case, liar in liars.items()}
    finally:
        for liar in liars.values():
            liar.close()


def warnings_about(daemon, liar):
    return [line for line in daemon.log().splitlines()
            if liar.socket in line and "[warning]" in line]


def has_told(daemon, liar, action):
    return any((told.plugin_instance, told.type_instance)
               == (f"{liar.name}:ship", action)
               for told in daemon.notifications())


def as_many_as_possible(check, things, timeout):
    """Until it is true of all of them; the set of those that it is true of."""
    done = set()

    def look():
        done.update(thing for thing in set(things) - done if check(thing))
        return len(done) == len(things)
    try:
        wait_until(look, "all", timeout, step=0.1)
    except TimedOut:
        pass
    return done


class Siege(NamedTuple):
    asked_again: set  # whom, though he lied
    warnings: dict    # liar → log lines about him
    forgiven: set     # whose events came when he had come to his senses


@pytest.fixture(scope="module")
def siege(liars, daemon, fed):
    """All of them lie at the same time; then all are restarted, honest."""
    def asked_again(liar):
        liar.say_something()
        return liar.attempts >= 2 and warnings_about(daemon, liar)

    def forgiven(liar):
        # There is no telling when he is listened to again.
        if liar.listeners:
            liar.emit_container(liar.ship.id, "pause")
        return (has_told(daemon, liar, "pause") and daemon.samples(
            f"docker-{liar.name}:ship/container_state"))

    everybody = liars.values()
    asked = as_many_as_possible(asked_again, everybody, timeout=45)
    warnings = {liar: warnings_about(daemon, liar) for liar in everybody}
    for liar in everybody:
        liar.disconnect()
        liar.behave()
        liar.start_again()
    return Siege(asked, warnings,
                 as_many_as_possible(forgiven, everybody, timeout=30))


@pytest.mark.timeout(120)  # the set-up is the siege
@pytest.mark.parametrize("case", CASES, ids=lambda case: case_name(*case))
def test_one_warning_and_another_attempt(liars, siege, case):
    liar = liars[case]
    assert len(siege.warnings[liar]) == 1, siege.warnings[liar]
    assert liar in siege.asked_again, liar.attempts
    assert liar in siege.forgiven


def test_the_honest_endpoint_is_none_the_worse(honest, daemon, siege):
    identifier = "docker-honest/container_cpu"
    bracket(daemon, {identifier: lambda: {
        "usage": honest.cpu_usage_ns()}})[identifier].check()
    # The first reads wait a moment for each Engine.
    times = [sample.time for sample in daemon.samples(identifier)]
    times = [time for time in times if time > times[0] + 10]
    assert len(times) > 10
    assert max(b - a for a, b in zip(times, times[1:])) < 3 * daemon.interval


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


@pytest.mark.timeout(90)
@pytest.mark.parametrize("case", HUNGRY, ids=lambda case: case_name(*case))
def test_memory_is_bounded(fed, case):
    """64 MiB and more are sent, again and again."""
    liar, daemon = fed[case]

    def asked_again():
        liar.say_something()
        return liar.attempts >= 3
    wait_until(asked_again, "more attempts", timeout=60, step=0.1)
    fresh_sample(daemon, "tallyman-docker_stats/tallyman_daemon")
    assert daemon.peak_rss_bytes() < RSS_LIMIT
