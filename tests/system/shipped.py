# SPDX-License-Identifier: MIT
"""docker_logs with a file as its sink, and what has arrived there."""

import glob
import os
import re
import socket

from process import wait_until

RECORD = re.compile(rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (.*)", re.DOTALL)
TAGGED = re.compile(rb"([^ ]*):([^ ]*)/([0-9a-f]{12}) (.*)", re.DOTALL)


def stored(container):
    """(standard output, standard error) as Docker has stored them."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(container.engine.socket)
        s.sendall(f"GET /containers/{container.id}/logs?stdout=1&stderr=1 "
                  "HTTP/1.0\r\n\r\n".encode())
        data = s.makefile("rb").read().split(b"\r\n\r\n", 1)[1]
    streams = {1: b"", 2: b""}
    while data:
        end = 8 + int.from_bytes(data[4:8], "big")
        streams[data[0]] += data[8:end]
        data = data[end:]
    return streams[1], streams[2]


class Shipped:
    """One <Plugin docker_logs> with a route `all` to a file."""

    def __init__(self, daemon, engine, route="", more="", selects=""):
        self.daemon = daemon
        self.path = daemon.path("shipped.log")
        daemon.plugins["docker_logs"] = f"""
            Endpoint "{engine.endpoint}"
            StateDir "{daemon.path('state')}"
            <Route "all">
              {selects}
              File "{self.path}"
              {route}
            </Route>
            {more}"""

    # -- what arrived -------------------------------------------------------

    def records(self):
        """Every line of the file and of those it was rotated to, as bytes."""
        names = sorted(glob.glob(glob.escape(self.path) + ".*"),
                       key=lambda name: -int(name.rsplit(".", 1)[1]))
        data = b""
        for name in [*names, self.path]:
            try:
                with open(name, "rb") as f:
                    data += f.read()
            except FileNotFoundError:
                pass
        return data.split(b"\n")[:-1]  # what follows is being written

    def texts(self, container):
        """The lines of a container, without what stands in front of them."""
        found = []
        for record in self.records():
            tagged = TAGGED.fullmatch(RECORD.fullmatch(record)[2])
            if tagged and tagged[3].decode() == container.id[:12]:
                found.append(tagged[4])
        return found

    def sentences(self, container):
        return [record[2] for record in
                map(RECORD.fullmatch, self.records())
                if record and record[2].startswith(b"agent:")
                and container.id[:12].encode() in record[2]]

    def wait_for(self, container, *texts, timeout=10):
        """Until these are what has arrived, exactly."""
        expected = [text if isinstance(text, bytes) else text.encode()
                    for text in texts]
        try:
            wait_until(lambda: len(self.texts(container)) >= len(expected),
                       "lines", timeout)
        finally:
            assert self.texts(container) == expected

    def wait_for_end(self, container, timeout=10):
        """The sentence behind a container's last line."""
        return wait_until(
            lambda: [s for s in self.sentences(container) if b" Dead " in s],
            f"the end of {container.id[:12]}", timeout)[0]

    # -- where it can be seen -----------------------------------------------

    def sink(self):
        """The identifier of the file's outbox."""
        name = self.path.replace("/", "_")
        return f"tallyman-docker_logs-file-{name}/tallyman_outbox"

    def spool(self):
        spools = os.listdir(self.daemon.path("state/spool"))
        return [name for name in spools if name.startswith("docker_logs-file")]
