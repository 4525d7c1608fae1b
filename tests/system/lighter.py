# SPDX-License-Identifier: MIT
"""lighter, the scripted AWS (tests/lighter/main.c), as a private process.

    with Lighter(tls=True) as lighter:
        lighter.fault("PutRecords", "records", rate=0.1)
        lighter.fault("PutRecords", "taken-reset", times=1, resource="lines")
        …
        lighter.ledger().verdict({"web": 1000})"""

import json
import os
import shutil
import subprocess
import tempfile
import threading

from collectd import BUILD
from ledger import Ledger
from process import PATIENCE, die_with_the_parent

PROGRAM = os.path.join(BUILD, "tests/lighter/lighter")

# Every fault of a whole call, by what the client can know
REFUSALS = ("throttled", "limited", "internal", "unavailable", "expired")
NOTHING_TAKEN = ("hang", "reset")
ALL_TAKEN = ("taken-hang", "taken-reset", "taken-half", "taken-garbage")
SLOW = ("drip",)


class Lighter:
    access_key = "AKIDEXAMPLE"
    secret_key = "aSecretOfTheTests"  # no blank: ours takes none
    region = "eu-central-1"

    def __init__(self, tls=False, mark="line=", shards=4, seed=1,
                 session_token=None):
        self.directory = tempfile.mkdtemp(prefix="tally-lighter-")
        self.session_token = session_token
        self.ca_file = self._path("cert.pem") if tls else None
        self._options = [f"--mark={mark}", f"--shards={shards}",
                         f"--seed={seed}", f"--ledger={self._path('ledger')}"]
        self._process = None
        self._talking = threading.Lock()  # a metadata service adds keys
        self.port = 0

    def _path(self, name):
        return os.path.join(self.directory, name)

    # -- life cycle ---------------------------------------------------------

    def start(self):
        assert os.path.exists(PROGRAM), f"{PROGRAM}: make system-tools"
        if self.ca_file:
            self._make_certificate()
            self._options += [f"--cert={self.ca_file}",
                              f"--key={self._path('key.pem')}"]
        self._process = subprocess.Popen(
            [PROGRAM, *self._options], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, preexec_fn=die_with_the_parent,
            env={**os.environ, **self.environment()})
        word, port = self._read_line().split()
        assert word == "ready"
        self.port = int(port)
        return self

    def _make_certificate(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-days", "2",
             "-subj", "/CN=lighter",
             "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
             "-keyout", self._path("key.pem"), "-out", self.ca_file],
            check=True, capture_output=True, timeout=30 * PATIENCE)

    def close(self):
        try:
            if self._process is not None:
                self._process.stdin.close()
                status = self._process.wait(10 * PATIENCE)
                assert status == 0, f"lighter ended with {status}"
        finally:
            if self._process is not None:
                self._process.kill()
                self._process.wait()
                self._process.stdout.close()
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # -- how to reach it ----------------------------------------------------

    @property
    def endpoint(self):
        return f"{'https' if self.ca_file else 'http'}://127.0.0.1:{self.port}"

    def environment(self):
        """What requests are signed with, as AWS's own variables."""
        return {"AWS_ACCESS_KEY_ID": self.access_key,
                "AWS_SECRET_ACCESS_KEY": self.secret_key,
                "AWS_SESSION_TOKEN": self.session_token or "",
                "AWS_REGION": self.region}

    def config(self):
        """The same as options of our plugins."""
        lines = [f'Endpoint "{self.endpoint}"', f'Region "{self.region}"',
                 f'AccessKeyID "{self.access_key}"',
                 f'SecretAccessKey "{self.secret_key}"']
        if self.session_token:
            lines.append(f'SessionToken "{self.session_token}"')
        if self.ca_file:
            lines.append(f'CACert "{self.ca_file}"')
        return "\n".join(lines)

    # -- what it shall do ---------------------------------------------------

    def _read_line(self):
        line = self._process.stdout.readline()
        assert line, "lighter has ended; its last words are above"
        return line.rstrip("\n")

    def _command(self, *words):
        with self._talking:
            self._process.stdin.write(" ".join(map(str, words)) + "\n")
            self._process.stdin.flush()
            answer = self._read_line()
        assert answer != "?", f"lighter does not understand {words}"
        return answer

    def fault(self, operation, kind, rate=0.0, times=0, resource=""):
        """`kind` is a word of tests/lighter/faults.h. A rate of 0 ends it."""
        where = f"{operation}/{resource}" if resource else operation
        self._command("fault", where, kind, f"x{times}" if times else rate)

    def behave(self):
        self._command("behave")

    def reshard(self, stream, shards):
        self._command("reshard", stream, shards)

    def clock(self, seconds):
        """Its clock is so far ahead."""
        self._command("clock", seconds)

    def add_keys(self, access_key, secret_key, token, until):
        """They may sign until that time; those of config() no longer."""
        self._command("keys", access_key, secret_key, token, int(until))

    def refuse(self, seconds):
        """All connections end, and none is taken for so long."""
        self._command("refuse", int(seconds * 1000))

    # -- what it took -------------------------------------------------------

    def stats(self):
        return json.loads(self._command("stats"))

    def ledger(self):
        self._command("sync")
        return Ledger(self._path("ledger"))
