# SPDX-License-Identifier: MIT
"""The life of tallyman-agentx beside a master that comes, goes and hangs."""

import os
import re
import signal
import socket
import time

import pytest

import snmp
from process import PATIENCE, wait_until

CONNECTED = "AgentX subagent connected"
CANNOT = "cannot connect to the AgentX master"


def test_attaches_and_leaves(snmpd, subagent):
    master = snmpd().start()
    agent = subagent(master).start()
    master.wait_for_subagent()
    assert master.capabilities()[snmp.root_oid()].startswith("TALLYMAN-MIB")
    agent.stop()
    assert not master.attached()


def test_attaches_over_tcp(snmpd, subagent):
    master = snmpd(socket=f"tcp:127.0.0.1:{snmp.free_tcp_port()}")
    agent = subagent(master, "agentXPingInterval 1").start()
    agent.wait_for_log(f"{CANNOT} at {master.socket}")
    master.start()
    master.wait_for_subagent()
    agent.stop()


def test_starts_before_the_master(snmpd, subagent):
    master = snmpd()
    agent = subagent(master).start()
    agent.wait_for_log(f"{CANNOT} at {master.socket}: No such file")
    master.start()
    master.wait_for_subagent(timeout=5)


@pytest.mark.parametrize("end", ["stop", "kill9"])
def test_is_back_within_5_s(snmpd, subagent, end):
    master = snmpd().start()
    agent = subagent(master).start()
    master.wait_for_subagent()
    getattr(master, end)()
    agent.wait_for_log("disconnected us")
    started = time.monotonic()
    master.start()
    master.wait_for_subagent(timeout=5)
    assert time.monotonic() - started < 5 * PATIENCE
    # Connected, lost, connected; a failed attempt between is another change.
    lines = [each for each in agent.log().splitlines() if "AgentX" in each]
    assert len(lines) == 3 + agent.log().count(CANNOT)


def test_outlives_a_frozen_master(snmpd, subagent):
    master = snmpd().start()
    agent = subagent(master, "agentXPingInterval 1").start()
    master.wait_for_subagent()
    master.freeze()
    agent.wait_for_log("failed to respond to ping")
    agent.wait_for_log(f"{CANNOT}.*does not answer")
    master.thaw()
    agent.wait_for_log(CONNECTED, count=2, timeout=5)
    master.wait_for_subagent(timeout=5)
    assert agent.log().count(CANNOT) == 1


def test_a_full_queue_stalls_nobody(subagent):
    """connect() to a master whose queue is full waits for ever."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        agent = subagent("", "agentXPingInterval 1")
        agent.socket = agent.path("master")
        listener.bind(agent.socket)
        listener.listen(0)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as first:
            first.connect(agent.socket)
            agent.start()
            agent.wait_for_log(f"{CANNOT}.*does not answer")
            agent.reload("agentXPingInterval 1\ninterval 5")
            agent.wait_for_log("was read again", timeout=6)
            started = time.monotonic()
            agent.stop()
            assert time.monotonic() - started < 6 * PATIENCE


def test_says_what_may_be_wrong_once(snmpd, subagent):
    master = snmpd("agentXPerms 0600 0700").start()
    agent = subagent(master, "agentXPingInterval 1", user="nobody").start()
    agent.wait_for_log(f"{CANNOT} at {master.socket}: Permission denied.*"
                       "agentXPerms")
    # Silence is what is tested: four attempts take this long.
    until = time.monotonic() + 4 * PATIENCE
    wait_until(lambda: time.monotonic() > until or agent.log().count(CANNOT) > 1,
               "four attempts")
    assert agent.log().count(CANNOT) == 1
    assert CONNECTED not in agent.log()
    os.chmod(master.directory, 0o755)
    os.chmod(master.socket, 0o666)
    master.wait_for_subagent(timeout=5)


def test_runs_as_an_ordinary_user(snmpd, subagent):
    master = snmpd("agentXPerms 0660 0550 root nogroup")
    os.chmod(master.directory, 0o755)
    master.start()
    agent = subagent(master, user="nobody").start()
    master.wait_for_subagent()
    with open(f"/proc/{agent.pid}/status") as f:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in f)
    assert "0" not in status["Uid"].split()
    assert int(status["CapEff"], 16) == 0
    agent.stop()


# ---- the command line and the configuration ---------------------------------

def test_version_and_help(subagent):
    agent = subagent("/nowhere")
    status, text = agent.run("-V")
    assert status == 0 and text.startswith("tallyman-agentx ")
    status, text = agent.run("-h")
    assert status == 0
    for option in "-f -x -c -C -p -D -V -h -L".split():
        assert f"\n  {option} " in text, option
    assert agent.run("-Z")[0] == 1
    assert agent.run("-f", "surplus")[0] == 1


@pytest.mark.parametrize("line, reason", [
    ("intervall 10", "intervall \"10\": there is no such directive"),
    ("interval 0", "interval \"0\": must be a number from 1 to 3600"),
    ("disk /data 90 80", "disk \"/data 90 80\": the critical level"),
    ("containerName /(/", "containerName \"/(/\": regular expression"),
    ("agentXPingInterval x", "agentXPingInterval \"x\": Invalid"),
    ("includeFile /nowhere/x", "includeFile \"/nowhere/x\": Included file"),
])
def test_wrong_configuration(subagent, line, reason):
    agent = subagent("/nowhere", f"# all is well\n\ninterval 5\n{line}\nhold 1\n")
    for arguments in ([], ["-C", "-c", agent.path("tallyman-agentx.conf")]):
        status, text = agent.run("-f", "-Le", *arguments)
        assert status == 1
        lines = [each for each in text.splitlines()
                 if not each.startswith("Created directory: ")]
        assert len(lines) == 1
        assert lines[0].startswith(
            f"{agent.path('tallyman-agentx.conf')}: line 4: {reason}")


def test_missing_configuration(subagent):
    agent = subagent("/nowhere")
    status, text = agent.run("-f", "-c", "/nowhere/x.conf")
    assert status == 1
    assert "/nowhere/x.conf: No such file or directory" in text


def test_configuration_of_others(subagent):
    """What is wrong in snmp.conf is no reason not to start."""
    agent = subagent("/nowhere/master", "interval 5")
    with open(agent.path("snmp.conf"), "w") as f:
        f.write("noSuchThing 1\n")
    agent.start()
    agent.wait_for_log("snmp.conf: line 1: Warning: Unknown token: noSuchThing")
    agent.wait_for_log(CANNOT)
    agent.stop()


def test_example_of_the_configuration(subagent):
    """Every directive that is commented out can be used as it stands."""
    with open(f"{snmp.SOURCE}/conf/tallyman-agentx.conf.in") as f:
        lines = [re.sub("^#(?=[A-Za-z])", "", line) for line in f]
    used = [line for line in lines if not line.startswith(("#", "\n"))]
    assert len(used) > 30
    agent = subagent("/nowhere/master", "".join(lines).replace(
        " /etc/docker/client", "")).start()  # they would have to be there
    agent.wait_for_log(CANNOT)
    agent.stop()


def test_example_of_the_master(snmpd, subagent):
    """Debian's access rules with our fragment behind them; and SNMPv3."""
    with open(f"{snmp.BUILD}/conf/snmpd-tallyman.conf") as f:
        fragment = f.read()
    assert "\nagentXPerms 0660 0550 root tallyman\n" in fragment
    fragment = fragment.replace("root tallyman", "root root")
    fragment = re.sub("^#(?=createUser|rouser)", "", fragment, flags=re.M)
    master = snmpd(access="view systemonly included .1.3.6.1.2.1.1\n"
                          "rocommunity public default -V systemonly",
                   extra=fragment).start()
    subagent(master).start()
    master.wait_for_subagent()
    ours, hidden = f"{snmp.root_oid()}.1.1.1.0", ".1.3.6.1.2.1.11.1.0"
    secure = ["-u", "noc", "-l", "authPriv", "-a", "SHA-256", "-A",
              "auth phrase", "-x", "AES", "-X", "privacy phrase"]
    for how in ({"version": "2c"}, {"version": "3", "options": secure}):
        assert not_found(master.ask("snmpget", hidden, **how))
        assert not not_found(master.ask("snmpget", ours, **how))
    open_text = secure[:2] + ["-l", "authNoPriv"] + secure[4:8]
    refused = master.ask("snmpget", ours, version="3", options=open_text)
    assert "authorizationError" in refused.stdout + refused.stderr


def not_found(answer):
    assert answer.returncode == 0, answer
    return "No Such Object" in answer.stdout


def test_reload_keeps_the_session(snmpd, subagent):
    master = snmpd().start()
    agent = subagent(master, "interval 5").start()
    master.wait_for_subagent()
    registered = master.ask("snmpwalk", "-On", ".1.3.6.1.2.1.1.9.1.4").stdout
    agent.reload("interval 6")
    agent.wait_for_log("the configuration was read again")
    agent.reload("interval 7\nintervall 8")
    agent.wait_for_log("the old configuration stays: "
                       f"{agent.path('tallyman-agentx.conf')}: line 2: "
                       "intervall \"8\"")
    agent.reload("interval 9")
    agent.wait_for_log("the configuration was read again", count=2)
    assert agent.log().count(CONNECTED) == 1
    assert master.ask("snmpwalk", "-On",
                      ".1.3.6.1.2.1.1.9.1.4").stdout == registered
    agent.stop()


def test_reload_has_an_effect(snmpd, subagent):
    master = snmpd().start()
    agent = subagent(master, "interval 1").start()

    def levels():
        return {row["tallyDiskLevel"] for row in master.table("tallyDiskTable")}
    wait_until(levels, "there are disks")
    low = "interval 1\ndisk /.*/ 0.0001 0.0002 inodes off\n"
    agent.reload(low)
    wait_until(lambda: levels() == {"critical"}, "all disks are too full")
    agent.reload(low + "disk")
    agent.wait_for_log("the old configuration stays")
    agent.reload("interval 1\ndisk /.*/ off inodes off")
    wait_until(lambda: levels() == {"ok"}, "no disk is watched")


def test_becomes_a_daemon(snmpd, subagent):
    master = snmpd().start()
    agent = subagent(master)
    status, text = agent.run("-p", agent.path("pid"),
                             "-Lf", agent.path("daemon.log"))
    assert status == 0 and text == ""
    try:
        master.wait_for_subagent()
        with open(agent.path("pid")) as f:
            pid = int(f.read())
        assert os.getsid(pid) != os.getsid(0)
    finally:
        with open(agent.path("pid")) as f:
            os.kill(int(f.read()), signal.SIGTERM)
    wait_until(lambda: not os.path.exists(agent.path("pid")),
               "the pid file is gone")
    assert not master.attached()


# ---- the service manager and the memory --------------------------------------

class Manager:
    """The socket of a service manager that listens (sd_notify(3))."""

    def __init__(self, directory, monkeypatch, watchdog_us):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"{directory}/notify")
        self.socket.settimeout(10 * PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", f"{directory}/notify")
        monkeypatch.setenv("WATCHDOG_USEC", str(watchdog_us))

    def wait_for(self, word):
        said = []
        while not said or word not in said[-1].split("\n"):
            said.append(self.socket.recv(4096).decode())
        return said


def test_tells_the_service_manager(subagent, monkeypatch):
    agent = subagent("/nowhere/master")
    manager = Manager(agent.directory, monkeypatch, 1000000)
    agent.start()
    manager.wait_for("READY=1")
    manager.wait_for("WATCHDOG=1")
    manager.wait_for("WATCHDOG=1")
    agent.reload("interval 7")
    said = manager.wait_for("RELOADING=1")
    assert "MONOTONIC_USEC=" in said[-1]
    manager.wait_for("READY=1")
    agent.stop()
    manager.wait_for("STOPPING=1")


def test_valgrind(snmpd, subagent):
    master = snmpd().start()
    agent = subagent(master, "interval 1")
    agent.start(prefix=["valgrind", "--quiet", "--leak-check=full",
                        "--errors-for-leak-kinds=definite",
                        "--error-exitcode=9"])
    master.wait_for_subagent(timeout=30)
    agent.reload("intervall 1")
    agent.wait_for_log("the old configuration stays")
    agent.reload("interval 2")
    agent.wait_for_log("was read again")
    master.restart()
    master.wait_for_subagent(timeout=30)
    agent.stop()


def test_nothing_can_be_written(snmpd, subagent):
    master = snmpd().start()
    agent = subagent(master).start()
    master.wait_for_subagent()
    for what in (".1.1.1.0", ".1.1.5.0", ".1.3.1.4.3.119.101.98", ".99.1"):
        result = master.ask("snmpset", "-Ir", snmp.root_oid() + what, "s", "x",
                            community="private")
        assert "notWritable" in result.stderr, what
    assert agent.log().count(CONNECTED) == 1
