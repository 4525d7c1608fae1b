# SPDX-License-Identifier: MIT
"""A private collectd with our plugins from the build tree, and what it says.

Keyword arguments name our plugins; the value is the inside of the <Plugin>
block, or a list of them for several blocks:

    Collectd(docker_stats=f'Endpoint "{engine.endpoint}"')

Each value dispatched reaches the csv plugin (one file per identifier and day,
counters as they are); each notification and log line reaches logfile."""

import glob
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from typing import NamedTuple

import samples
from process import PATIENCE, Daemon, wait_until

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.path.abspath(os.environ.get("TALLYMAN_BUILD",
                                       os.path.join(SOURCE, "build")))
STOCK_TYPES = "/usr/share/collectd/types.db"
STOCK_PLUGINS = next((directory for directory in
                      ("/usr/lib/collectd", "/usr/lib64/collectd")
                      if os.path.isdir(directory)), "/usr/lib/collectd")

_CONFIG = """\
Hostname "{hostname}"
FQDNLookup false
BaseDir "{directory}"
PIDFile "{directory}/collectd.pid"
Interval {interval}
TypesDB "{stock_types}" "{source}/types.db"
PluginDir "{stock_plugins}"
LoadPlugin logfile
<Plugin logfile>
  LogLevel info
  File "{directory}/collectd.log"
  PrintSeverity true
</Plugin>
LoadPlugin csv
<Plugin csv>
  DataDir "{directory}/csv"
  StoreRates false
</Plugin>
LoadPlugin unixsock
<Plugin unixsock>
  SocketFile "{directory}/unixsock"
  DeleteSocket true
</Plugin>
{stock}
PluginDir "{build}/.libs"
{ours}
"""

_NOTIFICATION = re.compile(
    r"Notification: severity = (?P<severity>\w+), host = (?P<host>[^,]*)"
    r"(?:, plugin = (?P<plugin>[^,]*))?"
    r"(?:, plugin_instance = (?P<plugin_instance>[^,]*))?"
    r"(?:, type = (?P<type>[^,]*))?"
    r"(?:, type_instance = (?P<type_instance>[^,]*))?"
    r"(?:, message = (?P<message>.*))?$")


class Notification(NamedTuple):
    severity: str
    host: str
    plugin: str
    plugin_instance: str
    type: str
    type_instance: str
    message: str


class Collectd:
    def __init__(self, interval=1, hostname="node", stock="", mounts="",
                 **plugins):
        """`stock` goes into the configuration before our plugins. `mounts` is
        a piece of shell that changes what this daemon alone sees: it runs
        before the daemon, in a mount namespace of its own."""
        self.directory = tempfile.mkdtemp(prefix="tally-collectd-")
        self.hostname = hostname
        self.interval = interval
        self.stock = stock
        self.mounts = mounts
        self.plugins = plugins
        self._daemon = Daemon("collectd", self.path("stderr"))

    def path(self, name):
        return os.path.join(self.directory, name)

    # -- life cycle ---------------------------------------------------------

    def write_config(self):
        blocks = []
        for name, bodies in self.plugins.items():
            blocks.append(f"LoadPlugin {name}")
            for body in [bodies] if isinstance(bodies, str) else bodies:
                blocks.append(f"<Plugin {name}>\n{body}\n</Plugin>")
        config = self.path("collectd.conf")
        with open(config, "w") as f:
            f.write(_CONFIG.format(
                hostname=self.hostname, directory=self.directory,
                interval=self.interval, stock_types=STOCK_TYPES, source=SOURCE,
                stock_plugins=STOCK_PLUGINS, stock=self.stock, build=BUILD,
                ours="\n".join(blocks)))
        return config

    def start(self):
        command = ["collectd", "-f", "-C", self.write_config()]
        if self.mounts:
            command = ["unshare", "--mount", "--propagation", "private",
                       "sh", "-e", "-c", f'{self.mounts}\nexec "$@"', "sh",
                       *command]
        self._daemon.start(command, env=_environment())

        def ready():
            self._daemon.require_running()
            return self._socket_answers()
        wait_until(ready, "collectd is ready", timeout=15)
        return self

    def stop(self):
        """SIGTERM; an unclean end, or a sanitizer's report, is a failure."""
        status = self._daemon.terminate(timeout=20)
        assert status == 0, f"collectd ended with {status}:\n{self.stderr()}"
        self.require_clean()

    def kill9(self):
        self._daemon.kill()

    def restart(self):
        self.stop()
        self.start()

    def close(self):
        try:
            if self._daemon.running:
                self.stop()
        finally:
            self._daemon.kill()
            shutil.rmtree(self.directory, ignore_errors=True)

    def check_config(self):
        """`collectd -T`: (exit status, everything it said)."""
        result = subprocess.run(
            ["collectd", "-T", "-C", self.write_config()], env=_environment(),
            capture_output=True, text=True, timeout=30 * PATIENCE)
        return result.returncode, result.stdout + result.stderr + self.log()

    # -- what it says -------------------------------------------------------

    def log(self):
        try:
            with open(self.path("collectd.log"), errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def stderr(self):
        return self._daemon.log()

    def require_clean(self):
        for sign in ("ERROR: AddressSanitizer", "runtime error:",
                     "WARNING: ThreadSanitizer"):
            assert sign not in self.stderr(), self.stderr()

    def wait_for_log(self, pattern, timeout=10):
        return wait_until(lambda: re.search(pattern, self.log()),
                          f"log line /{pattern}/", timeout)

    def notifications(self):
        found = (_NOTIFICATION.search(line)
                 for line in self.log().splitlines())
        return [Notification(**{key: value or "" for key, value
                                in match.groupdict().items()})
                for match in found if match]

    def samples(self, identifier, host=None):
        """Every value list dispatched so far for `docker-web/if_octets-eth0`
        and the like, oldest first."""
        return samples.read(self.path("csv"), host or self.hostname, identifier)

    def wait_for_samples(self, identifier, count=1, host=None, timeout=10):
        """Until there are so many; all of them."""
        return wait_until(
            lambda: (found := self.samples(identifier, host))
            and len(found) >= count and found,
            f"{count} samples of {identifier}", timeout)

    def identifiers(self, host=None):
        return samples.identifiers(self.path("csv"), host or self.hostname)

    def getval(self, identifier, host=None):
        """The cache's newest values, once there are any, counters as rates:
        {source: float}."""
        def ask():
            try:
                return self._ask(
                    f'GETVAL "{host or self.hostname}/{identifier}"')
            except KeyError:
                return None
        return {key: float(value) for key, value in
                (line.split("=") for line in
                 wait_until(ask, f"values of {identifier}"))}

    def listval(self):
        return [line.split(" ", 1)[1] for line in self._ask("LISTVAL")]

    def _ask(self, *commands):
        """The answer to the last of them."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.settimeout(5 * PATIENCE)
            s.connect(self.path("unixsock"))
            stream = s.makefile("rw")
            for command in commands:
                stream.write(command + "\n")
                stream.flush()
                count, message = stream.readline().split(" ", 1)
                if int(count) < 0:
                    raise KeyError(f"{command}: {message.strip()}")
                answer = [stream.readline().strip() for _ in range(int(count))]
            return answer

    def _socket_answers(self):
        try:
            self._ask("LISTVAL")
            return True
        except (OSError, ValueError):
            return False

    # -- what it is told ----------------------------------------------------

    def putval(self, identifier, *values, time=None):
        """One value list, as from a plugin of its host: "nan" is not known."""
        numbers = ":".join("U" if v == "nan" else str(v) for v in values)
        self._ask(f'PUTVAL "{self.hostname}/{identifier}" '
                  f'interval={self.interval} {time or "N"}:{numbers}')

    def putvals(self, *values):
        """Many of them, as (identifier with its host, value)."""
        self._ask(*(f'PUTVAL "{identifier}" interval={self.interval} N:{value}'
                    for identifier, value in values))

    def notify(self, severity, message, **fields):
        """`fields` are those of an identifier: plugin, type, …"""
        fields = {"host": self.hostname, **fields}
        words = " ".join(f'{key}="{value}"' for key, value in fields.items())
        self._ask(f'PUTNOTIF severity={severity} time={int(time.time())} '
                  f'{words} message="{message}"')

    def flush(self, plugin):
        self._ask(f'FLUSH plugin="{plugin}"')

    # -- what it costs ------------------------------------------------------

    @property
    def pid(self):
        return self._daemon.pid

    @property
    def running(self):
        return self._daemon.running

    def cpu_seconds(self):
        """User + system of the whole process, as fine as the tick (10 ms)."""
        with open(f"/proc/{self.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def threads(self):
        """The names of its threads."""
        found = []
        for path in glob.glob(f"/proc/{self.pid}/task/*/comm"):
            with open(path) as f:
                found.append(f.read().strip())
        return found

    def rss_bytes(self):
        return self._memory("VmRSS")

    def peak_rss_bytes(self):
        return self._memory("VmHWM")

    def _memory(self, key):
        with open(f"/proc/{self.pid}/status") as f:
            return int(re.search(rf"{key}:\s+(\d+) kB", f.read())[1]) * 1024


def _environment():
    """A sanitizer's runtime has to come first into collectd, which is not
    built with it."""
    preload = os.environ.get("TALLYMAN_PRELOAD")
    return {**os.environ, "LD_PRELOAD": preload} if preload else None
