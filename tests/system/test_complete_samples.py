# SPDX-License-Identifier: MIT
"""No container without numbers, and no gap in them while Docker is away."""

import time

import kernel
from bracket import bracket, fresh_sample
from process import wait_until

_BURN = "while :; do :; done"


def stats(collectd, engine, **how):
    return collectd(
        docker_stats=f'Endpoint "{engine.endpoint}"', **how).start()


def test_a_life_of_200_ms_leaves_numbers(engine, collectd):
    """Intervals are 15 times as long as such a life."""
    daemon = stats(collectd, engine, interval=3)
    daemon.wait_for_samples("docker/containers")
    names = [f"mayfly{number}" for number in range(5)]
    for name in names:
        # Not as PID 1, which would not hear the signal.
        engine.run("sh", "-c", f"timeout 0.2 sh -c '{_BURN}'; exit 0",
                   name=name).wait()
    for name in names:
        cpu = daemon.wait_for_samples(f"docker-{name}/container_cpu")[-1]
        assert cpu["usage"] > 0
        memory = daemon.samples(f"docker-{name}/container_memory")[-1]
        assert memory["usage"] > 0
        assert daemon.samples(f"docker-{name}/if_octets-eth0")


def test_the_last_sample_is_told_once(engine, collectd):
    daemon = stats(collectd, engine)
    container = engine.run("sh", "-c", _BURN, name="ends")
    daemon.wait_for_samples("docker-ends/container_cpu", count=2)
    before = kernel.Cgroup(container.pid).cpu_usage_ns()
    container.kill()
    container.wait()
    ended = time.time()
    # Two rounds later nothing more may come.
    for _ in range(2):
        fresh_sample(daemon, "docker/containers")
    found = daemon.samples("docker-ends/container_cpu")
    # At most an interval old: that much a core can do in the meantime.
    assert found[-1]["usage"] >= before - 1.5e9 * daemon.interval
    assert len([sample for sample in found if sample.time > ended]) <= 1
    usages = [sample["usage"] for sample in found]
    assert usages == sorted(usages)


def test_sampling_goes_on_while_the_engine_is_dead(engine, collectd):
    engine.restart(live_restore=True)
    container = engine.run("sh", "-c", _BURN, name="burner",
                           NanoCpus=200_000_000)
    cgroup = kernel.Cgroup(container.pid)
    daemon = stats(collectd, engine)
    daemon.wait_for_samples("docker-burner/container_cpu")
    assert daemon.samples("tallyman-docker_stats/tallyman_daemon")[-1][
        "reachable"] == 1

    def truth():
        return {"usage": cgroup.cpu_usage_ns()}
    engine.kill9()
    for _ in range(2):
        reading = bracket(daemon, {"docker-burner/container_cpu": truth})
        reading["docker-burner/container_cpu"].check()
        assert reading["docker-burner/container_cpu"].sample["percent"] > 0
    wait_until(lambda: daemon.samples("tallyman-docker_stats/tallyman_daemon")
               [-1]["reachable"] == 0, "the engine is known to be away")

    engine.start(live_restore=True)
    wait_until(lambda: daemon.samples("tallyman-docker_stats/tallyman_daemon")
               [-1]["reachable"] == 1, "the engine is known to be back")
    engine.run("sleep", "1000", name="new")
    daemon.wait_for_samples("docker-new/container_cpu")
    bracket(daemon, {"docker-burner/container_cpu": truth})[
        "docker-burner/container_cpu"].check()


def test_nothing_starts_over_when_the_engine_restarts(engine, collectd):
    """Counters of a container that lives on grow on, and its percentage does
    not jump."""
    engine.restart(live_restore=True)
    engine.run("sh", "-c", _BURN, name="burner", NanoCpus=200_000_000)
    daemon = stats(collectd, engine)
    daemon.wait_for_samples("docker-burner/container_cpu", count=2)
    engine.restart()
    for _ in range(2):
        fresh_sample(daemon, "docker-burner/container_cpu")
    found = daemon.samples("docker-burner/container_cpu")
    usages = [sample["usage"] for sample in found]
    assert usages == sorted(usages)
    gaps = [later.time - earlier.time
            for earlier, later in zip(found, found[1:])]
    assert max(gaps) < 3 * daemon.interval
    assert all(sample["percent"] < 60 for sample in found[1:])


def test_collectd_comes_before_docker(engine, collectd):
    engine.stop()
    daemon = stats(collectd, engine)
    fresh_sample(daemon, "tallyman-docker_stats/tallyman_daemon")
    engine.start()
    engine.run("sleep", "1000", name="late")
    daemon.wait_for_samples("docker-late/container_cpu")
