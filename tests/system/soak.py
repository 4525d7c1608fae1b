#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Numbered lines of twenty containers, from a real dockerd through collectd and
docker_logs to lighter, while every kind of call goes wrong, collectd and
dockerd are killed, and the disk is full for a while. What has to come of it is
in judge().

    make soak                    a million lines
    soak.py [--lines N] [--rate LINES-PER-SECOND]

Run as root; TALLYMAN_BUILD says where the plugins and lighter are."""

import argparse
import itertools
import os
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from collectd import Collectd
from engine import Engine
from ledger import Verdict
from lighter import ALL_TAKEN, NOTHING_TAKEN, REFUSALS, SLOW, Lighter
from process import TimedOut, wait_until
from small_disk import SmallDisk

CONTAINERS = 20
STREAM = "lines"
OUTBOX = f"tallyman-docker_logs-kinesis-{STREAM}/tallyman"
TIMEOUT = 2  # of a call, in seconds
DISK_BYTES = 64 << 20
MOST_RSS_BYTES = 64 << 20

# Of calls: all but those that would not be repaired by themselves
_KINDS = (*REFUSALS, *NOTHING_TAKEN, *ALL_TAKEN, *SLOW)
_FAULT_RATE = 0.005

# In busybox, which is all that the containers have. Bursts of a tenth of a
# second, so that a million lines do not need a million processes.
_WRITER = """awk -v key={key} -v count={lines} -v burst={burst} 'BEGIN {{
  pad = sprintf("%180s", ""); gsub(" ", "x", pad)
  for (i = 0; i < count; i++) {{
    print "line=" key "/" i " " pad
    if (i % burst == 0) {{ fflush(); system("usleep 100000") }}
  }}
}}'"""


class Outcome(NamedTuple):
    verdict: Verdict
    written: int   # lines that Docker has in its logs
    counted: int   # possible duplicates, as collectd counted them
    lost: int      # records that collectd says it lost
    peak_rss: int  # bytes, of all processes of collectd
    faults: dict


class Soak:
    """`lines` of each container, `rate` per second of all of them."""

    def __init__(self, lines, rate, seed=1):
        self.lines = lines
        self.burst = max(1, rate // CONTAINERS // 10)
        self.patience = 60 + 4 * lines * CONTAINERS / rate  # seconds
        self.directory = tempfile.mkdtemp(prefix="tally-soak-")
        self.disk = SmallDisk(os.path.join(self.directory, "disk"), DISK_BYTES)
        self.engine = Engine()
        self.lighter = Lighter(tls=True, seed=seed)
        self.collectd = Collectd()
        self.containers = {}  # key → Container
        self._counted = 0     # of the processes that were killed
        self._peak_rss = 0
        self._next_kind = itertools.cycle(_KINDS)
        self._taken_before = 0

    def start(self):
        self.engine.start(live_restore=True)
        self.lighter.start()
        self._let_go_wrong()
        self.collectd.plugins = {"docker_logs": f"""
            Endpoint "{self.engine.endpoint}"
            StateDir "{self.collectd.path('state')}"
            SpoolDir "{self.disk.path}"
            <Kinesis>
              {self.lighter.config()}
              Timeout {TIMEOUT}
              Aggregate true
            </Kinesis>"""}
        self.collectd.start()
        with ThreadPoolExecutor(6) as pool:
            keys = [f"c{number:02}" for number in range(CONTAINERS)]
            self.containers = dict(zip(keys, pool.map(self._run, keys)))
        return self

    def _run(self, key):
        return self.engine.run(
            "sh", "-c",
            _WRITER.format(key=key, lines=self.lines, burst=self.burst),
            name=key, NetworkMode="none",
            env={"KINESIS": STREAM, "PROCESS": key})

    def close(self):
        for part in (self.collectd, self.lighter, self.engine, self.disk):
            part.close()
        os.rmdir(self.directory)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()

    # -- what happens -------------------------------------------------------

    def _let_go_wrong(self, duplicating=True):
        for operation in ("PutRecords", "ListShards"):
            for kind in _KINDS:
                harmless = kind in REFUSALS
                self.lighter.fault(operation, kind, rate=_FAULT_RATE
                                   if harmless or duplicating else 0)
        self.lighter.fault("PutRecords", "records", rate=2 * _FAULT_RATE)

    def _let_next_go_wrong(self, taken):
        """Of each kind in turn, as chance alone would leave some out; not
        before something was taken again, or the waits would double each
        time."""
        if taken > self._taken_before:
            self._taken_before = taken + self.lines * CONTAINERS // 200
            self.lighter.fault("PutRecords", next(self._next_kind), times=1,
                               resource=STREAM)

    def wait_until_taken(self, part):
        """Until so much of all lines has arrived."""
        wanted = int(part * self.lines * CONTAINERS)

        def arrived():
            taken = self.lighter.stats()["taken"]
            self._let_next_go_wrong(taken)
            return taken >= wanted
        try:
            wait_until(arrived, f"{wanted} lines are taken", self.patience,
                       step=0.1)
        except TimedOut as e:
            raise TimedOut(f"{e}: {self.lighter.stats()}, "
                           f"{self.losses()}\n{self.collectd.log()[-2000:]}") \
                from None

    def kill_collectd(self):
        """Not before it has said how much may have come twice so far."""
        self._let_go_wrong(duplicating=False)
        time.sleep(TIMEOUT + 2 * self.collectd.interval)
        self._note_numbers()
        self.collectd.kill9()
        self.collectd.start()
        self._let_go_wrong()

    def _note_numbers(self):
        self._peak_rss = max(self._peak_rss, self.collectd.peak_rss_bytes())
        self._counted += self.losses()["possible_duplicates"]

    def losses(self):
        return self.collectd.getval(f"{OUTBOX}_losses")

    def kill_dockerd(self):
        self.engine.kill9()
        self.engine.start(live_restore=True)

    def fill_the_disk(self, seconds):
        self.disk.fill()
        time.sleep(seconds)
        self.disk.free()

    # -- what came of it ----------------------------------------------------

    def written(self):
        """{key: numbers}: what Docker has in its logs. A dockerd that is
        killed takes with it what it had read of a container's pipe and not
        yet written."""
        return {key: self._numbers_in_log(key, container.id)
                for key, container in self.containers.items()}

    def _numbers_in_log(self, key, container_id):
        path = self.engine.path(
            f"data/containers/{container_id}/{container_id}-json.log")
        with open(path, "rb") as f:
            found = re.findall(rb'"log":"line=%s/(\d+) ' % key.encode(),
                               f.read())
        return set(map(int, found))

    def finish(self, timeout=120):
        for container in self.containers.values():
            container.wait(timeout=timeout)
        self.lighter.behave()
        written = self.written()

        def all_taken():
            verdict = self.lighter.ledger().verdict(written)
            return verdict if verdict.lost == 0 else None
        verdict = wait_until(all_taken, "every line is taken", timeout, step=1)
        wait_until(lambda: self.collectd.getval(
            f"{OUTBOX}_outbox")["queued"] == 0, "all is settled", timeout)
        time.sleep(2 * self.collectd.interval)
        self._note_numbers()
        losses = self.losses()
        return Outcome(
            verdict=verdict, written=sum(map(len, written.values())),
            counted=self._counted, peak_rss=self._peak_rss,
            lost=sum(losses[reason] for reason in losses if reason
                     not in ("possible_duplicates", "recovered")),
            faults=self.lighter.stats()["faults"])


# What happens besides, and when
_INCIDENTS = [(0.15, "kill_collectd", ()), (0.35, "kill_dockerd", ()),
              (0.55, "fill_the_disk", (3,)), (0.75, "kill_collectd", ())]


def run(lines, rate, say=lambda text: None):
    with Soak(lines // CONTAINERS, rate) as soak:
        for part, incident, arguments in _INCIDENTS:
            soak.wait_until_taken(part)
            say(f"{part:.0%}: {incident}")
            getattr(soak, incident)(*arguments)
        # The rest may be what dockerd took with it: up to 16 KiB of each
        # container, 80 lines.
        soak.wait_until_taken(0.95)
        return soak.finish()


def judge(outcome, kinds=len(_KINDS)):
    """`kinds`: so many different faults must have happened."""
    verdict = outcome.verdict
    assert (verdict.lost, verdict.disordered, outcome.lost) == (0, 0, 0), verdict
    assert verdict.unexcused == 0, verdict
    assert verdict.repeated <= outcome.counted, outcome
    happened = [kind for kind in _KINDS if outcome.faults[kind] > 0]
    assert len(happened) >= kinds, happened
    assert outcome.peak_rss <= MOST_RSS_BYTES, outcome.peak_rss


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--lines", type=int, default=1000000)
    parser.add_argument("--rate", type=int, default=5000)
    arguments = parser.parse_args()
    start = time.monotonic()
    outcome = run(arguments.lines, arguments.rate,
                  lambda text: print(text, flush=True))
    print(f"{outcome.written} lines in {time.monotonic() - start:.0f} s: "
          f"{outcome.verdict.lost} lost, {outcome.verdict.disordered} out of "
          f"order, {outcome.verdict.repeated} came more than once "
          f"({outcome.counted:.0f} counted), at most "
          f"{outcome.peak_rss / (1 << 20):.1f} MiB")
    judge(outcome)


if __name__ == "__main__":
    main()
