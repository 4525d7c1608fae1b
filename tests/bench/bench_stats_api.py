#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real containers on a real Engine: what a round of the stats API costs the
host, against an interval of ours. The CPU of dockerd, containerd and the shims
is counted for both, what they use while nobody asks for anything for neither.
The client of the stats API is one curl for all containers, which costs less
than any agent would.

    bench_stats_api.py [COUNT]         default: 30"""

import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from measure import (BenchCollectd, alternate, cpu_per_second, cpu_seconds,
                     our_plugins, report, say)
from engine import Engine

COUNT = 30
ROUNDS = 5
SECONDS = 10  # of measuring ours, and of measuring nobody
SETTLE = 20
STATS_ROUNDS = 3  # in each of ROUNDS

LEAST_RATIO = 50
# What two measurements of the same idle daemons differ by anyway.
NOISE_MS = 1.0


class Bench:
    def __init__(self, engine, count):
        self.engine = engine
        self.ids = [engine.run("sleep", "100000").id for _ in range(count)]
        self.idle = 0.0    # as it was last; the others are made less by it
        self.during = []   # the daemons' share while ours ran

    def daemons(self):
        return sum(map(cpu_seconds, self.engine.daemon_pids))

    # -- each returns seconds of CPU per round or interval ---------------------

    def nobody(self):
        self.idle = cpu_per_second(self.engine.daemon_pids, SECONDS)
        return self.idle

    def stats_api(self, query):
        urls = []
        for container_id in self.ids:
            urls += ["-o", "/dev/null", "http://localhost/v1.41/containers/"
                     f"{container_id}/stats?{query}"]

        def everything():
            client = resource.getrusage(resource.RUSAGE_CHILDREN)
            return self.daemons() + client.ru_utime + client.ru_stime

        before, start = everything(), time.monotonic()
        for _ in range(STATS_ROUNDS):
            subprocess.run(
                ["curl", "--no-progress-meter", "--fail", "--parallel",
                 "--parallel-max", "300", "--parallel-immediate",
                 "--unix-socket", self.engine.socket, *urls],
                check=True, timeout=120)
        spent = everything() - before
        return (spent - self.idle * (time.monotonic() - start)) / STATS_ROUNDS

    def bare_collectd(self):
        with BenchCollectd() as collectd:
            return collectd.cpu_per_interval(SECONDS)

    def with_us(self):
        """Our collectd; the daemons' share during it goes to `during`."""
        state = tempfile.mkdtemp(prefix="tally-bench-")
        try:
            with BenchCollectd(**our_plugins(self.engine.endpoint, state)) as collectd:
                # The start is not an interval: it inspects every container
                # once, with which the daemons' runtime is busy for a while.
                time.sleep(SETTLE)
                daemons, start = self.daemons(), time.monotonic()
                ours = collectd.cpu_per_interval(SECONDS)
                self.during.append((self.daemons() - daemons)
                                   / (time.monotonic() - start))
        finally:
            shutil.rmtree(state)
        return ours

    def run(self):
        time.sleep(SECONDS)  # starting containers keeps the daemons busy after
        cpu = alternate(
            ROUNDS, nobody=self.nobody, ours=self.with_us,
            two_samples=lambda: self.stats_api("stream=false"),
            one_shot=lambda: self.stats_api("stream=false&one-shot=true"),
            bare=self.bare_collectd)
        self.report(cpu, statistics.median(self.during) - cpu["nobody"])

    def report(self, cpu, daemons_extra):
        of = f"{len(self.ids)} containers"
        ours = cpu["ours"] - cpu["bare"] + max(0, daemons_extra)
        report(f"collectd with us, per interval, {of}", ours * 1e3, "ms",
               note="added to a bare collectd and to idle daemons")
        report(f"dockerd, containerd, shims: added by us per interval, {of}",
               daemons_extra * 1e3, "ms", most=NOISE_MS,
               note=f"idle they use {cpu['nobody'] * 1e3:.2f} ms/s")
        for key, text in (("two_samples", "two samples"),
                          ("one_shot", "one-shot")):
            report(f"stats API, {text}, in parallel, per round, {of}",
                   cpu[key] * 1e3, "ms")
            report(f"stats API, {text} : ours", cpu[key] / ours, "×",
                   least=LEAST_RATIO)


def main(count):
    engine = Engine()
    try:
        engine.start()
        say(f"-- {count} real containers")
        Bench(engine, count).run()
    finally:
        engine.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT)
