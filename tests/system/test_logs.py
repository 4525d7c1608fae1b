# SPDX-License-Identifier: MIT
"""What containers write reaches a file, byte for byte, in order and once."""

import json
import time

import pytest

from process import wait_until
from shipped import RECORD, Shipped

pytestmark = pytest.mark.delivery

MIB = 1 << 20
LOCAL = {"Type": "local"}  # json-file keeps no bytes that are not UTF-8


@pytest.fixture(scope="module")
def engine(module_engine):
    return module_engine


@pytest.fixture(scope="module")
def shipped(engine, module_collectd):
    daemon = module_collectd()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEVELOPMENT", "true")
        shipped = Shipped(daemon, engine, selects='Label "ship=yes"', more=f"""
            CarryLabel "tier"
            <Route "json">
              Label "ship=json"
              File "{daemon.path('json.log')}"
              Format json
            </Route>
            <Route "stderr only">
              Label "ship=stderr"
              File "{daemon.path('stderr.log')}"
              Format raw
              Streams stderr
              Lifecycle false
            </Route>
            <Route "joined">
              Label "ship=joined"
              File "{daemon.path('joined.log')}"
              Format json
              Multiline "^[^ ]"
              MultilineWait 0.3
              Lifecycle false
            </Route>""")
        daemon.start()
        yield shipped


@pytest.fixture(scope="module")
def run(engine):
    def run(script, ship="yes", **how):
        return engine.run("sh", "-c", script,
                          labels={"ship": ship, "tier": "back"}, **how)
    return run


def lines_of(shipped, name):
    def read():
        try:
            with open(shipped.daemon.path(name), "rb") as f:
                return f.read().splitlines()
        except FileNotFoundError:
            return []
    return read


# -- the contract's layout ----------------------------------------------------------

def test_a_record(run, shipped):
    before = time.time()
    c = run("echo hello", env={"PROCESS": "web", "RELEASE": "R1"})
    shipped.wait_for(c, "hello")
    [record] = [r for r in shipped.records() if r.endswith(b" hello")]
    matched = RECORD.fullmatch(record)
    assert matched[2] == f"web:R1/{c.id[:12]} hello".encode()
    then = time.mktime(time.strptime(matched[1].decode(), "%Y-%m-%d %H:%M:%S"))
    assert abs(then - time.timezone - before) < 60


@pytest.mark.sanitized
def test_sentences(run, shipped):
    c = run("echo bye; exit 3", env={"PROCESS": "web"})
    short = c.id[:12].encode()
    shipped.wait_for_end(c)
    about = [RECORD.fullmatch(r)[2] for r in shipped.records() if short in r]
    version = about[0].split(b"/")[0]
    assert version.startswith(b"agent:")
    assert about == [
        version + b"/i-dev Starting web process " + short,
        b"web:/" + short + b" bye",
        version + b"/i-dev Dead web process " + short + b" (exit code 3)"]


def test_a_stop_has_its_sentences(run, shipped):
    c = run("trap 'echo ending; exit 0' TERM; echo on; while :; do sleep 0.1; "
            "done")
    shipped.wait_for(c, "on")
    c.stop(grace=5)
    shipped.wait_for_end(c)
    shipped.wait_for(c, "on", "ending")
    said = [s.split(b" ", 1)[1].replace(c.id[:12].encode(), b"ID")
            for s in shipped.sentences(c)]
    assert said[0] == b"Starting process ID"
    assert set(said[1:]) == {b"Stopped process ID via SIGTERM",
                             b"Dead process ID (exit code 0)"}


def test_json(run, shipped):
    c = run("echo good; printf '\\377\\n' >&2", ship="json", name="shop",
            env={"PROCESS": "api", "RELEASE": "R2", "APP": "store"},
            LogConfig=LOCAL)
    read = lines_of(shipped, "json.log")
    wait_until(lambda: len(read()) == 4, "four records")
    records = [json.loads(line) for line in read()]
    by_stream = {r["stream"]: r for r in records}
    out = by_stream["stdout"]
    assert (out["message"], out["container_id"]) == ("good", c.id)
    assert (out["container_name"], out["image"]) == ("shop", "busybox")
    assert (out["app"], out["process"], out["release"]) == \
        ("store", "api", "R2")
    assert (out["host"], out["labels"]) == ("node", {"tier": "back"})
    assert by_stream["stderr"]["message_base64"] == "/w=="
    said = [r["message"] for r in records if r["stream"] == "agent"]
    assert said[0].endswith(f"Starting api process {c.id[:12]}")
    assert said[1].endswith(f"Dead api process {c.id[:12]} (exit code 0)")


def test_one_stream(run, shipped):
    run("echo out; echo err >&2; echo out2; echo err2 >&2", ship="stderr")
    read = lines_of(shipped, "stderr.log")
    wait_until(lambda: len(read()) >= 2, "two lines")
    assert read() == [b"err", b"err2"]


@pytest.mark.sanitized
def test_joined_lines(run, shipped):
    run("printf 'boom\\n at a\\n at b\\nnext\\n'; sleep 1; echo ' late'; "
        "sleep 0.1", ship="joined")
    read = lines_of(shipped, "joined.log")
    wait_until(lambda: len(read()) >= 3, "three records")
    assert [json.loads(line)["message"] for line in read()] == [
        "boom\n at a\n at b", "next", " late"]


# -- byte for byte ------------------------------------------------------------------

def test_both_streams_in_their_order(run, shipped):
    c = run("i=0; while [ $i -lt 200 ]; do echo o$i; echo e$i >&2; "
            "i=$((i+1)); done")
    shipped.wait_for_end(c)
    texts = shipped.texts(c)
    assert [t for t in texts if t[:1] == b"o"] == \
        [b"o%d" % i for i in range(200)]
    assert [t for t in texts if t[:1] == b"e"] == \
        [b"e%d" % i for i in range(200)]
    assert len(texts) == 400


def test_a_terminal(run, shipped):
    c = run("echo one; echo two >&2; printf three", settings={"Tty": True})
    shipped.wait_for_end(c)
    assert shipped.texts(c) == [b"one\r", b"two\r", b"three"]


@pytest.mark.sanitized
def test_strange_lines(run, shipped):
    c = run(r"""echo; printf 'nul\000byte\n\r\n'; printf '\377\376\n'
                printf '  blanks  \n\tGr\303\266\303\237e\n'; printf 'no end'""",
            LogConfig=LOCAL)
    shipped.wait_for_end(c)
    assert shipped.texts(c) == [
        b"", b"nul\0byte", b"\r", b"\xff\xfe", b"  blanks  ",
        "\tGröße".encode(), b"no end"]


@pytest.mark.sanitized
def test_long_lines(run, shipped):
    """1 MiB is a line like any other; what is longer comes in parts."""
    c = run("head -c 1048576 /dev/zero | tr '\\0' a; echo; "
            "head -c 16384 /dev/zero | tr '\\0' b; echo; "
            "head -c 1500000 /dev/zero | tr '\\0' c; echo; echo end")
    shipped.wait_for_end(c, timeout=30)
    texts = shipped.texts(c)
    assert texts[0] == b"a" * MIB
    assert texts[1] == b"b" * 16384
    assert texts[2] == b"[part 1, more] " + b"c" * MIB
    assert texts[3] == b"[part 2, last] " + b"c" * (1500000 - MIB)
    assert texts[4:] == [b"end"]


def test_a_burst_just_before_the_end(run, shipped):
    c = run("seq 1 100000")
    c.wait()
    wait_until(lambda: len(shipped.texts(c)) >= 100000, "all lines", 60, 0.2)
    assert shipped.texts(c) == [b"%d" % i for i in range(1, 100001)]


def test_a_short_life(run, shipped):
    """That of a container which removes itself."""
    lives = [run(f"echo {i}; sleep 0.2; echo last", AutoRemove=True)
             for i in range(3)]
    for i, c in enumerate(lives):
        shipped.wait_for_end(c)
        assert shipped.texts(c) == [b"%d" % i, b"last"]


def test_docker_restart(run, shipped):
    c = run("echo run >>/runs; wc -l </runs; while :; do sleep 0.1; done")
    for runs in range(1, 4):
        wait_until(lambda: len(shipped.texts(c)) == runs, "a line of each run")
        if runs < 3:
            c.restart()
    assert shipped.texts(c) == [b"1", b"2", b"3"]


@pytest.mark.sanitized
def test_log_rotation(run, shipped):
    """Docker throws old pieces away while we read, but not all that a burst
    has written before we could look."""
    c = run("i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); "
            "[ $((i % 300)) = 0 ] && sleep 0.2; done; true",
            LogConfig={"Type": "json-file",
                       "Config": {"max-size": "20k", "max-file": "3"}})
    shipped.wait_for_end(c, timeout=30)
    assert shipped.texts(c) == [b"%d" % i for i in range(3000)]


# -- who is not concerned -----------------------------------------------------------

def test_others_are_left_alone(engine, run, shipped):
    silent = engine.run("sh", "-c", "echo secret; sleep 1")
    c = run("echo said")
    shipped.wait_for(c, "said")
    shipped.wait_for_end(c)
    assert silent.id[:12].encode() not in b"".join(shipped.records())


def test_what_cannot_be_read_is_said_once(run, shipped):
    c = run("echo x; sleep 3", name="dumb", LogConfig={"Type": "none"})
    log = shipped.daemon.wait_for_log(
        r'container dumb \(.*\): its log driver "none" cannot be read')
    c.pause()
    c.unpause()
    shipped.wait_for_end(c)
    assert shipped.daemon.log().count("container dumb") == 1
    assert shipped.texts(c) == []
    assert shipped.daemon.wait_for_samples(
        "tallyman-docker_logs/tallyman_logs")[-1]["unreadable"] >= 1


def test_numbers(run, shipped):
    c = run("seq 1 50; sleep 1000")
    wait_until(lambda: len(shipped.texts(c)) == 50, "all lines")
    numbers = wait_until(
        lambda: (s := shipped.daemon.samples(
            "tallyman-docker_logs/tallyman_logs")) and s[-1]["lines"] > 100000
        and s[-1]["following"] >= 1 and s[-1], "the reader's numbers")
    assert numbers["bytes"] > numbers["lines"]
    assert numbers["sentences_lost"] == 0
    outbox = wait_until(
        lambda: (s := shipped.daemon.samples(shipped.sink()))
        and s[-1]["accepted"] == s[-1]["sent"] > 100000 and s[-1],
        "the outbox's numbers")
    assert outbox["dropped"] == outbox["queued"] == 0
