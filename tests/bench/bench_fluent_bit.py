#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fluent Bit does the same as we do, in turn with us: it is the peer that takes
least CPU, so the bars are ratios to what it needs on the same machine.

    bench_fluent_bit.py [PART…]     kinesis, containers; default: both

$FLUENT_BIT says where it is; otherwise it is looked for in $PATH. It needs
in_tail, in_docker, out_kinesis_streams and out_null."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from measure import Farm, alternate, cpu_per_second, report, say
from collectd import BUILD
from lighter import Lighter

PROGRAM = os.environ.get("FLUENT_BIT") or shutil.which("fluent-bit")
ROUNDS = 3
FIRST_CPU = ["taskset", "-c", "0"]


@contextlib.contextmanager
def configuration(**sections):
    """A file with them; Fluent Bit has a minute to send what is left."""
    sections["SERVICE"] = {"flush": 1, "grace": 60}
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
        for name, options in sections.items():
            f.write(f"[{name}]\n")
            f.writelines(f"  {key} {value}\n" for key, value in options.items())
        f.flush()
        yield f.name


def our_number(program, *arguments, what):
    """Of the JSON lines that a bench of ours prints, the value of one."""
    output = subprocess.run([os.path.join(BUILD, "tests/bench", program),
                             *arguments], check=True, capture_output=True,
                            text=True).stdout
    found = [json.loads(line) for line in output.splitlines()
             if line.startswith("{")]
    return next(number["value"] for number in found if number["what"] == what)


# ---- Kinesis -----------------------------------------------------------------

LINES = 1_600_000

# Our name of the way, theirs, and how much more we are to send per CPU-second.
# Their records are as large as Kinesis takes them.
WAYS = [
    ("aggregated to 1 MiB", {"simple_aggregation": "true"}, 1000 / 406),
    ("aggregated + zstd",
     {"simple_aggregation": "true", "compression": "zstd"}, 1000 / 464),
    ("plain", {}, 400 / 352),
]


def write_lines(path):
    """The same that bench_kinesis sends."""
    some = subprocess.run([os.path.join(BUILD, "tests/bench/bench_kinesis"),
                           "--lines"], check=True, capture_output=True).stdout
    with open(path, "wb") as f:
        for _ in range(LINES // some.count(b"\n")):
            f.write(some)


def their_rate(path, options):
    """Lines per CPU-second, from the file to lighter behind TLS."""
    with Lighter(tls=True) as lighter, configuration(
            INPUT={"name": "tail", "path": path, "key": "log",
                   "read_from_head": "on", "exit_on_eof": "on"},
            OUTPUT={"name": "kinesis_streams", "match": "*",
                    "region": lighter.region, "stream": "lines",
                    "endpoint": "localhost", "port": lighter.port,
                    "tls.ca_file": lighter.ca_file,
                    "log_key": "log", "retry_limit": "no_limits",
                    **options}) as config:
        process = subprocess.Popen(
            [*FIRST_CPU, PROGRAM, "--config", config],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **lighter.environment()})
        words = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    if status != 0 or "[error]" in words:
        raise RuntimeError(f"Fluent Bit did not send everything:\n{words}")
    return LINES / (usage.ru_utime + usage.ru_stime)


def bench_kinesis(directory):
    path = os.path.join(directory, "lines")
    write_lines(path)
    for way, options, least in WAYS:
        rates = alternate(
            ROUNDS, theirs=lambda: their_rate(path, options),
            ours=lambda: our_number("bench_kinesis", str(LINES), way,
                                    what=f"Kinesis, {way}"))
        report(f"Fluent Bit: Kinesis, {way}", rates["theirs"], "records/CPU-s")
        report(f"ours: Kinesis, {way}", rates["ours"], "records/CPU-s")
        report(f"ours against Fluent Bit: Kinesis, {way}",
               rates["ours"] / rates["theirs"], "×", least=least)


# ---- containers --------------------------------------------------------------

CONTAINERS = 100
SECONDS = 10  # of measuring, in each round
BEST_PEER_US, OUR_US = 62, 20  # what the bar is made of


class TheirHost:
    """The farm's cgroups, or none, where in_docker looks for Docker's."""

    def __init__(self, directory, containers):
        self.sysfs = os.path.join(directory, "cgroup")
        self.names = os.path.join(directory, "containers")
        os.makedirs(self.names)
        for ours, theirs in (("cpuacct", "cpu"), ("memory", "memory")):
            os.makedirs(os.path.join(self.sysfs, theirs))
            if containers:
                os.symlink(self._farm(ours, containers[0][1]),
                           os.path.join(self.sysfs, theirs, "docker"))
        for container_id, _ in containers:
            os.mkdir(os.path.join(self.names, container_id))
            with open(os.path.join(self.names, container_id, "config.v2.json"),
                      "w") as f:
                f.write(f'{{"ID":"{container_id}","Name":"/web"}}\n')

    @staticmethod
    def _farm(controller, pid):
        """What all containers' cgroups of a v1 hierarchy are in."""
        with open(f"/proc/{pid}/cgroup") as f:
            for line in f:
                _, names, path = line.strip().split(":", 2)
                if controller in names.split(","):
                    return os.path.dirname(f"/sys/fs/cgroup/{names}{path}")
        raise RuntimeError(f"no {controller} here: this part needs cgroup v1")


def their_cpu(host):
    """CPU seconds per interval of a second."""
    with configuration(
            INPUT={"name": "docker", "interval_sec": 1,
                   "path.sysfs": host.sysfs, "path.containers": host.names},
            OUTPUT={"name": "null", "match": "*"}) as config:
        process = subprocess.Popen([PROGRAM, "--config", config],
                                   stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            time.sleep(3)
            return cpu_per_second([process.pid], SECONDS)
        finally:
            process.terminate()
            process.wait()


def bench_containers(directory):
    """The farm's processes sleep, so it is the cost at rest that compares; what
    we need for containers at work is there to be read."""
    with Farm(CONTAINERS, directory) as farm:
        hosts = {name: TheirHost(os.path.join(directory, name), containers)
                 for name, containers in
                 (("farm", farm.containers), ("nothing", []))}
        cpu = alternate(
            ROUNDS, theirs=lambda: their_cpu(hosts["farm"]),
            nothing=lambda: their_cpu(hosts["nothing"]),
            at_rest=lambda: our_sampler("the whole sampler, at rest"),
            at_work=lambda: our_sampler("the whole sampler"))
    theirs = (cpu["theirs"] - cpu["nothing"]) / CONTAINERS * 1e6
    report("Fluent Bit: 3 values of a sleeping container", theirs, "µs")
    report("ours: 52 values of a sleeping container", cpu["at_rest"], "µs")
    report("ours: 52 values of one at work", cpu["at_work"], "µs")
    report("Fluent Bit against ours: a sleeping container",
           theirs / cpu["at_rest"], "×", least=BEST_PEER_US / OUR_US)


def our_sampler(what):
    return our_number("bench_sampler", str(CONTAINERS),
                      what=f"{what}, {CONTAINERS} containers")


PARTS = {"kinesis": bench_kinesis, "containers": bench_containers}


def main(parts):
    if PROGRAM is None:
        sys.exit("no fluent-bit in $PATH, and $FLUENT_BIT is not set")
    directory = tempfile.mkdtemp(prefix="tally-bench-")
    try:
        for part in parts:
            say(f"-- {part}")
            PARTS[part](directory)
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main(sys.argv[1:] or PARTS)
