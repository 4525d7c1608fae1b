# SPDX-License-Identifier: MIT
"""A quay full of containers that do something measurable, and collectd
watching them. Everything runs before collectd starts."""

import os
import shutil
import tempfile

import kernel
from process import wait_until

MIB = 1 << 20
EATEN = 50 * MIB
SHARED = 20 * MIB
WRITTEN = 20 * MIB
SENT = 10 * MIB
FORKED = 20
TCP_ESTABLISHED, TCP_LISTEN = 1, 10  # include/net/tcp_states.h

# Three busy loops share half a core: the load is 3, and most periods throttle.
_BURN = "for i in 1 2 3; do while :; do :; done & done; wait"
# dd keeps its 50 MB block while the pipe is full.
_EAT = (f"dd if=/dev/zero of=/dev/shm/x bs={SHARED} count=1; "
        f"dd if=/dev/zero bs={EATEN} count=1 | sleep 1000")
_WRITE = (f"dd if=/dev/zero of=/disk/x bs={MIB} count={WRITTEN // MIB} "
          "conv=fsync; sleep 1000")
_FORK = f"for i in $(seq {FORKED}); do sleep 1000 & done; wait"
# tail wants to hold all of /dev/zero; the shell survives it. The room is more
# than that, because runc puts itself and a copy of its program there first.
_STARVE, STARVED = "tail /dev/zero; sleep 1000", 48 * MIB
# nc ends when its standard input does.
_RECEIVE = ("nc -ll -p 9001 -e cat & "
            "sleep 1000 | nc -l -p 9000 >/dev/null; sleep 1000")
_SEND = (f"dd if=/dev/zero bs={MIB} count={SENT // MIB} | nc {{ip}} 9000; "
         "for i in 1 2 3; do sleep 1000 | nc {ip} 9001 & done; wait")


class Quay:
    def __init__(self, engine):
        self.engine = engine
        # Of a real disk, which /tmp need not be.
        self._disk = tempfile.mkdtemp(prefix="tally-disk-", dir="/var/tmp")
        self.disk_device = kernel.disk_below(self._disk)
        self.containers = {}
        self.cgroups = {}

    def _run(self, name, script, **how):
        container = self.engine.run("sh", "-c", script, name=name, **how)
        self.containers[name] = container
        self.cgroups[name] = kernel.Cgroup(container.pid)
        return container

    def fill(self):
        receiver = self._run("receiver", _RECEIVE)
        self._run("burner", _BURN, NanoCpus=500_000_000)
        self._run("eater", _EAT, Memory=200 * MIB, MemorySwap=300 * MIB,
                  CpusetCpus="0")
        # Since Linux 6.10 v1 counts only on disks for which a limit was set.
        self._run("writer", _WRITE, Binds=[f"{self._disk}:/disk"],
                  BlkioDeviceWriteBps=[
                      {"Path": self.disk_device, "Rate": 10**10}])
        self._run("forker", _FORK, PidsLimit=50)
        self._run("starver", _STARVE, Memory=STARVED)
        address = receiver.inspect()["NetworkSettings"]["Networks"]["bridge"]
        self._run("sender", _SEND.format(ip=address["IPAddress"]))
        wait_until(self._has_happened, "the containers have done their work",
                   timeout=30)

    def _has_happened(self):
        of = self.cgroups
        return (of["burner"].threads() == 4
                and self.throttling("burner")["throttled_time"] > 0
                and of["eater"].memory()["anon"] > EATEN
                and of["writer"].block_bytes().get(
                    self.disk_name, (0, 0))[1] >= WRITTEN
                and of["forker"].threads() == FORKED + 1
                and of["starver"].oom_kills() >= 1
                and of["receiver"].network()["eth0"]["rx_octets"] >= SENT
                and of["sender"].tcp_connections().get(
                    TCP_ESTABLISHED) == 3)

    @property
    def disk_name(self):
        return os.path.basename(self.disk_device)

    def close(self):
        for container in self.containers.values():
            container.remove()
        shutil.rmtree(self._disk, ignore_errors=True)

    # -- the truth, as the data sources of a value list ----------------------

    def cpu(self, name):
        cgroup = self.cgroups[name]
        user, system = cgroup.cpu_user_system_ns()
        return {"usage": cgroup.cpu_usage_ns(), "user": user, "system": system}

    def throttling(self, name):
        return dict(zip(("periods", "throttled", "throttled_time"),
                        self.cgroups[name].throttling()))

    def memory(self, name):
        return self.cgroups[name].memory()

    def pressure(self, name):
        found = {}
        for resource in ("cpu", "memory", "io"):
            some, full = self.cgroups[name].pressure_total_us(resource)
            found[f"{resource}_some_total"] = some
            found[f"{resource}_full_total"] = full
        return found

    def disk(self, name, what):
        counters = getattr(self.cgroups[name], f"block_{what}")()
        return dict(zip(("read", "write"), counters[self.disk_name]))

    def network(self, name, what):
        eth0 = self.cgroups[name].network()["eth0"]
        return {way: eth0[f"{way}_{what}"] for way in ("rx", "tx")}

    def tasks(self, name):
        cgroup = self.cgroups[name]
        return {"processes": cgroup.processes(), "threads": cgroup.threads()}

    def tcp(self, name):
        found = self.cgroups[name].tcp_connections()
        return {"established": found.get(TCP_ESTABLISHED, 0),
                "listen": found.get(TCP_LISTEN, 0)}
