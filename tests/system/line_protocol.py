# SPDX-License-Identifier: MIT
"""A reader of InfluxDB's line protocol, written from its reference and not from
what writes it here."""

import re
from typing import NamedTuple

# a name, up to one of the characters that end it, which a backslash escapes
_MEASUREMENT = re.compile(r"((?:\\[, ]|[^, \n])+)")
_KEY = re.compile(r"((?:\\[,= ]|[^,= \n])+)=")
_TAG_VALUE = re.compile(r"((?:\\[,= ]|[^,= \n])+)")
_FIELD_VALUE = re.compile(
    r'(-?\d+i|[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|"(?:\\["\\]|[^"\\])*"|[tT]|[fF]'
    r"|true|false)")
_TIME = re.compile(r"(-?\d+)\Z")


class Point(NamedTuple):
    measurement: str
    tags: dict
    fields: dict  # int, float, bool or str
    time: int     # nanoseconds


class _Reader:
    def __init__(self, text):
        self._text, self._at = text, 0

    def take(self, pattern):
        match = pattern.match(self._text, self._at)
        assert match, f"{self._text!r}: {pattern.pattern} at {self._at}"
        self._at = match.end()
        return match[1]

    def take_if(self, character):
        if self._text[self._at:self._at + 1] != character:
            return False
        self._at += 1
        return True

    def expect(self, character):
        assert self.take_if(character), \
            f"{self._text!r}: no {character!r} at {self._at}"


def _unescape(name):
    return re.sub(r"\\([,= ])", r"\1", name)


def _number(text):
    if text.endswith("i"):
        value = int(text[:-1])
        assert -2**63 <= value < 2**63
        return value
    if text.startswith('"'):
        return re.sub(r'\\(["\\])', r"\1", text[1:-1])
    if text[0] in "tTfF":
        return text[0] in "tT"
    return float(text)


def parse(line):
    reader = _Reader(line)
    assert not line.startswith("#"), "a comment"
    measurement = _unescape(reader.take(_MEASUREMENT))
    tags, fields = {}, {}
    while reader.take_if(","):
        key = _unescape(reader.take(_KEY))
        assert key not in tags
        tags[key] = _unescape(reader.take(_TAG_VALUE))
    reader.expect(" ")
    while True:
        key = _unescape(reader.take(_KEY))
        assert key not in fields
        fields[key] = _number(reader.take(_FIELD_VALUE))
        if not reader.take_if(","):
            break
    reader.expect(" ")
    return Point(measurement, tags, fields, int(reader.take(_TIME)))
