# SPDX-License-Identifier: MIT
"""Reads what collectd's csv plugin wrote."""

import glob
import os
import re
from typing import NamedTuple

_DAY = re.compile(r"-\d{4}-\d{2}-\d{2}$")


class Sample(NamedTuple):
    time: float
    values: dict  # data source → float; NaN where collectd was told so

    def __getitem__(self, source):
        if isinstance(source, str):
            return self.values[source]
        return tuple.__getitem__(self, source)


def _files(directory, host, identifier):
    pattern = "-????-??-??"
    base = glob.escape(os.path.join(directory, host, identifier))
    return sorted(glob.glob(base + pattern))


def read(directory, host, identifier):
    found = []
    for path in _files(directory, host, identifier):
        with open(path) as f:
            names = f.readline().strip().split(",")[1:]
            # collectd may be writing: a line without its end is not there yet
            lines = [line for line in f if line.endswith("\n")]
        for line in lines:
            time, *values = line.strip().split(",")
            found.append(Sample(float(time),
                                dict(zip(names, map(float, values)))))
    return found


def identifiers(directory, host):
    """plugin-instance/type-instance of everything written for this host."""
    base = os.path.join(directory, host)
    return sorted({_DAY.sub("", os.path.relpath(path, base))
                   for path in glob.glob(os.path.join(base, "*", "*"))})
