# SPDX-License-Identifier: MIT
"""What every system test can ask for. Run as root:

    python3 -m pytest tests/system [-m vm|delivery] [-k name]

TALLYMAN_BUILD     the build tree with the plugins (default: build)
TALLYMAN_PRELOAD   sanitizer runtimes for collectd
TALLYMAN_PATIENCE  factor on every time limit (an emulated machine: 6)
TALLYMAN_EMULATORS where the emulators of AWS are (tests/emulators/prepare)"""

import os
import signal
import sys

import pytest

import aws as aws_client
import emulators
from aws import Aws
from collectd import Collectd
from emulators import Kinesalite, Moto
from engine import Engine
from lighter import Lighter
from quay import Quay
from snmp import Snmpd, Snmptrapd, Subagent

pytest_plugins = ["plain_report", "time_limit"]


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "vm: also runs on the second machine (cgroup v2, systemd), "
        "and with sanitizers")
    config.addinivalue_line(
        "markers", "sanitized: also runs with sanitizers")
    config.addinivalue_line(
        "markers", "delivery: of what brings logs and metrics elsewhere; runs "
        "beside the others")
    # Fixtures clean up after an interrupt, so a terminated run must be one.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    # Beside each other, so that its containers are made once.
    items.sort(key=lambda item: "quay" in item.fixturenames)


def pytest_collection_finish(session):
    wanted = {"moto", "kinesalite", "aws"}
    if any(wanted.intersection(item.fixturenames) for item in session.items):
        emulators.prepare()


@pytest.fixture(scope="session")
def shared_engine():
    engine = Engine()
    try:
        yield engine.start()
    finally:
        engine.close()


def _empty_engine(shared_engine):
    if not shared_engine.running or shared_engine.live_restore:
        if shared_engine.running:
            shared_engine.stop()
        shared_engine.start()
    try:
        yield shared_engine
    finally:
        if sys.exc_info()[0] is None and shared_engine.running:
            shared_engine.remove_containers()


@pytest.fixture
def engine(shared_engine):
    """A running Engine without containers. The test may kill or restart it:
    whoever comes next finds it running again and empty."""
    yield from _empty_engine(shared_engine)


@pytest.fixture(scope="module")
def module_engine(shared_engine):
    """The same for all tests of a file that share their containers."""
    yield from _empty_engine(shared_engine)


@pytest.fixture(scope="session")
def quay(shared_engine):
    """Containers that do something measurable, for all tests that only look
    at them; the last in the session."""
    for engine in _empty_engine(shared_engine):
        quay = Quay(engine)
        try:
            quay.fill()
            yield quay
        finally:
            quay.close()


@pytest.fixture
def second_engine():
    """Another Engine, for tests with two endpoints."""
    engine = Engine()
    try:
        yield engine.start()
    finally:
        engine.close()


def _collectd_maker():
    made = []

    def make(**how):
        made.append(Collectd(**how))
        return made[-1]
    try:
        yield make
    finally:
        for daemon in made:
            daemon.close()


@pytest.fixture
def collectd():
    """Collectd's constructor; everything made with it ends with the test."""
    yield from _collectd_maker()


@pytest.fixture(scope="module")
def module_collectd():
    """The same for all tests of a file that watch one collectd."""
    yield from _collectd_maker()


def _maker(kind):
    made = []

    def make(*arguments, **how):
        made.append(kind(*arguments, **how))
        return made[-1]
    try:
        yield make
    finally:
        for daemon in reversed(made):
            daemon.close()


@pytest.fixture
def bare_home(tmp_path, monkeypatch):
    """An empty home directory, and an environment that says nothing of AWS or
    of proxies."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def lighter():
    """Starts a scripted AWS; it ends with the test."""
    made = _maker(Lighter)
    make = next(made)
    yield lambda **how: make(**how).start()
    made.close()


@pytest.fixture
def snmpd():
    """Constructors, as above: a master agent, a receiver of notifications and
    our subagent."""
    yield from _maker(Snmpd)


@pytest.fixture
def snmptrapd():
    yield from _maker(Snmptrapd)


@pytest.fixture
def subagent():
    yield from _maker(Subagent)


@pytest.fixture(scope="module")
def module_snmpd():
    yield from _maker(Snmpd)


@pytest.fixture(scope="module")
def module_subagent():
    yield from _maker(Subagent)


@pytest.fixture(scope="session")
def _shared_moto():
    server = Moto()
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture
def moto(_shared_moto):
    """moto's server, empty."""
    _shared_moto.reset()
    return _shared_moto


@pytest.fixture
def kinesalite():
    """Another one of its own, empty, for every test that asks for it."""
    server = Kinesalite()
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture(scope="session")
def aws():
    """Aws's constructor: a client of boto3 for an endpoint."""
    try:
        yield Aws
    finally:
        aws_client.close()
