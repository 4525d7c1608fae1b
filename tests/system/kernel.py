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

    def memory_anon(self):
        stat = self.memory_stat()
        return stat["anon"] if self.unified else stat["total_rss"]

    def memory_limit(self):
        """None when unlimited."""
        if self.unified:
            text = self.read("memory", "memory.max").strip()
            return None if text == "max" else int(text)
        limit = int(self.read("memory", "memory.limit_in_bytes"))
        return None if limit >= 1 << 62 else limit

    def oom_kills(self):
        if self.unified:
            return pairs(self.read("memory", "memory.events"))["oom_kill"]
        return pairs(self.read("memory", "memory.oom_control"))["oom_kill"]

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
        """(some, full); v2 only."""
        text = self.read(resource, f"{resource}.pressure")
        return tuple(int(total) for total in re.findall(r"total=(\d+)", text))


def device_name(numbers):
    """'254:0' → 'vda'"""
    return os.path.basename(os.readlink(f"/sys/dev/block/{numbers}"))


def has_swap():
    return len(read("/proc/swaps").splitlines()) > 1

