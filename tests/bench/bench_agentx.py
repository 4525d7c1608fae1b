#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What an answer of the SNMP subagent costs, beside a subagent that is made
with net-snmp's table_dataset helper, which most are. Both are asked for the
same table of fixed values by the same manager through a private snmpd each.

    bench_agentx.py [ROUNDS]           default: 5"""

import os
import statistics
import subprocess
import sys

from measure import cpu_seconds, report, resident_bytes, say
from process import wait_until
import snmp

ROUNDS = 5
SECONDS = 1.0  # of walking, per round and kind
ROWS = 100     # of 20 columns: 2 000 varbinds
COLUMNS = 20
BULK = 50

LEAST_RATIO = 1.3
MOST_CPU = 1 / 3  # of table_dataset's, which needs 15 µs where 5 are the aim
MOST_GROWTH = 1.5  # 1 000 rows against 10; a scan of the rows would be 100

TABLE = snmp.root_oid() + ".1.3.1"
PROGRAMS = os.path.join(snmp.BUILD, "tests/bench")


class Walk:
    """What a manager saw, and what it cost."""

    def __init__(self, line, agent_cpu, master_cpu):
        walks, varbinds, seconds, longest, timeouts = line.split()
        self.walks, self.varbinds = int(walks), int(varbinds)
        self.longest, self.timeouts = float(longest), int(timeouts)
        self.rate = self.varbinds / float(seconds)
        self.agent_us = agent_cpu / self.varbinds * 1e6
        self.master_us = master_cpu / self.varbinds * 1e6

    @property
    def size(self):
        return self.varbinds / self.walks if self.walks else 0


class Pair:
    """A master of its own with one subagent: helper, ours or whole."""

    def __init__(self, kind, rows):
        self.master = snmp.Snmpd()
        self.agent = None
        self.kind, self.rows = kind, rows

    def __enter__(self):
        self.master.start()
        self.agent = subprocess.Popen(
            [os.path.join(PROGRAMS, "agentx_agent"), self.kind,
             self.master.socket, str(self.rows)],
            env=self.master.environment(), stderr=subprocess.DEVNULL)
        wait_until(self._answers, f"the subagent ({self.kind}) answers",
                   timeout=60)
        return self

    def _answers(self):
        if self.agent.poll() is not None:
            raise RuntimeError(f"the subagent ({self.kind}) ended")
        shown = self.master.ask("snmpgetnext", "-On", "-t1", "-r0", TABLE)
        return shown.stdout.startswith(TABLE + ".")

    def __exit__(self, *_):
        if self.agent is not None:
            self.agent.terminate()
            self.agent.wait()
        self.master.close()

    def walk(self, bulk=BULK, columns=0, seconds=SECONDS):
        agent, master = cpu_seconds(self.agent.pid), cpu_seconds(self.master.pid)
        line = subprocess.run(
            [os.path.join(PROGRAMS, "agentx_walk"),
             f"127.0.0.1:{self.master.port}", TABLE, str(bulk), str(columns),
             str(seconds)],
            env=self.master.environment(), check=True, capture_output=True,
            text=True, timeout=300).stdout
        return Walk(line, cpu_seconds(self.agent.pid) - agent,
                    cpu_seconds(self.master.pid) - master)


def alternate(rounds, helper, ours, **how):
    """Walks of both in turn; lists by name."""
    walks = {"helper": [], "ours": []}
    for _ in range(rounds):
        walks["helper"].append(helper.walk(**how))
        walks["ours"].append(ours.walk(**how))
    for name, of_one in walks.items():
        if any(w.size != ROWS * COLUMNS for w in of_one):
            raise RuntimeError(f"{name}: walks of {of_one[0].size} varbinds")
    return walks


def median(walks, what):
    return statistics.median(getattr(walk, what) for walk in walks)


def report_ratio(title, walks, least=None):
    ours, helper = walks["ours"], walks["helper"]
    for name, of_one in (("table_dataset", helper), ("ours", ours)):
        report(f"{title}: {name}", median(of_one, "rate"), "varbinds/s")
    ratio = statistics.median(o.rate / h.rate for o, h in zip(ours, helper))
    report(f"{title}: ours : table_dataset", ratio, "×",
           **({"least": least} if least else {}))


def report_cpu(title, walks):
    ours, helper = walks["ours"], walks["helper"]
    report(f"{title}: CPU of table_dataset", median(helper, "agent_us"),
           "µs/varbind")
    report(f"{title}: CPU of ours", median(ours, "agent_us"), "µs/varbind",
           note=f"the master's: {median(ours, 'master_us'):.1f} µs")
    ratio = statistics.median(o.agent_us / h.agent_us
                              for o, h in zip(ours, helper))
    report(f"{title}: CPU, ours : table_dataset", ratio, "×", most=MOST_CPU)


def compare(rounds):
    with Pair("helper", ROWS) as helper, Pair("ours", ROWS) as ours:
        for title, how in (("walk, bulk 50", {}),
                           ("20 columns together, bulk 50",
                            {"columns": COLUMNS})):
            walks = alternate(rounds, helper, ours, **how)
            report_ratio(title, walks, least=LEAST_RATIO)
            report_cpu(title, walks)
        report_ratio("walk, GETNEXT",
                     alternate(rounds, helper, ours, bulk=0))


def growth(rounds):
    counts = (10, 100, 1000)
    found = {count: [] for count in counts}
    pairs = [Pair("ours", count) for count in counts]
    try:
        for pair in pairs:
            pair.__enter__()
        for _ in range(rounds):
            for pair in pairs:
                found[pair.rows].append(pair.walk().agent_us)
    finally:
        for pair in pairs:
            pair.__exit__()
    for count in counts:
        report(f"CPU per varbind, {count} rows",
               statistics.median(found[count]), "µs")
    ratio = statistics.median(many / few for many, few
                              in zip(found[1000], found[10]))
    report("CPU per varbind, 1 000 rows : 10 rows", ratio, "×",
           most=MOST_GROWTH)


def thousand_whole():
    """All columns of a thousand containers, at the master's own settings."""
    with Pair("whole", 1000) as pair:
        walk = pair.walk(seconds=0.1)  # one walk
        of = f"1 000 containers × all columns, {walk.varbinds} varbinds"
        report(f"{of}: timeouts", walk.timeouts, "", most=0)
        report(f"{of}: longest answer", walk.longest * 1e3, "ms")
        report(f"{of}: rate", walk.rate, "varbinds/s")
        report(f"{of}: RSS of the subagent, answers and one view",
               resident_bytes(pair.agent.pid) / (1 << 20), "MiB")


def main(rounds):
    # One CPU for all: the master and the subagent wait for each other anyway,
    # and waking another CPU is what a virtual machine does worst.
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpus[-1]})
    say(f"-- all on CPU {cpus[-1]}")
    compare(rounds)
    growth(rounds)
    thousand_whole()
    if len(cpus) > 1:
        os.sched_setaffinity(0, cpus)
        say("-- wherever the kernel puts them")
        with Pair("helper", ROWS) as helper, Pair("ours", ROWS) as ours:
            report_ratio("walk, bulk 50, not pinned",
                         alternate(rounds, helper, ours))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
