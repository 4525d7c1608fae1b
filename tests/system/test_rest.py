# SPDX-License-Identifier: MIT
"""A container that does nothing is hardly read at all. What it did before and
does afterwards must be there all the same."""

import time

import pytest

import kernel
from bracket import bracket, fresh_sample

pytestmark = pytest.mark.vm

# After so long at rest a container is read no longer, see lib/cgroup/rest.h.
SETTLED = 7


def memory(cgroup):
    """Without the LRU lists, between which the kernel moves pages also while
    the container sleeps."""
    return {name: number for name, number in cgroup.memory().items()
            if not name.startswith(("active_", "inactive_"))}


def truths(cgroup):
    return {
        "docker-cat/container_memory": lambda: memory(cgroup),
        "docker-cat/container_state": lambda: {
            "processes": cgroup.processes(), "threads": cgroup.threads()}}


def test_numbers_after_a_rest(engine, collectd):
    container = engine.run("sleep", "100", name="cat")
    daemon = collectd(
        docker_stats=f'Endpoint "{engine.endpoint}"').start()
    cgroup = kernel.Cgroup(container.pid)

    time.sleep(SETTLED)
    at_rest = fresh_sample(daemon, "docker-cat/container_memory")
    for reading in bracket(daemon, truths(cgroup)).values():
        reading.check()

    # 8 MiB of shared memory that stay, and a process that stays
    assert container.execute(
        "sh", "-c", "head -c 8388608 /dev/zero > /dev/shm/cargo; "
        "sleep 100 < /dev/null > /dev/null 2>&1 &") == 0
    time.sleep(0.5)
    for reading in bracket(daemon, truths(cgroup)).values():
        reading.check()
    awake = fresh_sample(daemon, "docker-cat/container_memory")
    assert awake["shmem"] - at_rest["shmem"] == 8 << 20
    assert awake["page_faults"] > at_rest["page_faults"]

    # and at rest again, with the process that came
    time.sleep(SETTLED)
    for reading in bracket(daemon, truths(cgroup)).values():
        reading.check()
    assert fresh_sample(daemon, "docker-cat/container_state")["processes"] == 2
