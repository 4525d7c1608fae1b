# SPDX-License-Identifier: MIT
"""collectd as agents are usually deployed: itself a container of the Engine
that it watches, with the node's /proc and /sys below /rootfs."""

import pytest

import collectd as harness
import kernel
from bracket import bracket
from lives import expect_lives
from process import wait_until

# The image is empty but for a shell: the node's own programs are mounted.
_PROGRAMS = ["/usr", "/lib", "/lib64", "/etc"]


@pytest.fixture
def agent(engine, collectd):
    """(container, collectd's files)"""
    daemon = collectd()
    daemon.plugins = {
        "docker_stats": f"""
            Endpoint "{engine.endpoint}"
            RootFS "/rootfs"
            IgnoreSelf true""",
        "docker_events": f"""
            Endpoint "{engine.endpoint}"
            StateDir "{daemon.path('state')}" """}
    config = daemon.write_config()
    writable = [daemon.directory, engine.directory]
    container = engine.run(
        "/usr/sbin/collectd", "-f", "-C", config, name="agent", Binds=[
            "/proc:/rootfs/proc:ro", "/sys:/rootfs/sys:ro",
            *(f"{path}:{path}:ro" for path in _PROGRAMS),
            *(f"{path}:{path}:ro" for path in {harness.SOURCE, harness.BUILD}),
            *(f"{path}:{path}" for path in writable)])
    return container, daemon


def test_sees_the_others_and_leaves_itself_out(engine, agent):
    container, daemon = agent
    web = engine.run("sh", "-c", "while :; do sleep 0.1; done", name="web")
    cgroup = kernel.Cgroup(web.pid)
    daemon.wait_for_samples("docker-web/container_cpu")
    for reading in bracket(daemon, {
            "docker-web/container_cpu":
                lambda: {"usage": cgroup.cpu_usage_ns()},
            "docker-web/container_memory":
                lambda: {"page_faults": cgroup.memory()["page_faults"]},
            "docker-web/if_octets-eth0":
                lambda: {"rx": cgroup.network()["eth0"]["rx_octets"]},
            }).values():
        reading.check()
    assert not [found for found in daemon.identifiers()
                if found.startswith("docker-agent/")]

    web.kill()
    container.rename("agent2")
    expect_lives(engine, daemon, {"web": ["create", "start", "die"]})
    assert not [told for told in daemon.notifications()
                if told.plugin_instance.startswith("agent")]
    wait_until(lambda: f"runs in container agent ({container.id[:12]}"
               in daemon.log(), "it says what it leaves out")
