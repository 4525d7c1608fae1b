# SPDX-License-Identifier: MIT
"""A private Docker Engine: own containerd, own directory, own bridge.

containerd is started by us and not by dockerd, so that a dockerd which is
killed can be started again while containers, shims and containerd live on.
There is no packet filter and no forwarding: containers reach each other and
the bridge's own address, which is all that a test needs."""

import itertools
import os
import shutil
import subprocess
import tempfile
from urllib.parse import urlencode

import image
import leftovers
from container import Container
from process import PATIENCE, Daemon, wait_until
from unix_http import ApiError, request

# The criu and CRI plugins would only cost start-up time; the opt plugin would
# create a directory under /opt.
_CONTAINERD_CONFIG = """\
version = 2
root = "{directory}/containerd"
state = "{directory}/containerd-state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "{directory}/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "{directory}/opt"
"""


_number = itertools.count()


class Engine:
    def __init__(self):
        # Not pytest's tmp_path: a Unix socket's path must stay below 108 bytes.
        self.directory = tempfile.mkdtemp(prefix="tally-engine-")
        self.socket = f"{self.directory}/docker.sock"
        self.endpoint = f"unix://{self.socket}"
        self.live_restore = False
        self._host_before = leftovers.HostState()
        self._containerd = Daemon("containerd", self.path("containerd.log"))
        self._dockerd = Daemon("dockerd", self.path("dockerd.log"))
        # An interface name has at most 15 characters.
        self._bridge = f"tally{os.getpid()}-{next(_number)}"[-15:]
        self.gateway = None

    def path(self, name):
        return os.path.join(self.directory, name)

    # -- life cycle ---------------------------------------------------------

    def start(self, live_restore=False, extra_arguments=()):
        """Start what does not run yet; returns when the API answers."""
        self.live_restore = live_restore
        self._extra_arguments = list(extra_arguments)
        if self.gateway is None:
            self.gateway = self._create_bridge()
        if not self._containerd.running:
            self._start_containerd()
        self._start_dockerd()
        if not any("busybox:latest" in (i.get("RepoTags") or [])
                   for i in self.api("GET", "/images/json")):
            image.import_busybox(self)
        return self

    def stop(self):
        """SIGTERM to dockerd. Without live-restore its containers stop too."""
        self._dockerd.terminate(timeout=40)

    def kill9(self):
        """SIGKILL to dockerd alone: containers, shims, containerd live on."""
        self._dockerd.kill()

    def restart(self, live_restore=None):
        self.stop()
        self.start(self.live_restore if live_restore is None else live_restore,
                   self._extra_arguments)

    @property
    def running(self):
        return self._dockerd.running

    @property
    def daemon_pids(self):
        """dockerd, containerd and the shims: what a container host pays."""
        return ([self._dockerd.pid, self._containerd.pid]
                + leftovers.shim_pids(self.directory))

    def log(self):
        return self._dockerd.log()

    def close(self):
        """End everything and leave nothing behind, whatever state it is in."""
        try:
            if self.running:
                self.remove_containers()
                self.stop()
        finally:
            self._dockerd.kill()
            leftovers.end_containers(self.directory)
            self._containerd.kill()
            leftovers.end_shims(self.directory)
            leftovers.unmount_below(self.directory)
            leftovers.remove_bridge(self._bridge)
            self._host_before.restore()
            shutil.rmtree(self.directory, ignore_errors=True)

    def _create_bridge(self):
        for third in range(os.getpid() % 200, 256):
            gateway = f"10.231.{third}.1"
            if gateway not in subprocess.run(
                    ["ip", "-4", "address"], capture_output=True, text=True,
                    check=True).stdout:
                break
        for command in (["link", "add", "name", self._bridge, "type", "bridge"],
                        ["address", "add", f"{gateway}/24", "dev", self._bridge],
                        ["link", "set", self._bridge, "up"]):
            subprocess.run(["ip", *command], check=True)
        return gateway

    def _start_containerd(self):
        config = self.path("containerd.toml")
        with open(config, "w") as f:
            f.write(_CONTAINERD_CONFIG.format(directory=self.directory))
        self._containerd.start(["containerd", "--config", config])
        self._wait_for(self._containerd,
                       lambda: os.path.exists(self.path("containerd.sock")))

    def _start_dockerd(self):
        with open(self.path("daemon.json"), "w") as f:
            f.write("{}")  # shields us from /etc/docker/daemon.json
        self._dockerd.start([
            "dockerd", "--host", self.endpoint,
            "--config-file", self.path("daemon.json"),
            "--containerd", self.path("containerd.sock"),
            "--data-root", self.path("data"),
            "--exec-root", self.path("exec"),
            "--pidfile", self.path("docker.pid"),
            "--storage-driver", "vfs", "--bridge", self._bridge,
            "--iptables=false", "--ip6tables=false",
            "--ip-forward=false", "--ip-masq=false",
            *(["--live-restore"] if self.live_restore else []),
            *self._extra_arguments])
        self._wait_for(self._dockerd, self._answers)

    def _wait_for(self, daemon, ready):
        def check():
            daemon.require_running()
            return ready()
        wait_until(check, f"{daemon.name} is ready", timeout=30)

    def _answers(self):
        try:
            return self.api("GET", "/_ping", timeout=2) == "OK"
        except (OSError, ApiError):
            return False

    # -- what a client asks -------------------------------------------------

    def api(self, method, path, body=None, timeout=30):
        return request(self.socket, method, path, body, timeout * PATIENCE)

    def create(self, *command, name=None, image="busybox", env=None,
               labels=None, settings=None, **host_config):
        """A container that is not started. Keywords of the Engine API's
        HostConfig go in under their own names: Memory=64 << 20."""
        query = f"?{urlencode({'name': name})}" if name else ""
        answer = self.api("POST", f"/containers/create{query}", {
            "Image": image, "Cmd": list(command),
            "Env": [f"{key}={value}" for key, value in (env or {}).items()],
            "Labels": labels or {}, "HostConfig": host_config,
            # PID 1 ignores SIGTERM: a stopping dockerd would wait 10 s
            "StopTimeout": 1,
            **(settings or {})})
        return Container(self, answer["Id"])

    def run(self, *command, **how):
        """Create and start; the arguments are those of create()."""
        container = self.create(*command, **how)
        container.start()
        return container

    def run_out_of_memory(self, name, limit):
        """A container that is killed for it after a second: it is told only
        once the shim listens, which begins after the process has."""
        return self.run("sh", "-c", "sleep 1; exec tail /dev/zero", name=name,
                        Memory=limit, MemorySwap=limit)

    def containers(self):
        """All of them, running or not."""
        return [Container(self, entry["Id"])
                for entry in self.api("GET", "/containers/json?all=1")]

    def remove_containers(self):
        for container in self.containers():
            container.remove()
