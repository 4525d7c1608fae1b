# SPDX-License-Identifier: MIT
"""What lighter wrote down, and what follows from it: loss, duplicates, order.

The format is that of tests/lighter/ledger.h."""

from array import array
from typing import NamedTuple

_NEVER = 0  # no call has this number


class Verdict(NamedTuple):
    lost: int          # numbers that were never taken
    disordered: int    # taken for the first time behind a higher one of its key
    repeated: int      # numbers that were taken more than once
    # Of those, how many had been taken by a call whose answer …
    unexcused: int     # … the client has seen: it asked for more afterwards
    unproven: int      # … went out whole, and nobody knows who read it


PERFECT = Verdict(lost=0, disordered=0, repeated=0, unexcused=0, unproven=0)


class Datum(NamedTuple):
    name: str
    samples: float
    total: float


class _Key:
    def __init__(self):
        self.last_call = array("Q")  # by number
        self.highest = -1
        self.disordered = 0
        self.before = {}  # what came again → the calls that took it before

    def take(self, call, number):
        if number >= len(self.last_call):
            self.last_call.extend(
                array("Q", [_NEVER]) * (number + 1 - len(self.last_call)))
        before = self.last_call[number]
        if before != _NEVER:
            self.before.setdefault(number, []).append(before)
        elif number < self.highest:
            self.disordered += 1
        else:
            self.highest = number
        self.last_call[number] = call

    def missing(self, numbers):
        if isinstance(numbers, int):
            numbers = range(numbers)
        known = len(self.last_call)
        return sum(number >= known or self.last_call[number] == _NEVER
                   for number in numbers)


class Ledger:
    def __init__(self, path):
        self.resources = {}  # call → stream, log group or namespace
        self.data = []       # every Datum
        self._names = {}
        self._keys = {}
        self._answered, self._seen = set(), set()
        with open(path, errors="surrogateescape") as f:
            for line in f:
                if not line.endswith("\n"):
                    break  # lighter is writing it
                self._read(line)

    def _read(self, line):
        kind, call, *rest = line.split(" ", 2)
        if kind == "T":
            key, number = rest[0].split(" ")
            self._keys[key].take(int(call), int(number))
        elif kind == "A":
            self._answered.add(int(call))
        elif kind == "S":
            self._seen.add(int(call))
        elif kind == "C":
            self.resources[int(call)] = rest[0].rstrip("\n")
        elif kind == "K":
            self._keys[call] = self._names[rest[0].rstrip("\n")] = _Key()
        elif kind == "M":
            name, samples, total = rest[0].rsplit(" ", 2)
            self.data.append(Datum(name, float(samples), float(total)))

    @property
    def keys(self):
        return set(self._names)

    def taken(self, key):
        """How many different numbers."""
        found = self._names.get(key)
        return (sum(call != _NEVER for call in found.last_call)
                if found else 0)

    def verdict(self, expected):
        """`expected` is {key: numbers}, or how many of them from 0 on."""
        keys = {name: self._names.get(name, _Key()) for name in expected}
        again = [calls for key in keys.values()
                 for calls in key.before.values()]
        return Verdict(
            lost=sum(key.missing(expected[name])
                     for name, key in keys.items()),
            disordered=sum(key.disordered for key in keys.values()),
            repeated=len(again),
            unexcused=sum(not self._seen.isdisjoint(calls) for calls in again),
            unproven=sum(not self._answered.isdisjoint(calls)
                         and self._seen.isdisjoint(calls) for calls in again))
