#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What tallyman-agentx uses while nobody asks: CPU and memory at its default
interval, beside a private snmpd, with the cgroups of the farm and a scripted
Engine that knows them; and what memory it keeps after a minute in which
containers came and went.

    bench_agentx_idle.py [COUNT…]      default: 100 1000"""

import shutil
import sys
import tempfile
import time

from measure import (Farm, cpu_per_second, descriptors, report,
                     resident_bytes, say)
from process import wait_until
from scripted_engine import ScriptedContainer, ScriptedEngine
import snmp

COUNTS = (100, 1000)
INTERVAL = 10  # the default
SETTLE = 2     # intervals, until no container is young any more
INTERVALS = 4  # of measuring

MOST_PERCENT = {100: 0.1}
MOST_RSS_MB = {100: 12, 1000: 32}

CHURN_SECONDS = 60
CHURN = 25  # containers at a time that go and come under other ids
MOST_GROWTH_MB = 4


class Idle:
    def __init__(self, engine, containers):
        self.engine = engine
        self.count = len(containers)
        for number, (container_id, pid) in enumerate(containers):
            engine.add(ScriptedContainer(id=container_id, pid=pid,
                                         name=f"shop-web-{number}"))
        self.master = snmp.Snmpd().start()
        self.agent = snmp.Subagent(
            self.master, f"dockerEndpoint {engine.endpoint}\n"
            "collectdSocket off\n")

    def close(self):
        self.agent.close()
        self.master.close()

    def shown(self):
        return int(self.master.get("tallyContainersRunning.0") or 0)

    def megabytes(self):
        return resident_bytes(self.agent.pid) / (1 << 20)

    def report_idle(self):
        self.agent.start()
        self.master.wait_for_subagent()
        wait_until(lambda: self.shown() == self.count,
                   "all containers are shown", timeout=120, step=0.5)
        time.sleep(SETTLE * INTERVAL)
        percent = 100 * cpu_per_second([self.agent.pid], INTERVALS * INTERVAL)
        of = f"{self.count} containers"
        bar = ({"most": MOST_PERCENT[self.count]}
               if self.count in MOST_PERCENT else {})
        report(f"CPU of an idle subagent, {of}", percent, "% of a core", **bar)
        bar = ({"most": MOST_RSS_MB[self.count]}
               if self.count in MOST_RSS_MB else {})
        report(f"RSS of an idle subagent, {of}", self.megabytes(), "MiB", **bar)
        report(f"descriptors of the subagent, {of}",
               descriptors(self.agent.pid), "")

    def replace_some(self, generation):
        """Some containers are removed and made again under their names, each
        with a cgroup that does not exist."""
        for number in range(CHURN):
            old = self.churned.pop(0)
            self.engine.emit_container(old, "die", exitCode="0")
            self.engine.emit_container(old, "destroy")
            self.engine.remove(old)
            self.churned.append(self.add_stranger(generation * CHURN + number))

    def add_stranger(self, number):
        container = ScriptedContainer(id=f"{number:064x}", pid=0,
                                      name=f"churn-{number % self.count}")
        self.engine.add(container)
        self.engine.emit_container(container.id, "start")
        return container.id

    def report_growth(self):
        """Twice the same: what the first round needs is no growth."""
        self.churned = [self.add_stranger(1 << 40 | n) for n in range(CHURN)]
        sizes = []
        generation = 0
        for _ in range(2):
            until = time.monotonic() + CHURN_SECONDS / 2
            while time.monotonic() < until:
                generation += 1
                self.replace_some(generation)
                time.sleep(0.1)
            sizes.append(self.megabytes())
        report(f"RSS after {generation * CHURN} containers came and went, "
               f"{self.count} containers", sizes[1], "MiB")
        report("of it since half of the time", sizes[1] - sizes[0], "MiB",
               most=MOST_GROWTH_MB)


def main(counts):
    for count in counts:
        say(f"-- {count} containers")
        io_dir = tempfile.mkdtemp(prefix="tally-farm-")
        try:
            with Farm(count, io_dir) as farm, ScriptedEngine() as engine:
                idle = Idle(engine, farm.containers)
                try:
                    idle.report_idle()
                    if count >= 1000:
                        idle.report_growth()
                finally:
                    idle.close()
        finally:
            shutil.rmtree(io_dir)


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1:]] or COUNTS)
