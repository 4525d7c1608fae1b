# SPDX-License-Identifier: MIT
"""Restarts and kills of collectd and of the Engine: every line of a container
reaches the file once, and in order."""

import os
import random
import time

import pytest

from process import wait_until
from shipped import Shipped, stored

pytestmark = pytest.mark.delivery

# Numbered lines on both streams, some of them long, in bursts and with pauses.
WRITER = """
i=0
while [ $i -lt {lines} ]; do
  echo "o $i"
  [ $((i % 7)) = 0 ] && echo "e $i" >&2
  [ $((i % 50)) = 0 ] && head -c 20000 /dev/zero | tr '\\0' x && echo " $i"
  [ $((i % 20)) = 0 ] && sleep 0.02
  i=$((i+1))
done
echo last
"""


def written(lines):
    """What WRITER writes to either stream."""
    out, err = [], []
    for i in range(lines):
        out.append(b"o %d" % i)
        if i % 7 == 0:
            err.append(b"e %d" % i)
        if i % 50 == 0:
            out.append(b"x" * 20000 + b" %d" % i)
    return out + [b"last"], err


def brief(texts):
    return [text[-20:] for text in list(texts)[:9]]


def require_all(shipped, container, lines):
    require_once(shipped, container, *written(lines))


def require_once(shipped, container, out, err):
    texts = shipped.texts(container)
    got_out = [t for t in texts if not t.startswith(b"e ")]
    got_err = [t for t in texts if t.startswith(b"e ")]
    for got, expected in ((got_out, out), (got_err, err)):
        missing, seen = set(expected) - set(got), set()
        twice = [t for t in got if t in seen or seen.add(t)]
        strange = set(got) - set(expected)
        assert not (missing or twice or strange), (
            f"missing: {brief(missing)}; twice: {brief(twice)}; "
            f"strange: {brief(strange)}")
        assert got == expected, "not in their order"


@pytest.fixture
def ship(engine, collectd, monkeypatch):
    monkeypatch.setenv("DEVELOPMENT", "true")

    def ship(**how):
        shipped = Shipped(collectd(), engine, selects='Container "/^w/"', **how)
        shipped.daemon.start()
        return shipped
    return ship


def test_collectd_is_restarted(engine, ship):
    shipped = ship()
    c = engine.run("sh", "-c", WRITER.format(lines=600), name="w1")
    for _ in range(2):
        wait_until(lambda: shipped.texts(c), "the first lines")
        shipped.daemon.restart()
    shipped.wait_for_end(c, timeout=30)
    require_all(shipped, c, 600)
    assert len(shipped.sentences(c)) == 2


@pytest.mark.sanitized
def test_collectd_is_killed(engine, ship):
    """At random moments, while several containers write."""
    shipped = ship()
    dice = random.Random(int(os.environ.get("TALLYMAN_SEED", "1")))
    writers = [engine.run("sh", "-c", WRITER.format(lines=800), name=f"w{n}")
               for n in range(4)]
    for _ in range(6):
        time.sleep(dice.uniform(0.05, 0.6))
        shipped.daemon.kill9()
        shipped.daemon.start()
    for c in writers:
        shipped.wait_for_end(c, timeout=60)
        require_all(shipped, c, 800)
        assert len(shipped.sentences(c)) == 2


def test_what_was_written_meanwhile(engine, ship):
    """Containers that begin, or end, or both, while nobody listens."""
    shipped = ship()
    early = engine.run("sh", "-c", "echo 1; sleep 1; echo 2; exit 4",
                       name="w1")
    shipped.wait_for(early, "1")
    shipped.daemon.stop()
    short = engine.run("sh", "-c", "echo in between", name="w2")
    late = engine.run("sh", "-c", "echo a; sleep 3; echo b", name="w3")
    early.wait()
    short.wait()
    shipped.daemon.start()
    for c, texts in ((early, ["1", "2"]), (short, ["in between"]),
                     (late, ["a", "b"])):
        shipped.wait_for_end(c)
        shipped.wait_for(c, *texts)
        assert len(shipped.sentences(c)) == 2
    assert b"(exit code 4)" in shipped.wait_for_end(early)


def test_logs_from_before_the_first_start(engine, ship):
    """They are read from now on, unless they are asked for."""
    old = engine.run("sh", "-c", "echo old; sleep 4; echo new", name="w1")
    wait_until(lambda: stored(old)[0] == b"old\n", "a line of before")
    time.sleep(0.1)
    shipped = ship()
    everything = ship(more="ReadExisting true")
    shipped.wait_for_end(old)
    shipped.wait_for(old, "new")
    everything.wait_for_end(old)
    everything.wait_for(old, "old", "new")


@pytest.mark.sanitized
def test_the_engine_is_killed(engine, ship):
    """Containers go on with live-restore; what they write meanwhile waits in
    their pipes. (What the Engine had read and not yet stored is lost.)"""
    engine.restart(live_restore=True)
    shipped = ship()
    c = engine.run("sh", "-c", WRITER.format(lines=1000), name="w1")
    for _ in range(2):
        wait_until(lambda: len(shipped.texts(c)) > 50, "some lines")
        engine.kill9()
        time.sleep(0.3)
        engine.start(live_restore=True)
    shipped.wait_for_end(c, timeout=60)
    out, err = (s.split(b"\n")[:-1] for s in stored(c))
    assert len(out) > 1000 and out[-1] == b"last"
    require_once(shipped, c, out, err)


def test_the_engine_is_restarted(engine, ship):
    """Without live-restore: it ends its containers, and starts them again."""
    shipped = ship()
    c = engine.run("sh", "-c", "echo begin; while :; do sleep 0.1; done",
                   name="w1", RestartPolicy={"Name": "always"})
    shipped.wait_for(c, "begin")
    engine.restart()
    shipped.wait_for(c, "begin", "begin", timeout=30)


def test_a_file_that_is_moved_away(engine, ship):
    shipped = ship(more="<File>\nRotateSize 0.05\nRotateKeep 100\n</File>")
    c = engine.run("sh", "-c", "seq 1 10000", name="w1")
    shipped.wait_for_end(c, timeout=30)
    assert shipped.texts(c) == [b"%d" % i for i in range(1, 10001)]
    assert os.path.exists(shipped.path + ".1")
    os.rename(shipped.path, shipped.path + ".0")
    d = engine.run("sh", "-c", "echo fresh", name="w2")
    shipped.wait_for(d, "fresh")


def test_a_disk_that_takes_nothing(engine, ship):
    """The file cannot be made; when it can, everything is in it."""
    shipped = ship()
    os.mkdir(shipped.path)
    c = engine.run("sh", "-c", "seq 1 3000", name="w1")
    c.wait()
    shipped.daemon.wait_for_log(r"docker_logs-file-.*no regular file|"
                                r"docker_logs-file-.*Is a directory")
    os.rmdir(shipped.path)
    shipped.wait_for_end(c, timeout=60)
    assert shipped.texts(c) == [b"%d" % i for i in range(1, 3001)]


def test_the_end_is_quick(engine, ship):
    """Whatever waits is on disk."""
    shipped = ship()
    os.mkdir(shipped.path)
    c = engine.run("sh", "-c", "seq 1 3000; while :; do sleep 0.1; done",
                   name="w1")
    wait_until(lambda: (s := shipped.daemon.samples(shipped.sink()))
               and s[-1]["queued"] >= 3000, "all lines are in the spool")
    begin = time.monotonic()
    shipped.daemon.stop()
    assert time.monotonic() - begin < 8
    os.rmdir(shipped.path)
    shipped.daemon.start()
    wait_until(lambda: len(shipped.texts(c)) >= 3000, "all lines", timeout=60)
    assert shipped.texts(c) == [b"%d" % i for i in range(1, 3001)]
