# SPDX-License-Identifier: MIT
"""A private snmpd, a private snmptrapd, our subagent, and what a manager sees.

Everything that knows net-snmp keeps its state in a directory of its own
(SNMP_PERSISTENT_DIR), the tools included, and reads no configuration of the
host. Names of objects are those of TALLYMAN-MIB."""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile

from collectd import BUILD, SOURCE
from process import PATIENCE, Daemon, TimedOut, wait_until

MIB_DIRECTORIES = (f"{BUILD}/snmp-subagent:"
                   f"{SOURCE}/snmp-subagent/basic-mibs")
PROGRAM = f"{BUILD}/.libs/tallyman-agentx"
# What makes a walk of everything else short, and snmpd start at once.
_MODULES = ("system_mib,snmp_mib,sysORTable,usmConf,usmStats,usmUser,"
            "vacm_conf,vacm_context,vacm_vars")
_BETWEEN = " ## "  # two objects of a notification

_SNMPD_CONFIG = """\
agentAddress udp:127.0.0.1:{port}
{access}
master agentx
agentXSocket {socket}
{extra}
"""
_ACCESS = "rocommunity public 127.0.0.1\nrwcommunity private 127.0.0.1"


def root_oid():
    """The arc of TALLYMAN-MIB that this build was configured with."""
    with open(f"{BUILD}/config.h") as f:
        numbers = re.search(r"#define TALLYMAN_ROOT_OID (.*)", f.read())[1]
    return "." + numbers.replace(", ", ".")


def _free_port(kind):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def free_udp_port():
    return _free_port(socket.SOCK_DGRAM)


def free_tcp_port():
    return _free_port(socket.SOCK_STREAM)


class _Party:
    """Somebody with a directory, a daemon and net-snmp's environment."""

    def __init__(self, name):
        # Short: a Unix socket's path must stay below 108 bytes.
        self.directory = tempfile.mkdtemp(prefix=f"tally-{name}-")
        os.mkdir(self.path("state"))
        self._daemon = Daemon(name, self.path("log"))

    def path(self, name):
        return os.path.join(self.directory, name)

    def environment(self):
        return {**os.environ, "SNMP_PERSISTENT_DIR": self.path("state"),
                "SNMPCONFPATH": self.directory, "MIBS": "",
                "MIBDIRS": "/dev/null"}

    @property
    def pid(self):
        return self._daemon.pid

    @property
    def running(self):
        return self._daemon.running

    def log(self):
        return self._daemon.log()

    def wait_for_log(self, pattern, timeout=10, count=1):
        """Until so many lines of the log match."""
        def found():
            return len(re.findall(pattern, self.log())) >= count
        try:
            wait_until(found, f"{count} log lines /{pattern}/", timeout)
        except TimedOut as e:
            raise TimedOut(f"{e} in:\n{self.log()}") from None

    def freeze(self):
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.pid, signal.SIGCONT)

    def stop(self):
        return self._daemon.terminate(timeout=20)

    def kill9(self):
        self._daemon.kill()

    def close(self):
        try:
            if self._daemon.running:
                self.thaw()
            self._daemon.kill()
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)


class Snmpd(_Party):
    """The master agent. `extra` are lines of snmpd.conf, `access` those that
    say who may see what; subagents attach to `socket`, a path or tcp:…"""

    def __init__(self, extra="", access=_ACCESS, socket=None):
        super().__init__("snmpd")
        self.extra = extra
        self.access = access
        self.port = free_udp_port()
        self.socket = socket or self.path("master")

    def start(self):
        with open(self.path("snmpd.conf"), "w") as f:
            f.write(_SNMPD_CONFIG.format(port=self.port, socket=self.socket,
                                         access=self.access, extra=self.extra))
        self._daemon.start(
            ["snmpd", "-f", "-Lo", "-C", "-c", self.path("snmpd.conf"),
             "-I", _MODULES], env=self.environment())

        def ready():
            self._daemon.require_running()
            return ((os.path.exists(self.socket)
                     or self.socket.startswith("tcp:"))
                    and self.ask("snmpget", "-t0.5", "-r0",
                                 ".1.3.6.1.2.1.1.3.0").returncode == 0)
        wait_until(ready, "snmpd is ready", timeout=15)
        return self

    def restart(self):
        self.stop()
        return self.start()

    # -- what a manager sees --------------------------------------------------

    def ask(self, tool, *arguments, community="public", version="2c",
            options=(), timeout=30):
        """Any of net-snmp's tools, with options (those with a value of their
        own in `options`) and objects."""
        options = [*options, *(a for a in arguments if a.startswith("-"))]
        objects = [a for a in arguments if not a.startswith("-")]
        access = ["-v", version] + (["-c", community] if version != "3" else [])
        environment = self.environment()
        del environment["MIBS"], environment["MIBDIRS"]
        return subprocess.run(
            [tool, "-M", MIB_DIRECTORIES, "-m", "TALLYMAN-MIB", *access,
             *options, f"127.0.0.1:{self.port}", *objects],
            env=environment, capture_output=True, text=True, errors="replace",
            timeout=timeout * PATIENCE)

    def get(self, name):
        """The value of `tallyNodeName.0`; None: no such object or instance."""
        result = self.ask("snmpget", "-OqvtU", _qualified(name))
        value = result.stdout.strip()
        if result.returncode != 0 or not result.stdout:
            raise AssertionError(f"{name}: {result.stdout}{result.stderr}")
        return None if value.startswith("No Such ") else _unquoted(value)

    def walk(self, name, bulk=True, max_repetitions=25):
        """{numeric identifier: value} in the order of the answers."""
        tool, options = "snmpwalk", []
        if bulk:
            tool, options = "snmpbulkwalk", [f"-Cr{max_repetitions}"]
        result = self.ask(tool, *options, "-OnqtU", _qualified(name))
        assert result.returncode == 0, result.stdout + result.stderr
        found = {}
        for line in result.stdout.splitlines():
            oid, _, value = line.partition(" ")
            if value.startswith(("No Such ", "No more ")):
                continue
            assert oid not in found, f"{oid} came twice"
            found[oid] = _unquoted(value)
        return found

    def table(self, name):
        """[{column: value}] of snmptable, with the index as "index"."""
        result = self.ask("snmptable", _qualified(name),
                          options=["-Ci", "-Cf", "\t", "-OtU"])
        assert result.returncode == 0, result.stdout + result.stderr
        lines = [line for line in result.stdout.splitlines() if line.strip()]
        if len(lines) < 2 or "No entries" in result.stdout:
            return []
        header = lines[1].strip("\n").split("\t")
        return [dict(zip(header, map(_unquoted, line.split("\t"))))
                for line in lines[2:]]

    def attached(self):
        """Whether the root of TALLYMAN-MIB is registered now."""
        return root_oid() in self.capabilities()

    def wait_for_subagent(self, timeout=15):
        wait_until(self.attached, "the subagent is attached", timeout, step=0.1)

    def capabilities(self):
        """sysORTable: {identifier: description}."""
        result = self.ask("snmpwalk", "-Onq", ".1.3.6.1.2.1.1.9.1")
        cells = dict(line.split(" ", 1) for line in result.stdout.splitlines()
                     if " " in line)
        entry = ".1.3.6.1.2.1.1.9.1."
        return {value: _unquoted(cells[oid.replace(entry + "2", entry + "3")])
                for oid, value in cells.items() if oid.startswith(entry + "2")}


class Snmptrapd(_Party):
    """Prints each notification on one line of its log; see received()."""

    def __init__(self, extra=""):
        super().__init__("snmptrapd")
        self.extra = extra
        self.port = free_udp_port()

    def start(self):
        with open(self.path("snmptrapd.conf"), "w") as f:
            f.write(f"disableAuthorization yes\n{self.extra}\n")
        environment = {**self.environment(), "MIBS": "TALLYMAN-MIB",
                       "MIBDIRS": MIB_DIRECTORIES}
        self._daemon.start(
            ["snmptrapd", "-f", "-Lo", "-n", "-C",
             "-c", self.path("snmptrapd.conf"), "-OqtU",
             "-F", f"NOTIFICATION %V{_BETWEEN}%v\\n",
             f"udp:127.0.0.1:{self.port}"],
            env=environment)
        wait_until(lambda: "NET-SNMP version" in self.log(),
                   "snmptrapd is ready", timeout=15)
        return self

    def received(self):
        """[{object with index: value}], oldest first. The kind is the value
        of snmpTrapOID.0, which SNMPv2-MIB would name."""
        found = []
        for line in self.log().splitlines():
            if line.startswith("NOTIFICATION "):
                binds = line.split(" ", 1)[1].split(_BETWEEN)
                found.append({name.split("::")[-1]: _unquoted(value)
                              for name, _, value in
                              (bind.strip().partition(" ") for bind in binds)})
        return found


class Subagent(_Party):
    """tallyman-agentx in the foreground, attached to `master` (a Snmpd, or a
    socket's name). `config` is the text of tallyman-agentx.conf."""

    def __init__(self, master, config="", user=None):
        super().__init__("agentx")
        self.socket = getattr(master, "socket", master)
        self.config = config
        self.user = user

    def write_config(self):
        with open(self.path("tallyman-agentx.conf"), "w") as f:
            f.write(self.config)

    def command(self, *arguments):
        return [PROGRAM, "-x", self.socket, *arguments]

    def environment(self):
        return {**super().environment(), "LD_LIBRARY_PATH": f"{BUILD}/.libs"}

    def start(self, *arguments, prefix=()):
        self.write_config()
        if self.user:
            os.chmod(self.directory, 0o755)
            shutil.chown(self.path("state"), self.user)
            group = pwd.getpwnam(self.user).pw_gid
            prefix = ["setpriv", f"--reuid={self.user}", f"--regid={group}",
                      "--clear-groups", *prefix]
        self._daemon.start([*prefix, *self.command("-f", "-Lo", *arguments)],
                           env=self.environment())
        return self

    def run(self, *arguments, timeout=20):
        """To its end: (exit status, everything it said)."""
        self.write_config()
        result = subprocess.run(
            self.command(*arguments), env=self.environment(),
            capture_output=True, text=True, timeout=timeout * PATIENCE)
        return result.returncode, result.stdout + result.stderr

    def reload(self, config=None):
        if config is not None:
            self.config = config
        self.write_config()
        os.kill(self.pid, signal.SIGHUP)

    def stop(self):
        """SIGTERM; an unclean end, or a sanitizer's report, is a failure."""
        status = super().stop()
        assert status == 0, f"ended with {status}:\n{self.log()}"
        for sign in ("ERROR: AddressSanitizer", "runtime error:",
                     "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer"):
            assert sign not in self.log(), self.log()

    def close(self):
        try:
            if self.running:
                self.thaw()
                self.stop()
        finally:
            super().close()


def _qualified(name):
    return name if name.startswith(".") or "::" in name else \
        f"TALLYMAN-MIB::{name}"


def _unquoted(value):
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return value[1:-1]
    return value
