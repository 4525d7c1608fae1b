# SPDX-License-Identifier: MIT
"""What an Engine leaves on the host when it was killed, and its removal.

Only what belongs to one private Engine is touched: everything is found through
the Engine's own directory or its containers' 64-digit identifiers."""

import ctypes
import glob
import hashlib
import os
import re
import signal
import subprocess

from process import all_pids, command_line, wait_until

_MNT_DETACH = 2
_libc = ctypes.CDLL(None, use_errno=True)
_SHARED_FILES = ["/etc/docker/key.json", "/etc/docker"]


class HostState:
    """The few things outside its own directory that a dockerd creates."""

    def __init__(self):
        self._files = [p for p in _SHARED_FILES if not os.path.exists(p)]
        self._cgroups = [p for p in _docker_cgroups() if os.path.exists(p)]

    def restore(self):
        for path in self._files:
            _quietly(os.rmdir if os.path.isdir(path) else os.remove, path)
        for path in _docker_cgroups():
            if path not in self._cgroups:  # refused by the kernel while in use
                _quietly(os.rmdir, path)


def _docker_cgroups():
    return [f"{parent}/docker" for parent in
            ["/sys/fs/cgroup", *glob.glob("/sys/fs/cgroup/*")]
            if os.path.isdir(f"{parent}/docker")]


def _quietly(function, *arguments):
    try:
        function(*arguments)
    except OSError:
        pass


def _container_ids(directory):
    return [name for name in _list(f"{directory}/data/containers")
            if re.fullmatch("[0-9a-f]{64}", name)]


def _list(path):
    try:
        return os.listdir(path)
    except OSError:
        return []


def _cgroups_of(pid):
    try:
        with open(f"/proc/{pid}/cgroup") as f:
            return f.read()
    except OSError:
        return ""


def _kill_all(find_pids, what):
    for pid in find_pids():
        _quietly(os.kill, pid, signal.SIGKILL)
    wait_until(lambda: not find_pids(), f"{what} are gone", timeout=10)


def end_containers(directory):
    """SIGKILL to every process in a cgroup of one of the containers."""
    ids = _container_ids(directory)

    def members():
        return [pid for pid in all_pids()
                if any(i in _cgroups_of(pid) for i in ids)]
    if ids:
        _kill_all(members, "the containers' processes")
    for container_id in ids:
        _remove_shim_socket(directory, container_id)
        for path in glob.glob(f"/sys/fs/cgroup/**/*{container_id}*",
                              recursive=True):
            _quietly(os.rmdir, path)


def shim_pids(directory):
    return [pid for pid in all_pids()
            if "containerd-shim" in command_line(pid)
            and f"{directory}/containerd.sock" in command_line(pid)]


def end_shims(directory):
    _kill_all(lambda: shim_pids(directory), "containerd's shims")


def _remove_shim_socket(directory, container_id):
    """containerd names the socket by a digest of address/namespace/container
    (runtime/v2/shim SocketAddress); a killed shim cannot remove its own."""
    key = f"{directory}/containerd.sock/moby/{container_id}"
    _quietly(os.remove, "/run/containerd/s/"
             + hashlib.sha256(key.encode()).hexdigest())


def unmount_below(directory):
    with open("/proc/self/mountinfo") as f:
        points = [line.split()[4] for line in f]
    for point in sorted(points, reverse=True):
        if point.startswith(f"{directory}/"):
            _libc.umount2(point.encode(), _MNT_DETACH)


def remove_bridge(name):
    if os.path.exists(f"/sys/class/net/{name}"):
        subprocess.run(["ip", "link", "delete", name], check=False)
