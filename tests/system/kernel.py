# SPDX-License-Identifier: MIT
"""The kernel's own numbers for one process's cgroup, read independently of the
code under test: cgroup v1, hybrid and v2 through /proc/PID/cgroup.

Units: nanoseconds, bytes, counts. A value that this kernel does not keep
raises FileNotFoundError or KeyError: a test that asks for it must know."""

import os
import re


def read(path):
    with open(path) as f:
        return f.read()


def pairs(text):
    """Lines of `key value`, as in memory.stat."""
    return {key: int(value) for key, value in
            (line.split() for line in text.splitlines())}


def _hierarchies():
    """Mount point of each v1 controller, and of the v2 tree under ''.
    Bind mounts of a part of a hierarchy are not what we want: root is '/'."""
    found = {}
    for line in read("/proc/self/mountinfo").splitlines():
        left, right = line.split(" - ")
        _, _, _, root, point = left.split()[:5]
        kind, _, options = right.split()
        if root != "/" or point.startswith("/proc"):
            continue
        if kind == "cgroup2":
            found.setdefault("", point)
        elif kind == "cgroup":
            for option in options.split(","):
                found.setdefault(option, point)
    return found


def is_unified():
    """True when the controllers live in the v2 tree."""
    return os.path.exists("/sys/fs/cgroup/cgroup.controllers")


class Cgroup:
    """The cgroup of a process. Paths are resolved once, so that the numbers
    can still be asked for while the process is ending."""

    def __init__(self, pid):
        self.pid = pid
        mounts = _hierarchies()
        self._paths = {}
        for line in read(f"/proc/{pid}/cgroup").splitlines():
            _, controllers, path = line.split(":", 2)
            for controller in controllers.split(","):
                if controller in mounts:
                    self._paths[controller] = mounts[controller] + path
        self.unified = is_unified()

    def path(self, controller, name=""):
        directory = self._paths["" if self.unified else controller]
        return os.path.join(directory, name) if name else directory

    def read(self, controller, name):
        return read(self.path(controller, name))

    # -- CPU ----------------------------------------------------------------

    def cpu_usage_ns(self):
        if self.unified:
            return pairs(self.read("cpu", "cpu.stat"))["usage_usec"] * 1000
        return int(self.read("cpuacct", "cpuacct.usage"))

    def cpu_user_system_ns(self):
        if self.unified:
            stat = pairs(self.read("cpu", "cpu.stat"))
            return stat["user_usec"] * 1000, stat["system_usec"] * 1000
        stat = pairs(self.read("cpuacct", "cpuacct.stat"))
        tick = 10**9 // os.sysconf("SC_CLK_TCK")
        return stat["user"] * tick, stat["system"] * tick

    def throttling(self):
        """(periods, throttled periods, throttled ns)"""
        stat = pairs(self.read("cpu", "cpu.stat"))
        if self.unified:
            time = stat["throttled_usec"] * 1000
        else:
            time = stat["throttled_time"]
        return stat["nr_periods"], stat["nr_throttled"], time

    # -- memory -------------------------------------------------------------

    def memory_usage(self):
        return int(self.read("memory", "memory.current" if self.unified
                             else "memory.usage_in_bytes"))

    def memory_stat(self):
        return pairs(self.read("memory", "memory.stat"))

    def memory(self):
        """The numbers of container_memory that the kernel keeps itself."""
        stat = self.memory_stat()
        names = ["active_anon", "inactive_anon", "active_file",
                 "inactive_file", "shmem"]
        if self.unified:
            found = {name: stat[name] for name in ["anon", "file", *names]}
            found.update(page_faults=stat["pgfault"],
                         major_page_faults=stat["pgmajfault"],
                         kernel=stat["kernel"],
                         swap=int(self.read("memory", "memory.swap.current")),
                         limit_hits=pairs(self.read(
                             "memory", "memory.events"))["max"])
        else:
            found = {name: stat[f"total_{name}"] for name in names}
            found.update(anon=stat["total_rss"], file=stat["total_cache"],
                         page_faults=stat["total_pgfault"],
                         major_page_faults=stat["total_pgmajfault"],
                         kernel=int(self.read("memory",
                                              "memory.kmem.usage_in_bytes")),
                         swap=stat["total_swap"],
                         limit_hits=int(self.read("memory", "memory.failcnt")))
        return {"usage": self.memory_usage(), "oom_kills": self.oom_kills(),
                **found}

    def oom_kills(self):
        if self.unified:
            return pairs(self.read("memory", "memory.events"))["oom_kill"]
        return pairs(self.read("memory", "memory.oom_control"))["oom_kill"]

    # -- limits, None where there is none -------------------------------------

    def _limit(self, controller, name):
        text = self.read(controller, name).strip()
        # v1 says "no limit" with the largest page-aligned number
        return None if text == "max" or int(text) >= 1 << 62 else int(text)

    def memory_limit(self):
        return self._limit("memory", "memory.max" if self.unified
                           else "memory.limit_in_bytes")

    def memory_high(self):
        return self._limit("memory", "memory.high" if self.unified
                           else "memory.soft_limit_in_bytes")

    def swap_limit(self):
        """Of swap alone."""
        if self.unified:
            return self._limit("memory", "memory.swap.max")
        both = self._limit("memory", "memory.memsw.limit_in_bytes")
        # There may be no other while they are changed one after the other.
        return None if both is None else both - (self.memory_limit() or 0)

    def cpu_limit(self):
        """In cores."""
        if self.unified:
            quota, period = self.read("cpu", "cpu.max").split()
        else:
            quota = self.read("cpu", "cpu.cfs_quota_us").strip()
            period = self.read("cpu", "cpu.cfs_period_us")
        return None if quota in ("max", "-1") else int(quota) / int(period)

    def threads_limit(self):
        return self._limit("pids", "pids.max")

    # -- the rest -----------------------------------------------------------

    def processes(self):
        return len(self.read("pids", "cgroup.procs").split())

    def threads(self):
        return int(self.read("pids", "pids.current"))

    def block_bytes(self):
        """{device name: (read, written)} as the throttling layer counts."""
        return self._block("blkio.throttle.io_service_bytes", "bytes")

    def block_operations(self):
        return self._block("blkio.throttle.io_serviced", "ios")

    def _block(self, v1_file, v2_unit):
        found = {}
        if self.unified:
            for line in self.read("io", "io.stat").splitlines():
                device, *fields = line.split()
                values = dict(field.split("=") for field in fields)
                found[device_name(device)] = (int(values["r" + v2_unit]),
                                              int(values["w" + v2_unit]))
            return found
        per_device = {}
        for device, operation, count in re.findall(
                r"^(\d+:\d+) (\w+) (\d+)$", self.read("blkio", v1_file),
                re.MULTILINE):
            per_device.setdefault(device, {})[operation] = int(count)
        return {device_name(device): (values["Read"], values["Write"])
                for device, values in per_device.items()}

    def network(self):
        """{interface: {rx_octets, rx_packets, …, tx_dropped}}"""
        names = ("octets", "packets", "errors", "dropped")
        found = {}
        for line in read(f"/proc/{self.pid}/net/dev").splitlines()[2:]:
            interface, counters = line.split(":")
            numbers = [int(number) for number in counters.split()]
            found[interface.strip()] = {
                **dict(zip([f"rx_{name}" for name in names], numbers[:4])),
                **dict(zip([f"tx_{name}" for name in names], numbers[8:12]))}
        return found

    def pressure_total_us(self, resource):
        """(some, full), kept in the v2 tree, also where v1 has the
        controllers; None where the kernel keeps no pressure per cgroup."""
        try:
            text = read(os.path.join(self._paths[""], f"{resource}.pressure"))
        except (KeyError, OSError):
            return None  # no v2 tree; no PSI; PSI not switched on (psi=1)
        return tuple(int(total) for total in re.findall(r"total=(\d+)", text))

    def tcp_connections(self):
        """{state as the kernel numbers it: sockets}, IPv4 and IPv6."""
        found = {}
        for name in ("tcp", "tcp6"):
            for line in read(f"/proc/{self.pid}/net/{name}").splitlines()[1:]:
                state = int(line.split()[3], 16)
                found[state] = found.get(state, 0) + 1
        return found


def device_name(numbers):
    """'254:0' → 'vda'"""
    return os.path.basename(os.readlink(f"/sys/dev/block/{numbers}"))


def disk_below(path):
    """The device file of the whole disk that holds a directory."""
    number = os.stat(path).st_dev
    entry = os.path.realpath(
        f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    if os.path.exists(f"{entry}/partition"):
        entry = os.path.dirname(entry)
    return f"/dev/{os.path.basename(entry)}"


def has_swap():
    return len(read("/proc/swaps").splitlines()) > 1

