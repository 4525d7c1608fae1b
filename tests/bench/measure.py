# SPDX-License-Identifier: MIT
"""What the benches share: CPU clocks, memory, the farm, a collectd to measure,
and how a number is reported."""

import json
import os
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../system"))

# pylint: disable=wrong-import-position
import collectd as system_collectd  # noqa: E402
from process import wait_until  # noqa: E402

CSV = """\
LoadPlugin csv
<Plugin csv>
  DataDir "{directory}/csv"
  StoreRates false
</Plugin>"""

# Everything up to the cache is done, nothing is written. Without this collectd
# would log for each value that nobody wants it, which costs more than a writer.
NO_WRITER = """\
PostCacheChain "end"
<Chain "end">
  Target "stop"
</Chain>"""

DEFAULT_WRITE_THREADS = 5  # collectd's own

_CONFIG = """\
Hostname "node"
FQDNLookup false
BaseDir "{directory}"
PIDFile "{directory}/collectd.pid"
Interval {interval}
WriteThreads {write_threads}
TypesDB "{stock_types}" "{source}/types.db"
PluginDir "{stock_plugins}"
LoadPlugin logfile
<Plugin logfile>
  LogLevel info
  File "{directory}/collectd.log"
</Plugin>
{writer}
{ours}
"""


def _plugin_block(name, body):
    where = "tests/bench/" if name.startswith("bench_") else ""
    return (f'PluginDir "{system_collectd.BUILD}/{where}.libs"\n'
            f"LoadPlugin {name}\n<Plugin {name}>\n{body}\n</Plugin>")


def report(what, value, unit, note="", **bar):
    """`bar` is most=… or least=…; see table.py."""
    print(json.dumps({"what": what, "value": value, "unit": unit,
                      "note": note, **bar}, ensure_ascii=False), flush=True)


def say(text):
    print(text, flush=True)


# ---- clocks and memory -------------------------------------------------------

def cpu_seconds(pid):
    """User + system of a process, threads that have ended included. Through
    the process's CPU clock (clock_getcpuclockid(3)) and not /proc/PID/stat,
    whose ticks of 10 ms are more than what is measured here."""
    CPUCLOCK_SCHED = 2
    return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)


def resident_bytes(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+) kB", f.read())[1]) << 10


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def cpu_per_second(pids, seconds, act=None):
    """CPU seconds that the processes use per second, over `seconds`; the
    function `act` is called as often as fits and counts as part of it."""
    before, start = sum(map(cpu_seconds, pids)), time.monotonic()
    while time.monotonic() - start < seconds:
        act() if act else time.sleep(seconds)
    return ((sum(map(cpu_seconds, pids)) - before)
            / (time.monotonic() - start))


# ---- parts -------------------------------------------------------------------

class Farm:
    """Cgroups with a sleeping process each; see cgroup_farm.c."""

    def __init__(self, count, io_dir):
        program = os.path.join(system_collectd.BUILD, "tests/bench/cgroup_farm")
        self._process = subprocess.Popen(
            [program, "-n", str(count), "-i", "-b", io_dir],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.containers = []  # (id, pid)
        for line in self._process.stdout:
            container_id, pid = line.split()
            self.containers.append((container_id, int(pid)))
            if len(self.containers) == count:
                return
        self.close()
        raise RuntimeError("cgroup_farm ended early")

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def our_plugins(endpoint, state_dir):
    """Everything that watches containers, as an operator would load it."""
    where = f'Endpoint "{endpoint}"'
    state = f'StateDir "{state_dir}"'
    return {"docker_stats": where, "docker_events": f"{where}\n{state}",
            "cgroup_adjust": f"{where}\n{state}\nDryRun true"}


class BenchCollectd(system_collectd.Collectd):
    """A collectd with nothing loaded that is not measured."""

    def __init__(self, writer=NO_WRITER, write_threads=DEFAULT_WRITE_THREADS,
                 open_files=None, **plugins):
        super().__init__(**plugins)
        self._writer = writer
        self._write_threads = write_threads
        self._open_files = open_files  # limit of descriptors; None: as it is

    def write_config(self):
        config = self.path("collectd.conf")
        with open(config, "w") as f:
            f.write(_CONFIG.format(
                directory=self.directory, source=system_collectd.SOURCE,
                stock_types=system_collectd.STOCK_TYPES,
                stock_plugins=system_collectd.STOCK_PLUGINS,
                interval=self.interval, write_threads=self._write_threads,
                writer=self._writer.format(directory=self.directory),
                ours="\n".join(_plugin_block(name, body)
                               for name, body in self.plugins.items())))
        return config

    def start(self):
        limit = self._open_files
        self._daemon.start(
            [*(["prlimit", f"--nofile={limit}:{limit}"] if limit else []),
             "collectd", "-f", "-C", self.write_config()])

        def ready():
            self._daemon.require_running()
            return "entering read-loop" in self.log()
        wait_until(ready, "collectd reads", timeout=30)
        return self

    def cpu_per_interval(self, intervals):
        """CPU seconds of the process, from now on."""
        late = self._late_reads()
        cpu = self.interval * cpu_per_second([self.pid],
                                             intervals * self.interval)
        # A reader that is late skips intervals, so they were not so many
        if self._late_reads() > late:
            raise RuntimeError("reading took longer than the interval: this "
                               "machine is too slow or too busy")
        return cpu

    def _late_reads(self):
        return self.log().count("above its read interval")

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()


def alternate(rounds, **kinds):
    """Calls the functions in turn, `rounds` times; medians by name. In turn,
    so that whatever else the machine does meets all of them."""
    found = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, function in kinds.items():
            found[name].append(function())
    return {name: statistics.median(values) for name, values in found.items()}
