# SPDX-License-Identifier: MIT
"""Emulators of AWS, as private processes on 127.0.0.1.

moto's server knows most services (Kinesis, CloudWatch, Logs, STS) and checks no
signature; kinesalite is a second opinion on Kinesis, with its limits and error
messages. tests/emulators/prepare installs both."""

import functools
import json
import os
import shutil
import socket
import subprocess
import tempfile
import urllib.request

from process import Daemon, wait_until

_HERE = os.path.dirname(os.path.abspath(__file__))
_RECIPE = os.path.join(_HERE, "../emulators")
CLIENT = os.path.join(_RECIPE, "client.py")


@functools.lru_cache(maxsize=None)
def _prepared():
    """(exit status, directory, what it said); a minute the first time."""
    done = subprocess.run([os.path.join(_RECIPE, "prepare")], text=True,
                          capture_output=True)
    return done.returncode, done.stdout.strip(), done.stderr


def prepare():
    """Outside of every test's time limit. A failure is told by who needs them:
    see directory()."""
    _prepared()


def directory():
    status, path, words = _prepared()
    assert status == 0, f"tests/emulators/prepare failed:\n{words}"
    return path


def python():
    return os.path.join(directory(), "venv/bin/python")


def environment():
    """Nothing of this host's AWS configuration, proxies, or sanitizers."""
    return {key: value for key, value in os.environ.items()
            if not key.upper().startswith(("AWS_", "PYTHON", "LD_"))
            and not key.upper().endswith("_PROXY")}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class _Emulator:
    def __init__(self):
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._directory = tempfile.mkdtemp(prefix="tally-emulator-")
        self._daemon = Daemon(type(self).__name__,
                              os.path.join(self._directory, "log"))

    def _command(self):
        raise NotImplementedError

    def _environment(self):
        return environment()

    def start(self):
        """Also after stop(), at the same place."""
        self._daemon.start(self._command(), env=self._environment())

        def ready():
            self._daemon.require_running()
            return _answers(self.port)
        wait_until(ready, f"{self._daemon.name} listens", timeout=30)
        return self

    def stop(self):
        self._daemon.kill()  # nothing of it is worth keeping

    def log(self):
        return self._daemon.log()

    def close(self):
        self.stop()
        shutil.rmtree(self._directory, ignore_errors=True)


class Moto(_Emulator):
    def _command(self):
        return [python(), "-m", "moto.server", "-H", "127.0.0.1",
                "-p", str(self.port)]

    def reset(self):
        """Forgets everything: quicker than another process."""
        self._post("/moto-api/reset")

    def _post(self, path):
        request = urllib.request.Request(self.endpoint + path, method="POST")
        without_proxy = urllib.request.ProxyHandler({})
        urllib.request.build_opener(without_proxy).open(request, timeout=10)


class Kinesalite(_Emulator):
    """`shard_limit` as the service's: more make CreateStream fail."""

    def __init__(self, shard_limit=50):
        super().__init__()
        self._shard_limit = shard_limit

    def _command(self):
        options = {"createStreamMs": 0, "deleteStreamMs": 0,
                   "updateStreamMs": 0, "shardLimit": self._shard_limit}
        return ["node", os.path.join(_RECIPE, "kinesalite.js"), str(self.port),
                json.dumps(options)]

    def _environment(self):
        return {**environment(),
                "NODE_PATH": os.path.join(directory(), "npm/node_modules")}
