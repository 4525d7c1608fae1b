# SPDX-License-Identifier: MIT
"""A daemon that listens on TCP, with and without TLS and client certificates."""

import os
import socket
import subprocess

import pytest

from bracket import fresh_sample
from engine import Engine
from process import wait_until

RUNNING = "docker/containers"


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def authority(directory):
    """A certificate authority of its own below `directory`; returns the paths
    of its certificate and key."""
    os.makedirs(directory)
    ca, key = f"{directory}/ca.pem", f"{directory}/ca-key.pem"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=quay", "-addext", "keyUsage=critical,keyCertSign",
            "-keyout", key, "-out", ca)
    return ca, key


def certify(directory, signer, extensions):
    """cert.pem and key.pem below `directory`, beside the ca.pem of `signer`."""
    ca, ca_key = signer
    os.makedirs(directory)
    request, extra = f"{directory}/request", f"{directory}/extensions"
    with open(extra, "w") as f:
        f.write(extensions)
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-subj", "/CN=berth", "-keyout", f"{directory}/key.pem",
            "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key,
            "-CAcreateserial", "-days", "2", "-extfile", extra,
            "-out", f"{directory}/cert.pem")
    with open(ca) as source, open(f"{directory}/ca.pem", "w") as target:
        target.write(source.read())
    return directory


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Directories as DOCKER_CERT_PATH has them: the daemon's, a client's, and
    that of a client whom another authority knows."""
    top = str(tmp_path_factory.mktemp("certificates"))
    ours, theirs = authority(f"{top}/ours"), authority(f"{top}/theirs")
    return {
        "daemon": certify(f"{top}/daemon", ours,
                          "subjectAltName=IP:127.0.0.1\n"
                          "extendedKeyUsage=serverAuth\n"),
        "client": certify(f"{top}/client", ours,
                          "extendedKeyUsage=clientAuth\n"),
        "stranger": certify(f"{top}/stranger", theirs,
                            "extendedKeyUsage=clientAuth\n")}


@pytest.fixture(scope="module")
def tcp_engine(certificates):
    """One daemon that wants certificates at HOST:PORT."""
    engine = Engine()
    engine.address = f"127.0.0.1:{free_port()}"
    its = certificates["daemon"]
    try:
        engine.start(extra_arguments=[
            "--host", f"tcp://{engine.address}", "--tlsverify",
            "--tlscacert", f"{its}/ca.pem", "--tlscert", f"{its}/cert.pem",
            "--tlskey", f"{its}/key.pem"])
        yield engine
    finally:
        engine.close()


def counts_a_container(daemon):
    wait_until(lambda: daemon.samples(RUNNING)
               and fresh_sample(daemon, RUNNING)["running"] == 1,
               "the container is counted")


def test_client_certificates(tcp_engine, certificates, collectd):
    tcp_engine.run("sleep", "1000", name="cargo")
    daemon = collectd(docker_stats=f'Endpoint "tcp://{tcp_engine.address}"\n'
                      f'CertDir "{certificates["client"]}"').start()
    counts_a_container(daemon)
    wait_until(lambda: daemon.samples("docker-cargo/container_cpu"),
               "the container is sampled")


def test_certificates_from_the_environment(tcp_engine, certificates, collectd,
                                           monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", f"tcp://{tcp_engine.address}")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", certificates["client"])
    counts_a_container(collectd(docker_stats="").start())


def test_certificates_of_strangers(tcp_engine, certificates, collectd):
    """Neither side knows the other: one warning, and never a container."""
    daemon = collectd(docker_stats=f'Endpoint "tcp://{tcp_engine.address}"\n'
                      f'CertDir "{certificates["stranger"]}"').start()

    def complaints():
        return [line for line in daemon.log().splitlines()
                if tcp_engine.address in line and "certificate" in line]
    wait_until(complaints, "the reason is told")
    for _ in range(3):
        assert fresh_sample(daemon, "tallyman-docker_stats/tallyman_daemon")[
            "reachable"] == 0
    assert len(complaints()) == 1


def test_tcp_without_tls(second_engine, collectd):
    address = f"127.0.0.1:{free_port()}"
    second_engine.stop()
    second_engine.start(extra_arguments=["--host", f"tcp://{address}",
                                         "--tls=false"])
    second_engine.run("sleep", "1000", name="cargo")
    counts_a_container(
        collectd(docker_stats=f'Endpoint "tcp://{address}"').start())
