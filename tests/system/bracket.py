# SPDX-License-Identifier: MIT
"""A value must lie between two readings of the kernel around it.

One round serves any number of value lists: read the truth for all of them,
wait until collectd has dispatched a sample of each that was certainly read
later, read the truth again."""

import time
from typing import NamedTuple, Optional

from process import PATIENCE, TimedOut, wait_until
from samples import Sample

# A sample carries the time of its reading in ms, and the files of a container
# are read one after the other.
_MARGIN = 0.1 * PATIENCE


class Bracket(NamedTuple):
    identifier: str
    before: dict  # data source → truth
    sample: Optional[Sample]
    after: dict

    def check(self, *sources, slack=0):
        """All data sources that the truth speaks of, or only these."""
        assert self.sample, f"nothing was dispatched as {self.identifier}"
        wrong = []
        for source in sources or self.before:
            low, high = sorted((self.before[source], self.after[source]))
            value = self.sample[source]
            if not low - slack <= value <= high + slack:
                wrong.append(f"{source}: {value:.15g} is not in "
                             f"[{low:.15g}, {high:.15g}]")
        assert not wrong, f"{self.identifier}: " + "; ".join(wrong)


def _first_since(daemon, identifier, since, host=None):
    return next((sample for sample in daemon.samples(identifier, host)
                 if sample.time >= since), None)


def fresh_sample(daemon, identifier, host=None, timeout=10):
    """The first sample that was certainly read after this call."""
    since = time.time() + _MARGIN
    return wait_until(lambda: _first_since(daemon, identifier, since, host),
                      f"a fresh sample of {identifier}", timeout)


def bracket(daemon, truths, timeout=10):
    """{identifier: Bracket} for {identifier: function that asks the kernel and
    returns {data source: number}}. What collectd never dispatches has no
    sample, so that one missing value fails one test only."""
    before = {identifier: ask() for identifier, ask in truths.items()}
    since = time.time() + _MARGIN

    def newer(identifier):
        return _first_since(daemon, identifier, since)

    try:
        wait_until(lambda: all(map(newer, truths)), "samples", timeout)
    except TimedOut:
        pass
    found = {identifier: newer(identifier) for identifier in truths}
    return {identifier: Bracket(identifier, before[identifier],
                                found[identifier], ask())
            for identifier, ask in truths.items()}
