# SPDX-License-Identifier: MIT
"""Notifications with everything in them, meta data included.

logfile prints a notification without its meta data, so collectd's own exec
plugin hands each one to a program of ours. That program refuses to run as root
and one runs per notification: the files say nothing about the order, for which
Collectd.notifications() is the witness."""

import glob
import os
from typing import NamedTuple

from process import wait_until

# One file per notification, complete when it has its final name.
_PROGRAM = """\
#!/bin/sh
cd "$(dirname "$0")" && cat >".$$" && mv ".$$" "notification.$$.$(date +%s%N)"
"""

_CONFIG = """
LoadPlugin exec
<Plugin exec>
  NotificationExec nobody "{program}"
</Plugin>
"""

# What collectd itself writes; every other header is meta data.
_IDENTITY = {"Severity": "severity", "Time": "time", "Host": "host",
             "Plugin": "plugin", "PluginInstance": "plugin_instance",
             "Type": "type", "TypeInstance": "type_instance"}


class Recorded(NamedTuple):
    severity: str
    time: float
    host: str
    plugin: str
    plugin_instance: str
    type: str
    type_instance: str
    message: str
    meta: dict  # name → text


class Recorder:
    """Attach it before the daemon starts."""

    def __init__(self, daemon):
        self._directory = daemon.path("recorded")
        os.mkdir(self._directory)
        program = os.path.join(self._directory, "record")
        with open(program, "w") as f:
            f.write(_PROGRAM)
        os.chmod(program, 0o755)
        os.chmod(self._directory, 0o777)
        os.chmod(daemon.directory, 0o711)  # lets nobody pass, and no more
        daemon.stock += _CONFIG.format(program=program)

    def all(self):
        """Every notification so far, by collectd's time of it."""
        paths = glob.glob(os.path.join(self._directory, "notification.*"))
        return sorted(map(_parse, paths), key=lambda found: found.time)

    def find(self, **identity):
        return [found for found in self.all()
                if all(getattr(found, key) == value
                       for key, value in identity.items())]

    def wait_for(self, timeout=10, **identity):
        """The first one with these fields, as soon as there is one."""
        return wait_until(lambda: self.find(**identity),
                          f"a notification with {identity}", timeout)[0]


def _parse(path):
    with open(path, errors="replace") as f:
        head, _, message = f.read().partition("\n\n")
    fields, meta = dict.fromkeys(_IDENTITY.values(), ""), {}
    for line in head.splitlines():
        name, _, value = line.partition(": ")
        if name in _IDENTITY:
            fields[_IDENTITY[name]] = value
        else:
            meta[name] = value
    fields["time"] = float(fields["time"])
    return Recorded(**fields, message=message.rstrip("\n"), meta=meta)
