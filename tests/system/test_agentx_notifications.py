# SPDX-License-Identifier: MIT
"""Notifications: what happens reaches a manager, as trap and as inform."""

import os
import subprocess
import tempfile

import pytest

from process import wait_until
from scripted_engine import ScriptedContainer, ScriptedEngine
from snmp import Snmpd, Snmptrapd, Subagent
from test_agentx_sinks import put

MIB = 1 << 20
RUNNING, PAUSED, EXITED = "running", "paused", "exited"
_PASSWORD = "a passphrase for tests"
_USER = f'createUser manager SHA "{_PASSWORD}" AES "{_PASSWORD}"'
# The machine that runs the tests may be as busy and full as it likes.
_CALM = """\
interval 1
collectdSocket off
nodeLoad off
nodeMemory off
nodeSwap off
"""
_OTHER_DISKS_OFF = 'disk "/.*/" off inodes off'
_INFORM = (f'trapsess -Ci -v 3 -u manager -l authPriv -a SHA -A "{_PASSWORD}" '
           f'-x AES -X "{_PASSWORD}"')


def kind_of(notification):
    return notification["snmpModules.1.1.4.1.0"].split("::")[-1]


def value_of(notification, name):
    """Of a column, whatever its instance."""
    return next(value for key, value in notification.items()
                if key.split(".")[0] == name)


class Noc:
    """A manager that receives v2c traps and v3 informs, the master agent that
    sends both, and our subagent."""

    def __init__(self, config, **how):
        self._made = []
        self.traps = self._start(Snmptrapd())
        self.informs = self._start(Snmptrapd(extra=_USER))
        self.master = self._start(Snmpd(extra="\n".join([
            f"trap2sink 127.0.0.1:{self.traps.port} public",
            f"{_INFORM} 127.0.0.1:{self.informs.port}"])))
        self.agent = self._start(Subagent(
            self.master, f"{_CALM}{config}\n{_OTHER_DISKS_OFF}\n", **how))
        self.master.wait_for_subagent()

    def _start(self, party):
        self._made.append(party)
        return party.start()

    def close(self):
        for party in reversed(self._made):
            party.close()

    def received(self, kind, receiver=None, **values):
        """Those of this kind with these values in their objects."""
        return [each for each in (receiver or self.traps).received()
                if kind_of(each) == kind
                and all(value_of(each, name) == value
                        for name, value in values.items())]

    def wait_for(self, kind, timeout=10, receiver=None, **values):
        return wait_until(
            lambda: self.received(kind, receiver, **values),
            f"{kind} of {values} in:\n{self.traps.log()}\n{self.agent.log()}",
            timeout)[0]

    def wait_for_container(self, name, state=RUNNING):
        wait_until(lambda: self.master.get(
            f'tallyContainerState."{name}"') == state,
            f"{name} is {state}", timeout=10, step=0.1)


@pytest.fixture(scope="module")
def noc(module_engine):
    """For the tests that only look at containers."""
    noc = Noc(f"dockerEndpoint {module_engine.endpoint}")
    try:
        yield noc
    finally:
        noc.close()


@pytest.fixture
def own_noc():
    made = []

    def make(*arguments, **how):
        made.append(Noc(*arguments, **how))
        return made[-1]
    try:
        yield make
    finally:
        for noc in made:
            noc.close()


# ---- containers --------------------------------------------------------------


@pytest.mark.sanitized
def test_killed_within_2_s_as_trap_and_inform(module_engine, noc):
    container = module_engine.run("sleep", "1000", name="doomed")
    noc.wait_for_container("doomed")
    container.kill()
    for receiver in (noc.traps, noc.informs):
        died = noc.wait_for("tallyContainerDied", 2, receiver,
                            tallyContainerName="doomed")
        assert value_of(died, "tallyContainerId") == container.id
        assert value_of(died, "tallyContainerImage") == "busybox"
        assert value_of(died, "tallyContainerState") == EXITED
        assert value_of(died, "tallyContainerExitCode") == "137"
        assert value_of(died, "tallyNotifyPreviousState") == RUNNING
        assert value_of(died, "tallyNotifySignal") == "9"
        assert "killed by SIGKILL" in value_of(died, "tallyNotifyText")
        # The instance is that of the row.
        assert 'tallyContainerName."doomed"' in died


def test_short_life(module_engine, noc):
    module_engine.run("false", name="mayfly")
    died = noc.wait_for("tallyContainerDied", tallyContainerName="mayfly")
    assert value_of(died, "tallyContainerExitCode") == "1"
    assert value_of(died, "tallyNotifySignal") == "0"


def test_out_of_memory(module_engine, noc):
    module_engine.run_out_of_memory("starved", 32 * MIB)
    noc.wait_for("tallyContainerOomKilled", tallyContainerName="starved")
    noc.wait_for("tallyContainerDied", tallyContainerName="starved",
                 tallyContainerExitCode="137")


def test_unhealthy(module_engine, noc):
    module_engine.run("sleep", "1000", name="ill", settings={"Healthcheck": {
        "Test": ["CMD", "false"], "Interval": 10**9, "Retries": 1}})
    ill = noc.wait_for("tallyContainerUnhealthy", tallyContainerName="ill")
    assert value_of(ill, "tallyContainerState") == RUNNING
    assert value_of(ill, "tallyNotifySignal") == "0"
    # It is an alarm as well, and which is off.
    raised = noc.wait_for("tallyAlarmRaised", tallyNotifyObject="container/ill")
    assert value_of(raised, "tallyNotifyLevel") == "warning"
    noc.wait_for("tallyNodeHealthChanged", tallyNodeHealth="warning")
    alarms = noc.master.table("tallyAlarmTable")
    assert [alarm["tallyAlarmCause"] for alarm in alarms
            if alarm["tallyAlarmObject"] == "container/ill"] == ["unhealthy"]
    # Nothing stays when the container goes.
    module_engine.remove_containers()
    noc.wait_for("tallyAlarmCleared", tallyNotifyObject="container/ill")
    noc.wait_for("tallyNodeHealthChanged", tallyNodeHealth="ok")


def test_states(module_engine, noc):
    container = module_engine.run("sleep", "1000", name="sleeper")
    noc.wait_for_container("sleeper")
    container.pause()
    paused = noc.wait_for("tallyContainerStateChanged",
                          tallyContainerName="sleeper",
                          tallyContainerState=PAUSED)
    assert value_of(paused, "tallyNotifyPreviousState") == RUNNING
    container.unpause()
    back = noc.wait_for("tallyContainerStateChanged",
                        tallyContainerName="sleeper",
                        tallyContainerState=RUNNING,
                        tallyNotifyPreviousState=PAUSED)
    assert value_of(back, "tallyContainerExitCode") == "0"


def test_waits_for_the_master(module_engine, noc):
    container = module_engine.run("sleep", "1000", name="orphan")
    noc.wait_for_container("orphan")
    noc.master.stop()
    container.kill()
    container.wait()
    noc.master.start()
    noc.wait_for("tallyContainerDied", tallyContainerName="orphan")


# ---- Docker ------------------------------------------------------------------


def test_docker_lost_and_back(engine, own_noc):
    noc = own_noc(f"dockerEndpoint {engine.endpoint}")
    wait_until(lambda: noc.master.get("tallyDockerReachable.0") == "true",
               "Docker is reachable", step=0.1)
    engine.stop()
    lost = noc.wait_for("tallyDockerLost")
    assert value_of(lost, "tallyDockerReachable") == "false"
    assert value_of(lost, "tallyDockerProblem")
    noc.wait_for("tallyNodeHealthChanged", tallyNodeHealth="critical")
    engine.start()
    back = noc.wait_for("tallyDockerBack", timeout=20)
    assert value_of(back, "tallyDockerReachable") == "true"
    noc.wait_for("tallyNodeHealthChanged", tallyNodeHealth="ok")
    assert len(noc.received("tallyDockerLost")) == 1
    assert len(noc.received("tallyDockerBack")) == 1


# ---- rate and kinds ----------------------------------------------------------


def test_rate_limit_and_kinds(own_noc):
    deaths = 20
    with ScriptedEngine() as engine:
        noc = own_noc(f"dockerEndpoint {engine.endpoint}\nnotify all off\n"
                      "notify containerDied on\nnoticeRate 5")
        wait_until(lambda: engine.listeners, "somebody listens")
        for number in range(deaths):
            container = engine.add(ScriptedContainer(
                id=f"{number + 1:064x}", name=f"mayfly{number}",
                status=EXITED, exit_code=1))
            for action in ("create", "start"):
                engine.emit_container(container.id, action)
            engine.emit_container(container.id, "die", exitCode="1")

        def counts():
            return [int(noc.master.get(f"tallyNotifications{which}.0"))
                    for which in ("Sent", "Suppressed")]
        wait_until(lambda: sum(counts()) == deaths,
                   "each was sent or suppressed", timeout=20, step=0.2)
        sent, suppressed = counts()
    assert 5 <= sent < deaths and suppressed == deaths - sent
    wait_until(lambda: len(noc.received("tallyContainerDied")) == sent,
               "what was sent has come")
    # They were created and started as well, which is off.
    assert {kind for kind in map(kind_of, noc.traps.received())
            if kind.startswith("tally")} == {"tallyContainerDied"}


# ---- disks -------------------------------------------------------------------


@pytest.fixture
def small_disk():
    """A mount point with a file system of its own."""
    directory = tempfile.mkdtemp(prefix="tally-disk-")
    image, mount = f"{directory}/image", f"{directory}/mount"
    os.mkdir(mount)
    with open(image, "wb") as f:
        f.truncate(16 * MIB)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-m", "0", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, mount], check=True)
    try:
        yield mount
    finally:
        subprocess.run(["umount", "--lazy", mount], check=True)
        os.remove(image)
        os.rmdir(mount)
        os.rmdir(directory)


def test_disk_threshold(small_disk, own_noc):
    def fill(percent):
        room = os.statvfs(small_disk)
        total = (room.f_blocks - room.f_bfree + room.f_bavail) * room.f_frsize
        used = (room.f_blocks - room.f_bfree) * room.f_frsize
        path = f"{small_disk}/cargo"
        used -= os.path.getsize(path) if os.path.exists(path) else 0
        with open(path, "wb") as f:
            f.write(b"x" * (total * percent // 100 - used))
            f.flush()
            os.fsync(f.fileno())

    noc = own_noc("dockerEndpoint unix:///nowhere\n"
                  f"disk {small_disk} 50% 80%")
    where = {"tallyDiskMount": small_disk}
    fill(60)
    raised = noc.wait_for("tallyDiskThresholdRaised", **where)
    assert value_of(raised, "tallyDiskLevel") == "warning"
    assert value_of(raised, "tallyNotifyPreviousLevel") == "ok"
    assert 5900 < int(value_of(raised, "tallyNotifyPercent")) < 6200
    fill(90)
    noc.wait_for("tallyDiskThresholdRaised", tallyDiskLevel="critical", **where)
    fill(1)
    cleared = noc.wait_for("tallyDiskThresholdCleared", **where)
    assert value_of(cleared, "tallyDiskLevel") == "ok"
    assert value_of(cleared, "tallyNotifyPreviousLevel") == "critical"


# ---- sinks -------------------------------------------------------------------


def test_sink_stalled_and_recovered(collectd, own_noc):
    daemon = collectd().start()
    noc = own_noc("dockerEndpoint unix:///nowhere\n"
                  f"collectdSocket {daemon.path('unixsock')}")
    where = {"tallySinkName": "write_nsq"}
    put(daemon, "write_nsq", oldest_age=301)
    stalled = noc.wait_for("tallySinkStalled", **where)
    assert value_of(stalled, "tallySinkState") == "stalled"
    put(daemon, "write_nsq")
    recovered = noc.wait_for("tallySinkRecovered", **where)
    assert value_of(recovered, "tallySinkState") == "ok"
