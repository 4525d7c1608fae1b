#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a whole collectd with our plugins costs, at growing numbers of
containers: CPU per container and interval, memory, descriptors, time to the
first value. The containers are cgroups with a sleeping process (cgroup_farm)
and a scripted Engine that knows them; collectd is the real one.

    bench_process.py [COUNT…]          default: 10 100 1000 5000"""

import os
import shutil
import sys
import tempfile
import time

from measure import (CSV, BenchCollectd, Farm, alternate, descriptors,
                     our_plugins, report, resident_bytes, say)
import samples
from process import wait_until
from scripted_engine import ScriptedContainer, ScriptedEngine

COUNTS = (10, 100, 1000, 5000)
ROUNDS = 3
INTERVALS = 10  # of measuring, in each round
FEW_DESCRIPTORS = 256

MOST_CPU_US = 60
MOST_RSS_MB = {100: 16, 1000: 48}
MOST_REQUESTS = 0.2  # is it alive? But never one for a number


class Bench:
    def __init__(self, engine, containers):
        self.engine = engine
        self.count = len(containers)
        # Thousands are more than a slow machine can read in a second
        self.interval = 1 if self.count < 1000 else 4
        self.directory = tempfile.mkdtemp(prefix="tally-bench-")
        for number, (container_id, pid) in enumerate(containers):
            container = engine.add(ScriptedContainer(
                id=container_id, pid=pid, name=f"shop-web-{number}"))
            container.env["SWAP"] = "1"  # something to do for cgroup_adjust

    def close(self):
        shutil.rmtree(self.directory)

    def with_us(self, **how):
        # A fresh state: each run meets the containers for the first time
        state = tempfile.mkdtemp(dir=self.directory)
        return BenchCollectd(interval=self.interval, **how,
                             **our_plugins(self.engine.endpoint, state))

    def seen(self, collectd):
        """How many containers have values in the csv files."""
        try:
            names = os.listdir(collectd.path("csv/node"))
        except FileNotFoundError:
            return 0
        return sum(name.startswith("docker-") for name in names)

    # -- CPU and memory, without a writer ------------------------------------

    def settle(self, collectd):
        """Until it uses about the same in each interval: the inventory has
        been read, every file is open."""
        deadline = time.monotonic() + 60
        last = collectd.cpu_per_interval(2)
        while time.monotonic() < deadline:
            now = collectd.cpu_per_interval(2)
            if abs(now - last) <= max(0.1 * last, 0.001):
                return
            last = now
        raise RuntimeError("collectd's CPU use does not settle")

    def cpu_with_us(self, **how):
        with self.with_us(**how) as collectd:
            self.settle(collectd)
            asked = self.engine.requests.total()
            cpu = collectd.cpu_per_interval(INTERVALS)
            self.requests = (self.engine.requests.total() - asked) / INTERVALS
            self.resident = resident_bytes(collectd.pid)
            self.descriptors = descriptors(collectd.pid)
        return cpu

    def cpu_without_us(self):
        with BenchCollectd(interval=self.interval) as collectd:
            return collectd.cpu_per_interval(INTERVALS)

    def cpu_of_dispatching(self):
        with BenchCollectd(interval=self.interval,
                           bench_dispatch=f"Containers {self.count}"
                           ) as collectd:
            collectd.cpu_per_interval(2)  # the cache has them all
            return collectd.cpu_per_interval(INTERVALS)

    def report_cost(self):
        cpu = alternate(ROUNDS, bare=self.cpu_without_us,
                        floor=self.cpu_of_dispatching,
                        single=lambda: self.cpu_with_us(write_threads=1),
                        ours=self.cpu_with_us)
        of = f"{self.count} containers"
        report(f"CPU per container and interval, {of}",
               (cpu["ours"] - cpu["bare"]) / self.count * 1e6, "µs",
               most=MOST_CPU_US)
        report(f"collectd's own part: as many value lists of zeros, {of}",
               (cpu["floor"] - cpu["bare"]) / self.count * 1e6, "µs")
        report(f"all of it against that part, {of}",
               (cpu["ours"] - cpu["bare"]) / (cpu["floor"] - cpu["bare"]), "×")
        report(f"the same with WriteThreads 1, {of}",
               (cpu["single"] - cpu["bare"]) / self.count * 1e6, "µs",
               most=MOST_CPU_US)
        bar = ({"most": MOST_RSS_MB[self.count]}
               if self.count in MOST_RSS_MB else {})
        report(f"RSS, {of}", self.resident / (1 << 20), "MiB", **bar)
        report(f"descriptors open, {of}", self.descriptors, "")
        report(f"requests to the Engine per interval, {of}", self.requests, "",
               most=MOST_REQUESTS)

    # -- values, with the csv writer ------------------------------------------

    def values(self, **how):
        """{identifier: number of values}, from complete intervals."""
        with self.with_us(writer=CSV, **how) as collectd:
            start = time.monotonic()
            wait_until(lambda: self.seen(collectd) == self.count,
                       "every container has a value", timeout=60, step=0.05)
            self.first_value = time.monotonic() - start
            self.csv_cpu = collectd.cpu_per_interval(INTERVALS)
            return self.complete_values(collectd)

    def complete_values(self, collectd):
        """Only what came, and was known, in every interval counts."""
        csv = collectd.path("csv")
        found = {}
        for name in samples.identifiers(csv, "node"):
            if name.startswith("docker-"):
                # The first two may lack what is a difference of two samples
                rows = samples.read(csv, "node", name)[2:]
                if len(rows) >= INTERVALS - 3 and not self.gaps(rows):
                    found[name] = min(map(known, rows))
        return found

    def gaps(self, rows):
        """Intervals that brought no value."""
        return sum(later.time - earlier.time > 1.5 * self.interval
                   for earlier, later in zip(rows, rows[1:]))

    def report_values(self):
        values = self.values()
        of = f"{self.count} containers"
        report(f"value lists per container, {of}",
               len(values) / self.count, "", most=12)
        report(f"known values per container, {of}",
               sum(values.values()) / self.count, "", least=40)
        report(f"time to the first value of every container, {of}",
               self.first_value, "s",
               note="with the scripted Engine's own time for its answers")
        report(f"CPU per container and interval with csv, {of}",
               self.csv_cpu / self.count * 1e6, "µs",
               note="the csv plugin opens every file at every write")
        return values

    def report_few_descriptors(self, values):
        few = self.values(open_files=FEW_DESCRIPTORS)
        lost = {name: number - few.get(name, 0)
                for name, number in values.items()
                if few.get(name, 0) < number}
        for name, number in list(lost.items())[:10]:
            say(f"lost: {number} of {values[name]} in {name}")
        report(f"values lost with {FEW_DESCRIPTORS} descriptors, "
               f"{self.count} containers", sum(lost.values()), "", most=0)


def known(row):
    return sum(value == value for value in row.values.values())


def main(counts):
    for count in counts:
        say(f"-- {count} containers")
        io_dir = tempfile.mkdtemp(prefix="tally-farm-")
        try:
            with Farm(count, io_dir) as farm, ScriptedEngine() as engine:
                bench = Bench(engine, farm.containers)
                try:
                    bench.report_cost()
                    values = bench.report_values()
                    if count >= 100:
                        bench.report_few_descriptors(values)
                finally:
                    bench.close()
        finally:
            shutil.rmtree(io_dir)


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1:]] or COUNTS)
