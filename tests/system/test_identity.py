# SPDX-License-Identifier: MIT
"""Under which names values appear, of which containers, and how many."""

import json
import uuid

import pytest

import kernel
from bracket import fresh_sample
from process import wait_until

_NAMESPACE = uuid.UUID("12345678-1234-5678-1234-567812345678")


@pytest.fixture
def web(engine):
    return engine.run("sleep", "1000", name="web")


def stats(collectd, engine, options="", **how):
    return collectd(docker_stats=f'Endpoint "{engine.endpoint}"\n{options}',
                    **how)


def test_by_default_the_container_is_the_plugin_instance(
        engine, web, collectd):
    daemon = stats(collectd, engine).start()
    daemon.wait_for_samples("docker-web/container_cpu")


def test_the_container_as_host(engine, web, collectd):
    daemon = stats(collectd, engine, "HostFormat container").start()
    daemon.wait_for_samples("docker/container_cpu", host="web")
    # What is told about the node stays the node's.
    daemon.wait_for_samples("docker/containers")
    assert not [found for found in daemon.identifiers() if "web" in found]


def test_the_fingerprint_as_host(engine, web, collectd):
    daemon = stats(collectd, engine, "HostFormat fingerprint").start()
    fingerprint = str(uuid.uuid5(_NAMESPACE, f"/docker/{web.id}"))
    daemon.wait_for_samples("docker/container_cpu", host=fingerprint)
    name = web.name
    web.rename("other")
    fresh_sample(daemon, "docker/container_cpu", host=fingerprint)
    assert not daemon.identifiers(host=name)


def test_through_a_root_prefix(engine, web, collectd):
    """As in a container that has the node's file systems mounted below
    /rootfs: its own /proc and /sys know nothing of the others."""
    daemon = stats(collectd, engine)
    rootfs = daemon.path("rootfs")
    daemon.plugins["docker_stats"] += f'RootFS "{rootfs}"'
    daemon.mounts = f"""
        mkdir -p {rootfs}/proc {rootfs}/sys {rootfs}/empty
        mount --rbind /proc {rootfs}/proc
        mount --rbind /sys {rootfs}/sys
        mount --bind {rootfs}/empty /proc/{web.pid}
        umount --recursive /sys/fs/cgroup"""
    daemon.start()
    cgroup = kernel.Cgroup(web.pid)
    assert fresh_sample(daemon, "docker-web/container_cpu")[
        "usage"] == cgroup.cpu_usage_ns()
    assert fresh_sample(daemon, "docker-web/container_memory")[
        "page_faults"] == cgroup.memory()["page_faults"]
    daemon.wait_for_samples("docker-web/if_octets-eth0")


def lists_of(daemon, name):
    return {found.split("/")[1] for found in daemon.identifiers()
            if found.startswith(f"docker-{name}/")}


def test_a_dozen_value_lists(engine, collectd):
    """One interface, one disk, a quota: everything that is on by default."""
    disk = kernel.disk_below("/var/tmp")
    web = engine.run(
        "sh", "-c", "dd if=/dev/zero of=/tmp/tally-dozen bs=4096 count=8 "
        "conv=fsync; rm /tmp/tally-dozen; sleep 1000", name="web",
        NanoCpus=500_000_000, Binds=["/var/tmp:/tmp"],
        BlkioDeviceWriteBps=[{"Path": disk, "Rate": 10**10}])
    cgroup = kernel.Cgroup(web.pid)
    wait_until(cgroup.block_bytes, "something is written")
    daemon = stats(collectd, engine).start()
    for _ in range(2):
        fresh_sample(daemon, "docker-web/container_cpu")
    disk = disk.split("/")[-1]
    expected = {"container_cpu", "container_throttling", "container_memory",
                "container_state", "load", f"disk_octets-{disk}",
                f"disk_ops-{disk}", "if_octets-eth0", "if_packets-eth0",
                "if_errors-eth0", "if_dropped-eth0"}
    if cgroup.pressure_total_us("cpu"):
        expected.add("container_pressure")
    assert lists_of(daemon, "web") == expected


def test_groups_can_be_switched_off(engine, web, collectd):
    daemon = stats(collectd, engine, """
        Network false
        BlockIO false
        Load false
        Pressure false""").start()
    for _ in range(2):
        fresh_sample(daemon, "docker-web/container_cpu")
    assert lists_of(daemon, "web") == {"container_cpu", "container_memory",
                                       "container_state"}


SELECTIONS = {
    'Container "web"': {"web"},
    'Container "/^(web|db)$/"': {"web", "db"},
    'Container "web"\nIgnoreSelected true': {"db", "job"},
    'Image "nothing-like-it"': set(),
    'Image "/^busybox/"': {"web", "db", "job"},
    'Label "tier=back"': {"db"},
    'Label "/^tier=/"': {"web", "db"},
    'Label "tier=front"\nContainer "job"': {"web", "job"},
    'Label "/^tier=/"\nIgnoreSelected true': {"job"},
}


def test_selection(engine, collectd):
    """One block for each way to choose."""
    engine.run("sleep", "1000", name="web", labels={"tier": "front"})
    engine.run("sleep", "1000", name="db", labels={"tier": "back"})
    engine.run("sleep", "1000", name="job")
    daemon = collectd(docker_stats=[
        f'Endpoint "{engine.endpoint}"\nInstance "{number}"\n{options}'
        for number, options in enumerate(SELECTIONS)]).start()
    for number in range(len(SELECTIONS)):
        daemon.wait_for_samples(f"docker-{number}/containers", count=3)
    for number, (options, wanted) in enumerate(SELECTIONS.items()):
        prefix = f"docker-{number}:"
        seen = {found.removeprefix(prefix).split("/")[0]
                for found in daemon.identifiers() if found.startswith(prefix)}
        assert seen == wanted, options
        # How many there are does not depend on who looks at them.
        assert daemon.samples(f"docker-{number}/containers")[-1][
            "running"] == 3


def test_labels_as_meta_data(engine, collectd):
    web = engine.run("sleep", "1000", name="web",
                     labels={"tier": "front", "tone": "low", "x": "hidden"})
    daemon = stats(collectd, engine, 'MetaLabel "/^t/"', stock="""
        LoadPlugin write_log
        <Plugin write_log>
          Format "JSON"
        </Plugin>""").start()
    daemon.wait_for_samples("docker-web/container_cpu")
    line = daemon.wait_for_log(r"write_log values:[^\[]*(\[.*container_cpu.*\])")
    values = json.loads(line[1])[0]
    assert values["meta"] == {
        "container_id": web.id, "container_image": web.inspect()[
            "Config"]["Image"], "label:tier": "front", "label:tone": "low"}
