# SPDX-License-Identifier: MIT
"""What an Engine says about a container, field by field as the real ones do.

Recorded from Engine 20.10.24 (API 1.41) and 26.1 (API 1.45); the long values
(overlay layers, compose labels, health log) are those of an ordinary service,
because their length is what a client's parser pays for."""

import hashlib
import time
from dataclasses import dataclass, field

NEVER = "0001-01-01T00:00:00Z"

_ENV = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8", "APP_ENV": "production", "LISTEN": "0.0.0.0:8080",
    "DATABASE_URL": "postgres://shop:secret@db.internal:5432/shop",
    "REDIS_URL": "redis://cache.internal:6379/0",
    "KINESIS": "shop-logs", "LOG_LEVEL": "info"}

_LABELS = {
    "com.docker.compose.config-hash": hashlib.sha256(b"config").hexdigest(),
    "com.docker.compose.container-number": "1",
    "com.docker.compose.depends_on": "db:service_started:false",
    "com.docker.compose.image": f"sha256:{hashlib.sha256(b'').hexdigest()}",
    "com.docker.compose.oneoff": "False",
    "com.docker.compose.project": "shop",
    "com.docker.compose.project.config_files": "/srv/shop/compose.yaml",
    "com.docker.compose.project.working_dir": "/srv/shop",
    "com.docker.compose.service": "web",
    "com.docker.compose.version": "2.26.1"}


def digest(text):
    """64 hex digits that look like an id and are always the same."""
    return hashlib.sha256(text.encode()).hexdigest()


def timestamp(ns):
    """RFC 3339 with nanoseconds; zero is "never"."""
    if ns == 0:
        return NEVER
    return (time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ns // 10**9))
            + f".{ns % 10**9:09d}Z")


@dataclass
class ScriptedContainer:
    id: str
    name: str
    pid: int = 0
    image: str = "registry.internal/shop/web:1.4.2"
    env: dict = field(default_factory=lambda: dict(_ENV))
    labels: dict = field(default_factory=lambda: dict(_LABELS))
    status: str = "running"
    health: str = ""  # "healthy", …; empty: no health check
    exit_code: int = 0
    oom_killed: bool = False
    restart_count: int = 0
    network_mode: str = "default"
    log_driver: str = "json-file"
    tty: bool = False
    created_ns: int = field(default_factory=time.time_ns)
    started_ns: int = field(default_factory=time.time_ns)
    finished_ns: int = 0

    @property
    def image_id(self):
        return f"sha256:{digest(self.image)}"


# ---- GET /containers/{id}/json -----------------------------------------------

def inspect(c, modern):
    """`modern` is the shape of API 1.44 and later."""
    directory = f"/var/lib/docker/containers/{c.id}"
    return {
        "Id": c.id, "Created": timestamp(c.created_ns),
        "Path": "/usr/local/bin/shop", "Args": ["serve", "--workers", "4"],
        "State": _state(c), "Image": c.image_id,
        "ResolvConfPath": f"{directory}/resolv.conf",
        "HostnamePath": f"{directory}/hostname",
        "HostsPath": f"{directory}/hosts",
        "LogPath": f"{directory}/{c.id}-json.log",
        "Name": f"/{c.name}", "RestartCount": c.restart_count,
        "Driver": "overlay2", "Platform": "linux", "MountLabel": "",
        "ProcessLabel": "", "AppArmorProfile": "docker-default",
        "ExecIDs": None, "HostConfig": _host_config(c, modern),
        "GraphDriver": _graph_driver(c), "Mounts": [],
        "Config": _config(c), "NetworkSettings": _network_settings(c, modern)}


def _state(c):
    state = {
        "Status": c.status, "Running": c.status in ("running", "paused"),
        "Paused": c.status == "paused",
        "Restarting": c.status == "restarting",
        "OOMKilled": c.oom_killed, "Dead": c.status == "dead", "Pid": c.pid,
        "ExitCode": c.exit_code, "Error": "",
        "StartedAt": timestamp(c.started_ns),
        "FinishedAt": timestamp(c.finished_ns)}
    if c.health:
        check = {"Start": timestamp(c.started_ns),
                 "End": timestamp(c.started_ns + 48_000_000), "ExitCode": 0,
                 "Output": "HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n"
                           '{"status":"up"}\n'}
        state["Health"] = {"Status": c.health, "FailingStreak": 0,
                           "Log": [check] * 5}
    return state


def _host_config(c, modern):
    config = {
        "Binds": None, "ContainerIDFile": "",
        "LogConfig": {"Type": c.log_driver,
                      "Config": {"max-file": "3", "max-size": "10m"}},
        "NetworkMode": c.network_mode, "PortBindings": {},
        "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
        "AutoRemove": False, "VolumeDriver": "", "VolumesFrom": None,
        "ConsoleSize": [0, 0], "CapAdd": None, "CapDrop": None,
        "CgroupnsMode": "private" if modern else "host", "Dns": [],
        "DnsOptions": [], "DnsSearch": [], "ExtraHosts": None,
        "GroupAdd": None, "IpcMode": "private", "Cgroup": "", "Links": None,
        "OomScoreAdj": 0, "PidMode": "", "Privileged": False,
        "PublishAllPorts": False, "ReadonlyRootfs": False,
        "SecurityOpt": None, "UTSMode": "", "UsernsMode": "",
        "ShmSize": 67108864, "Runtime": "runc", "Isolation": "",
        "CpuShares": 0, "Memory": 0, "NanoCpus": 0, "CgroupParent": "",
        "BlkioWeight": 0, "BlkioWeightDevice": [], "BlkioDeviceReadBps": [],
        "BlkioDeviceWriteBps": [], "BlkioDeviceReadIOps": [],
        "BlkioDeviceWriteIOps": [], "CpuPeriod": 0, "CpuQuota": 0,
        "CpuRealtimePeriod": 0, "CpuRealtimeRuntime": 0, "CpusetCpus": "",
        "CpusetMems": "", "Devices": [], "DeviceCgroupRules": None,
        "DeviceRequests": None, "MemoryReservation": 0, "MemorySwap": 0,
        "MemorySwappiness": None, "OomKillDisable": None if modern else False,
        "PidsLimit": None, "Ulimits": [], "CpuCount": 0, "CpuPercent": 0,
        "IOMaximumIOps": 0, "IOMaximumBandwidth": 0,
        "MaskedPaths": ["/proc/asound", "/proc/acpi", "/proc/kcore",
                        "/proc/keys", "/proc/latency_stats",
                        "/proc/timer_list", "/proc/timer_stats",
                        "/proc/sched_debug", "/proc/scsi", "/sys/firmware"],
        "ReadonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                          "/proc/sysrq-trigger"]}
    if modern:
        config["MaskedPaths"].append("/sys/devices/virtual/powercap")
    else:
        config.update(KernelMemory=0, KernelMemoryTCP=0)
    return config


def _graph_driver(c):
    layer = f"/var/lib/docker/overlay2/{digest(c.id)}"
    lower = [f"/var/lib/docker/overlay2/{digest(f'{c.image} {number}')}/diff"
             for number in range(6)]
    return {"Data": {"LowerDir": ":".join([f"{layer}-init/diff", *lower]),
                     "MergedDir": f"{layer}/merged",
                     "UpperDir": f"{layer}/diff", "WorkDir": f"{layer}/work"},
            "Name": "overlay2"}


def _config(c):
    return {
        "Hostname": c.id[:12], "Domainname": "", "User": "shop",
        "AttachStdin": False, "AttachStdout": True, "AttachStderr": True,
        "ExposedPorts": {"8080/tcp": {}}, "Tty": c.tty, "OpenStdin": False,
        "StdinOnce": False,
        "Env": [f"{key}={value}" for key, value in c.env.items()],
        "Cmd": ["serve", "--workers", "4"], "Image": c.image, "Volumes": None,
        "WorkingDir": "/srv", "Entrypoint": ["/usr/local/bin/shop"],
        "OnBuild": None, "Labels": c.labels, "StopTimeout": 10}


def _endpoint(c, modern):
    last = c.pid % 250 + 2
    endpoint = {
        "IPAMConfig": None, "Links": None, "Aliases": None,
        "NetworkID": digest("bridge"), "EndpointID": digest(f"{c.id} eth0"),
        "Gateway": "172.17.0.1", "IPAddress": f"172.17.0.{last}",
        "IPPrefixLen": 16, "IPv6Gateway": "", "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0, "MacAddress": f"02:42:ac:11:00:{last:02x}",
        "DriverOpts": None}
    if modern:
        endpoint["DNSNames"] = None
    return endpoint


def _network_settings(c, modern):
    endpoint = _endpoint(c, modern)
    sandbox = digest(f"{c.id} sandbox")
    settings = {
        "Bridge": "", "SandboxID": sandbox,
        "SandboxKey": f"/var/run/docker/netns/{sandbox[:12]}",
        "Ports": {"8080/tcp": None}, "HairpinMode": False,
        "LinkLocalIPv6Address": "", "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": None, "SecondaryIPv6Addresses": None}
    for key in ("EndpointID", "Gateway", "GlobalIPv6Address",
                "GlobalIPv6PrefixLen", "IPAddress", "IPPrefixLen",
                "IPv6Gateway", "MacAddress"):
        settings[key] = endpoint[key]
    settings["Networks"] = {"bridge": endpoint}
    return settings


# ---- GET /containers/json ----------------------------------------------------

def list_entry(c, modern):
    return {
        "Id": c.id, "Names": [f"/{c.name}"], "Image": c.image,
        "ImageID": c.image_id,
        "Command": "/usr/local/bin/shop serve --workers 4",
        "Created": c.created_ns // 10**9,
        "Ports": [{"PrivatePort": 8080, "Type": "tcp"}], "Labels": c.labels,
        "State": c.status, "Status": "Up 2 hours" if c.pid else
        f"Exited ({c.exit_code}) 2 hours ago",
        "HostConfig": {"NetworkMode": c.network_mode},
        "NetworkSettings": {"Networks": {"bridge": _endpoint(c, modern)}},
        "Mounts": []}


# ---- GET /events -------------------------------------------------------------

def container_event(c, action, time_ns, **attributes):
    return {
        "status": action, "id": c.id, "from": c.image, "Type": "container",
        "Action": action,
        "Actor": {"ID": c.id, "Attributes": {
            **c.labels, **attributes, "image": c.image, "name": c.name}},
        "scope": "local", "time": time_ns // 10**9, "timeNano": time_ns}


# ---- GET /version, /info -----------------------------------------------------

def version(engine_version, api_version, oldest_api):
    return {
        "Platform": {"Name": ""},
        "Components": [{"Name": "Engine", "Version": engine_version, "Details":
                        {"ApiVersion": api_version, "Os": "linux",
                         "MinAPIVersion": oldest_api}}],
        "Version": engine_version, "ApiVersion": api_version,
        "MinAPIVersion": oldest_api, "GitCommit": "5d6db84",
        "GoVersion": "go1.19.8", "Os": "linux", "Arch": "amd64",
        "KernelVersion": "6.1.0-18-amd64",
        "BuildTime": "2024-01-01T00:00:00.000000000+00:00"}


def info(containers, engine_version):
    running = sum(c.status == "running" for c in containers)
    paused = sum(c.status == "paused" for c in containers)
    return {
        "ID": "DUYW:AYOS:GX6Y:57IV:S3Y2:TZ3O:WPUH:ECYF:BCHC:AN7H:ERZF:VG7N",
        "Containers": len(containers), "ContainersRunning": running,
        "ContainersPaused": paused,
        "ContainersStopped": len(containers) - running - paused,
        "Images": 1, "Driver": "overlay2", "MemoryLimit": True,
        "SwapLimit": True, "PidsLimit": True, "LoggingDriver": "json-file",
        "CgroupDriver": "cgroupfs", "CgroupVersion": "1", "OSType": "linux",
        "Architecture": "x86_64", "NCPU": 2, "Name": "scripted",
        "DockerRootDir": "/var/lib/docker", "ServerVersion": engine_version,
        "LiveRestoreEnabled": False, "Warnings": None}
