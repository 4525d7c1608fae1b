# SPDX-License-Identifier: MIT
"""Docker rotates a log every few milliseconds while it is read, and follows
begin and end in between: every line reaches the file once, and in order."""

import os
import random
import time

import pytest

from process import wait_until
from shipped import Shipped

pytestmark = pytest.mark.delivery

SECONDS = 30 if os.environ.get("TALLY_LONG") else 3

# Numbered lines in bursts. $1: seconds, $2: lines of a burst, $3: pause in µs.
WRITER = """
end=$(($(date +%s) + $1)); i=0
while [ $(date +%s) -lt $end ]; do
  n=0; while [ $n -lt $2 ]; do echo $i; i=$((i+1)); n=$((n+1)); done
  usleep $3
done
echo last $i
"""


def small_files(driver, **more):
    """Many of them: none is thrown away while the test runs."""
    return {"Type": driver,
            "Config": {"max-size": "20k", "max-file": "900",
                       "compress": "false", **more}}


def require_all(shipped, container):
    def all_texts():
        texts = shipped.texts(container)
        return texts and texts[-1].startswith(b"last ") and texts
    texts = wait_until(all_texts, "the last line", timeout=60, step=0.5)
    count = int(texts[-1].split()[1])
    numbers = [int(text) for text in texts[:-1]]
    missing = sorted(set(range(count)) - set(numbers))
    assert not missing, (f"{len(missing)} of {count} are missing: "
                         f"{missing[:3]}…{missing[-3:]}")
    assert len(numbers) == count, "some came twice"
    assert numbers == list(range(count)), "not in their order"


@pytest.fixture
def ship(engine, collectd, monkeypatch):
    monkeypatch.setenv("DEVELOPMENT", "true")
    shipped = Shipped(collectd(), engine, selects='Container "/^w/"')
    shipped.daemon.start()
    return shipped


# Lines of a burst and µs between bursts: a file is full after about a tenth of
# a second, or several are within a few milliseconds.
EVENLY, IN_BURSTS = (60, 20000), (600, 200000)


def write(engine, how):
    return [engine.run("sh", "-c", WRITER, "sh", str(SECONDS),
                       *map(str, how), name=f"w-{driver}",
                       LogConfig=small_files(driver))
            for driver in ("json-file", "local")]


@pytest.mark.parametrize("how", [EVENLY, IN_BURSTS])
def test_follows_that_begin(engine, ship, how):
    writers = write(engine, how)
    dice = random.Random(int(os.environ.get("TALLYMAN_SEED", "1")))
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        time.sleep(dice.uniform(0.1, 0.8))
        dice.choice((ship.daemon.stop, ship.daemon.kill9))()
        ship.daemon.start()
    for c in writers:
        require_all(ship, c)


def test_a_follow_that_goes_on(engine, ship):
    for c in write(engine, IN_BURSTS):
        c.wait(timeout=30 + SECONDS)
        require_all(ship, c)
