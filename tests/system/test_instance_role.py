# SPDX-License-Identifier: MIT
"""On an instance with a role nobody configures keys or a region: both come from
the metadata service, and new keys before the old ones have ended."""

import time

import pytest

from ledger import PERFECT
from metadata import Metadata
from process import wait_until

pytestmark = pytest.mark.delivery

LIFE = 6  # seconds of a pair; renewed at half of it


@pytest.fixture
def instance(lighter, bare_home):
    """A scripted AWS that takes what its metadata service has handed out."""
    server = lighter()
    with Metadata(server.region, LIFE, server.add_keys) as metadata:
        yield server, metadata


def start(collectd, server, tmp_path):
    daemon = collectd(stock="WriteThreads 1", write_kinesis=f"""
        SpoolDir "{tmp_path}/spool"
        Endpoint "{server.endpoint}"
        Linger 0.05
        PartitionKey host
        Aggregate true
        <Stream "metrics">
        </Stream>""").start()
    daemon.wait_for_log("Initialization complete")
    return daemon


@pytest.mark.parametrize("variable, path", [
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT", ""),
    ("EC2_METADATA_ENDPOINT", "/latest"),
])
def test_keys_are_renewed_in_time(instance, collectd, tmp_path, monkeypatch,
                                  variable, path):
    server, metadata = instance
    monkeypatch.setenv(variable, metadata.endpoint + path)
    daemon = start(collectd, server, tmp_path)
    put, began = 0, time.monotonic()
    while time.monotonic() - began < 2 * LIFE + 1:
        daemon.putvals((f"web/app/gauge-line={put}", put))
        put += 1
        time.sleep(0.1)
    wait_until(lambda: server.ledger().verdict({"web": range(put)}) == PERFECT,
               "all values have come", timeout=20, step=0.2)
    stats = server.stats()
    assert stats["refused"] == 0  # no key was used beyond its end
    assert stats["signers"] >= 3
    assert metadata.issued < 3 * 2 * LIFE  # and none asked for at each call
    assert metadata.refused == []
    assert daemon.notifications() == []


@pytest.mark.sanitized
def test_keys_that_end_are_said_with_where_they_came_from(
        instance, collectd, tmp_path, monkeypatch):
    """The metadata service falls silent: the old keys are used until the
    service refuses them, and nothing is lost when it speaks again."""
    server, metadata = instance
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.endpoint)
    daemon = start(collectd, server, tmp_path)
    daemon.putvals(("web/app/gauge-line=0", 0))
    wait_until(lambda: metadata.issued, "keys")
    metadata.silent = True
    daemon.wait_for_log(
        r'Stream "metrics": access key ASIA…\d{4} \(instance metadata\): '
        r"kinesis at http://\S+: ExpiredTokenException: ", timeout=30)
    daemon.putvals(*((f"web/app/gauge-line={i}", i) for i in range(1, 20)))
    metadata.silent = False
    wait_until(lambda: server.ledger().verdict({"web": range(20)}) == PERFECT,
               "all values have come", timeout=60, step=0.2)
    daemon.wait_for_log("deliveries work again", timeout=20)
