#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What it costs to follow the logs of containers that say nothing: CPU of the
whole collectd and its memory. The Engine is scripted, and each container has an
open stream of it; the sink is lighter, whose stream nobody uses.

    bench_logs.py [COUNT…]             default: 100 500 2000"""

import os
import shutil
import sys
import tempfile

from measure import (BenchCollectd, alternate, cpu_seconds, report,
                     resident_bytes, say)
from lighter import Lighter
from process import wait_until
from scripted_engine import ScriptedContainer, ScriptedEngine

COUNTS = (100, 500, 2000)
ROUNDS = 3
SECONDS = 20  # of measuring, in each round
INTERVAL = 10  # collectd's default

MOST_PERCENT = {500: 0.5}
MOST_RSS_MB = {500: 64}


def containers(count):
    for number in range(count):
        yield ScriptedContainer(id=f"{number:064x}", pid=os.getpid(),
                                name=f"quiet-{number}",
                                env={"KINESIS": "lines", "PROCESS": "quiet"})


class Bench:
    def __init__(self, engine, lighter, directory):
        self.engine = engine
        self.lighter = lighter
        self.directory = directory
        self.resident = 0

    def _collectd(self):
        state = tempfile.mkdtemp(dir=self.directory)
        return BenchCollectd(interval=INTERVAL, docker_logs=f"""
            Endpoint "{self.engine.endpoint}"
            StateDir "{state}"
            <Kinesis>
              {self.lighter.config()}
              Aggregate true
            </Kinesis>""")

    def open_streams(self):
        return sum(count for request, count in list(self.engine.requests.items())
                   if request.endswith("/logs"))

    def _percent(self, collectd):
        return 100 * collectd.cpu_per_interval(SECONDS // INTERVAL) / INTERVAL

    def following(self, count):
        self.engine.requests.clear()
        with self._collectd() as collectd:
            wait_until(lambda: self.open_streams() >= count,
                       f"{count} streams are open", timeout=60)
            opened = cpu_seconds(collectd.pid)
            say(f"opening {count} streams took {opened:.2f} s of CPU")
            collectd.cpu_per_interval(1)  # nothing is new any more
            percent = self._percent(collectd)
            self.resident = resident_bytes(collectd.pid)
            assert self.open_streams() == count, "streams were opened again"
        return percent

    def nothing(self):
        with BenchCollectd(interval=INTERVAL) as collectd:
            return self._percent(collectd)


def measure(bench, count):
    cpu = alternate(ROUNDS, bare=bench.nothing,
                    ours=lambda: bench.following(count))
    report(f"CPU of following {count} quiet containers",
           cpu["ours"] - cpu["bare"], "% of a core", **bar(MOST_PERCENT, count))
    report(f"RSS, following {count} quiet containers",
           bench.resident / (1 << 20), "MiB", **bar(MOST_RSS_MB, count))


def bar(bars, count):
    return {"most": bars[count]} if count in bars else {}


def main(counts):
    directory = tempfile.mkdtemp(prefix="tally-bench-")
    try:
        for count in counts:
            say(f"-- {count} containers")
            with ScriptedEngine() as engine, Lighter() as lighter:
                for container in containers(count):
                    engine.add(container)
                measure(Bench(engine, lighter, directory), count)
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1:]] or COUNTS)
