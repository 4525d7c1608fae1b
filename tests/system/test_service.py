# SPDX-License-Identifier: MIT
"""What `make install` puts there, started by systemd: the unit with its own
user and all that it locks. Where systemd is not the first process (the tests'
own machine is not to be installed on) there is nothing to test; the second
machine brings an installation along (tests/vm/run)."""

import os
import pwd
import re
import shutil
import subprocess

import pytest

from collectd import BUILD
from engine import Engine
from process import wait_until

INSTALLED = f"{BUILD}/installed"
PLACE = "/run/tally-service"
UNIT = "tallyman-agentx.service"
CRANE = ".5." + ".".join(str(byte) for byte in b"crane")

pytestmark = [
    pytest.mark.vm,
    pytest.mark.skipif(
        not (os.path.isdir(INSTALLED) and os.path.isdir("/run/systemd/system")),
        reason="nothing is installed here, or there is no systemd")]


def systemctl(*arguments):
    return subprocess.run(["systemctl", *arguments], check=True, timeout=120,
                          capture_output=True, text=True).stdout.strip()


def shown(what):
    return systemctl("show", "--value", "-p", what, UNIT)


@pytest.fixture(scope="module")
def engine_in_run():
    """The unit does not see /tmp, where the tests' own engine listens."""
    os.makedirs(PLACE, mode=0o755, exist_ok=True)
    engine = Engine()
    try:
        engine.start(extra_arguments=["--host", f"unix://{PLACE}/docker.sock"])
        yield engine
    finally:
        engine.close()
        shutil.rmtree(PLACE, ignore_errors=True)


@pytest.fixture
def service(engine_in_run, snmpd):
    master = snmpd(socket=f"{PLACE}/agentx", extra="agentXPerms 0777 0755")
    master.start()
    subprocess.run(["cp", "-a", f"{INSTALLED}/.", "/"], check=True)
    os.makedirs("/etc/snmp", exist_ok=True)
    with open("/etc/snmp/tallyman-agentx.conf", "w") as f:
        f.write(f"agentXSocket unix:{master.socket}\ninterval 1\n"
                f"dockerEndpoint unix://{PLACE}/docker.sock\n"
                "collectdSocket off\n")
    subprocess.run(["systemd-sysusers"], check=True)
    systemctl("daemon-reload")
    systemctl("start", UNIT)
    try:
        yield master
    finally:
        systemctl("stop", UNIT)


def test_as_a_unit(service, engine_in_run):
    """One test, because the machine is slow."""
    crane = engine_in_run.run("sleep", "1000", name="crane")
    assert shown("ActiveState") == "active"
    pid = int(shown("MainPID"))
    assert os.stat(f"/proc/{pid}").st_uid == pwd.getpwnam("tallyman").pw_uid
    with open(f"/proc/{pid}/status") as f:
        assert re.search(r"^CapEff:\s+0+$", f.read(), re.M)

    def state():
        return service.get("tallyContainerState" + CRANE)
    wait_until(lambda: state() == "running", "the container is shown",
               timeout=30)
    assert int(service.get("tallyContainerMemoryUsed" + CRANE)) > 0

    systemctl("reload", UNIT)
    crane.kill()
    wait_until(lambda: state() == "exited", "its end is shown", timeout=30)
    assert int(shown("MainPID")) == pid

    os.kill(pid, 9)
    wait_until(lambda: int(shown("MainPID")) not in (0, pid)
               and shown("ActiveState") == "active",
               "it is started again", timeout=30)
    wait_until(lambda: state() == "exited", "it answers again", timeout=30)
    systemctl("stop", UNIT)
    assert shown("Result") == "success"
