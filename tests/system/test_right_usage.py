# SPDX-License-Identifier: MIT
"""What containers use: every number equals the kernel's own, read around the
same moment, and `docker stats` within its rounding."""

import os
from functools import partial

import pytest

import quay as work
from bracket import bracket, fresh_sample

pytestmark = pytest.mark.vm


@pytest.fixture(scope="module")
def daemon(quay, module_collectd):
    daemon = module_collectd(docker_stats=f"""
        Endpoint "{quay.engine.endpoint}"
        TcpConnections true""").start()
    # Percentages need two samples, and young containers have odd intervals.
    daemon.wait_for_samples("docker-sender/container_cpu", count=3)
    return daemon


@pytest.fixture(scope="module")
def readings(quay, daemon):
    """One round for all tests of this file."""
    disk = quay.disk_name
    truths = {}
    for name in quay.containers:
        here = f"docker-{name}"
        truths[f"{here}/container_cpu"] = partial(quay.cpu, name)
        truths[f"{here}/container_memory"] = partial(quay.memory, name)
        truths[f"{here}/container_state"] = partial(quay.tasks, name)
        truths[f"{here}/container_tcp"] = partial(quay.tcp, name)
        if quay.cgroups[name].pressure_total_us("cpu"):
            truths[f"{here}/container_pressure"] = partial(quay.pressure, name)
        for what in ("octets", "packets", "errors", "dropped"):
            truths[f"{here}/if_{what}-eth0"] = partial(
                quay.network, name, what)
    truths["docker-burner/container_throttling"] = partial(
        quay.throttling, "burner")
    truths[f"docker-writer/disk_octets-{disk}"] = partial(
        quay.disk, "writer", "bytes")
    truths[f"docker-writer/disk_ops-{disk}"] = partial(
        quay.disk, "writer", "operations")
    return bracket(daemon, truths)


def each(quay, readings, type_name):
    return [readings[f"docker-{name}/{type_name}"]
            for name in quay.containers]


def latest(daemon, identifier, count=1):
    return daemon.wait_for_samples(identifier, count)[-count:]


# -- CPU ---------------------------------------------------------------------

def test_cpu_time_is_the_kernels(quay, readings):
    for reading in each(quay, readings, "container_cpu"):
        reading.check("usage", "user", "system")
    assert readings["docker-burner/container_cpu"].sample["usage"] > 100e6


def test_percent_is_what_the_counter_grew(daemon):
    earlier, later = latest(daemon, "docker-burner/container_cpu", 2)
    seconds = later.time - earlier.time
    cores = (later["usage"] - earlier["usage"]) / 1e9 / seconds
    # Both times are rounded to a millisecond, and the sampler may have to wait
    # for a CPU between the clock and the file: other stages compute meanwhile.
    assert later["percent"] == pytest.approx(cores * 100, rel=0.002 / seconds
                                             + 0.03)
    assert later["percent"] > 10
    assert later["limit"] == 0.5
    assert later["percent_of_limit"] == pytest.approx(later["percent"] / 0.5)


def test_cpu_limit_is_the_cpuset_or_the_host(daemon):
    eater = latest(daemon, "docker-eater/container_cpu")[0]
    assert eater["limit"] == 1
    forker = latest(daemon, "docker-forker/container_cpu")[0]
    assert forker["limit"] == os.cpu_count()


def test_throttling_is_the_kernels(daemon, readings):
    reading = readings["docker-burner/container_throttling"]
    reading.check()
    assert reading.sample["throttled"] > 0
    assert reading.sample["throttled_time"] > 0
    # Only who has a quota can be throttled.
    assert "docker-eater/container_throttling" not in daemon.identifiers()


def test_load_is_the_number_of_runnable_tasks(daemon):
    load = latest(daemon, "docker-burner/load")[0]
    for term in ("shortterm", "midterm", "longterm"):
        assert load[term] == pytest.approx(3, abs=0.2)
    idle = latest(daemon, "docker-forker/load")[0]
    assert idle["shortterm"] < 0.2


# -- memory ------------------------------------------------------------------

def test_memory_is_the_kernels(readings):
    reading = readings["docker-eater/container_memory"]
    reading.check()
    assert reading.sample["anon"] >= work.EATEN
    assert reading.sample["shmem"] >= work.SHARED
    # at least one for each huge page
    assert reading.sample["page_faults"] >= work.EATEN / (2 * work.MIB)


def test_memory_counters_of_everybody_are_the_kernels(quay, readings):
    for reading in each(quay, readings, "container_memory"):
        reading.check("page_faults", "major_page_faults", "limit_hits",
                      "oom_kills")


def test_memory_limits_and_percent(daemon):
    eater = latest(daemon, "docker-eater/container_memory")[0]
    assert eater["limit"] == 200 * work.MIB
    assert eater["swap_limit"] == 100 * work.MIB
    assert eater["percent"] == pytest.approx(
        eater["used"] / (200 * work.MIB) * 100)
    assert eater["working_set"] == eater["usage"] - eater["inactive_file"]
    forker = latest(daemon, "docker-forker/container_memory")[0]
    host = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert forker["limit"] == host


def test_oom_kill_is_counted(readings):
    sample = readings["docker-starver/container_memory"].sample
    assert sample["oom_kills"] >= 1
    assert sample["limit_hits"] >= 1
    assert sample["limit"] == work.STARVED
    assert readings["docker-eater/container_memory"].sample["oom_kills"] == 0


def test_pressure_is_the_kernels(quay, daemon, readings):
    if quay.cgroups["burner"].pressure_total_us("cpu") is None:
        # The kernel keeps none per cgroup: then there is nothing to tell.
        assert not [name for name in daemon.identifiers()
                    if "container_pressure" in name]
        return
    for reading in each(quay, readings, "container_pressure"):
        reading.check()
    burner = readings["docker-burner/container_pressure"].sample
    assert burner["cpu_some_total"] > 0
    assert 0 < burner["cpu_some"] <= 100


# -- disk, network, tasks ----------------------------------------------------

def test_disk_is_the_kernels(quay, daemon, readings):
    octets = readings[f"docker-writer/disk_octets-{quay.disk_name}"]
    octets.check()
    assert octets.sample["write"] >= work.WRITTEN
    operations = readings[f"docker-writer/disk_ops-{quay.disk_name}"]
    operations.check()
    assert operations.sample["write"] >= 1


def test_network_is_the_kernels(quay, daemon, readings):
    for what in ("octets", "packets", "errors", "dropped"):
        for reading in each(quay, readings, f"if_{what}-eth0"):
            reading.check()
    assert readings["docker-receiver/if_octets-eth0"].sample["rx"] >= work.SENT
    assert readings["docker-sender/if_octets-eth0"].sample["tx"] >= work.SENT
    assert not [name for name in daemon.identifiers()
                if name.endswith("if_octets-lo")]


def test_tasks_are_the_kernels(quay, readings):
    for reading in each(quay, readings, "container_state"):
        reading.check("processes", "threads")
    forker = readings["docker-forker/container_state"].sample
    assert forker["processes"] == forker["threads"] == work.FORKED + 1
    assert forker["threads_limit"] == 50


def test_tcp_connections_are_the_kernels(quay, readings):
    for reading in each(quay, readings, "container_tcp"):
        reading.check()
    receiver = readings["docker-receiver/container_tcp"].sample
    assert (receiver["established"], receiver["listen"]) == (3, 1)
    sender = readings["docker-sender/container_tcp"].sample
    assert (sender["established"], sender["listen"]) == (3, 0)


# -- docker stats -------------------------------------------------------------

def as_docker_prints(size):
    """units.BytesSize: four significant digits."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            break
        size /= 1024
    return f"{size:.4g}{unit}"


def test_docker_stats_says_the_same(quay, daemon):
    before = latest(daemon, "docker-eater/container_cpu")[0]
    stats = quay.containers["eater"].stats()
    after = fresh_sample(daemon, "docker-eater/container_cpu")

    assert (before["usage"] <= stats["cpu_stats"]["cpu_usage"]["total_usage"]
            <= after["usage"])

    memory = latest(daemon, "docker-eater/container_memory")[0]
    usage, detail = stats["memory_stats"]["usage"], stats["memory_stats"]["stats"]
    cache = detail.get("total_inactive_file", detail.get("inactive_file"))
    assert as_docker_prints(memory["used"]) == as_docker_prints(usage - cache)
    assert memory["limit"] == stats["memory_stats"]["limit"]

    state = latest(daemon, "docker-eater/container_state")[0]
    assert state["threads"] == stats["pids_stats"]["current"]

    eth0 = latest(daemon, "docker-eater/if_octets-eth0")[0]
    assert as_docker_prints(eth0["tx"]) == as_docker_prints(
        stats["networks"]["eth0"]["tx_bytes"])
