# SPDX-License-Identifier: MIT
"""`docker run -e KINESIS=… -e LOG_GROUP=…` puts lines into streams and groups,
in the contract's layout; an independent client reads them back."""

import re

import pytest

from aws import AwsError
from process import wait_until

pytestmark = pytest.mark.delivery

KEYS = """
    Region "us-east-1"
    AccessKeyID "AKIDEXAMPLE"
    SecretAccessKey "secret" """
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d "


@pytest.fixture
def ship(engine, collectd, moto, monkeypatch):
    monkeypatch.setenv("DEVELOPMENT", "true")

    def ship(kinesis="", logs="", more=""):
        daemon = collectd()
        daemon.plugins["docker_logs"] = f"""
            Endpoint "{engine.endpoint}"
            StateDir "{daemon.path('state')}"
            <Kinesis>
              Endpoint "{moto.endpoint}"
              {KEYS}
              {kinesis}
            </Kinesis>
            <CloudWatchLogs>
              Endpoint "{moto.endpoint}"
              {KEYS}
              {logs}
            </CloudWatchLogs>
            {more}"""
        daemon.start()
        return daemon
    return ship


@pytest.fixture
def client(aws, moto):
    return aws(moto.endpoint)


@pytest.fixture
def stream(client):
    client.create_stream("orders", shards=1)
    return "orders"


def texts(records):
    return [record.data.decode() for record in records]


def wait_for(read, count, what, timeout=10):
    """As soon as there are so many; then all of them."""
    def found():
        try:
            return len(f := read()) >= count and f
        except AwsError:  # not there yet
            return False
    return wait_until(found, what, timeout)


def test_lines_in_a_stream(engine, ship, client, stream):
    ship()
    c = engine.run("sh", "-c", "echo hello; echo; echo world",
                   env={"KINESIS": stream, "PROCESS": "hello",
                        "RELEASE": "R1"})
    records = wait_for(lambda: client.read_stream(stream), 5, "five records")
    short = c.id[:12]
    assert {record.key for record in records} == {c.id}
    for text, expected in zip(texts(records), (
            rf"agent:[0-9.]+/i-dev Starting hello process {short}",
            f"hello:R1/{short} hello", f"hello:R1/{short} ",
            f"hello:R1/{short} world",
            rf"agent:[0-9.]+/i-dev Dead hello process {short} "
            r"\(exit code 0\)")):
        assert re.fullmatch(TIME + expected, text)
    assert len(records) == 5


def test_lines_in_a_group(engine, ship, client):
    client.create_log_group("/shop/web")
    ship()
    c = engine.run("sh", "-c", "echo hello; echo; echo world; sleep 1000",
                   env={"LOG_GROUP": "/shop/web", "PROCESS": "web"})
    events = wait_for(lambda: client.read_log_events("/shop/web"), 4,
                      "four events")
    short = c.id[:12]
    assert {event.stream for event in events} == {c.id}
    assert re.fullmatch(rf"agent:.*/i-dev Starting web process {short}",
                        events[0].message)
    assert [event.message for event in events[1:]] == [
        f"web:/{short} hello", f"web:/{short} ", f"web:/{short} world"]


def test_both_at_once_aggregated(engine, ship, client, stream):
    """A burst into an aggregated stream, and into a group that is made."""
    ship(kinesis="Aggregate true", logs="CreateGroup true\nRetention 7")
    c = engine.run("sh", "-c", "seq 1 3000",
                   env={"KINESIS": stream, "LOG_GROUP": "new"})
    records = wait_for(lambda: client.read_stream(stream, deaggregate=True),
                       3002, "all lines", timeout=30)
    assert [text.rsplit(" ", 1)[1] for text in texts(records)][1:-1] == [
        str(i) for i in range(1, 3001)]
    assert {record.key for record in records} == {c.id}
    events = wait_for(lambda: client.read_log_events("new", c.id), 3002,
                      "all events", timeout=30)
    assert sorted(int(event.message.rsplit(" ", 1)[1]) for event in events
                  if not event.message.startswith("agent:")) == list(
                      range(1, 3001))
    [group] = client.call("logs", "describe_log_groups")["logGroups"]
    assert group["retentionInDays"] == 7


def test_a_stream_that_is_missing(engine, ship, client):
    """Its lines wait; another stream is not held up."""
    client.create_stream("other")
    daemon = ship()
    c = engine.run("sh", "-c", "echo early; sleep 1000",
                   env={"KINESIS": "later"})
    daemon.wait_for_log(r"docker_logs-kinesis-later: deliveries fail: KINESIS "
                        r'"later" of a container: kinesis at http.*: '
                        r"ResourceNotFoundException: ")
    engine.run("sh", "-c", "echo fine", env={"KINESIS": "other"})
    found = wait_for(lambda: client.read_stream("other"), 3, "the other's")
    assert texts(found)[1].endswith(" fine")
    client.create_stream("later")
    found = wait_for(lambda: client.read_stream("later"), 2, "its lines",
                     timeout=60)
    assert texts(found)[1].endswith(f":/{c.id[:12]} early")


def test_a_group_of_a_route_that_is_missing(engine, ship, client):
    """The message names the block that names the group."""
    daemon = ship(more="""
            <Route "shop">
              Container "web"
              LogGroup "/shop/later"
            </Route>""")
    c = engine.run("sh", "-c", "echo early; sleep 1000", name="web")
    daemon.wait_for_log(r'deliveries fail: Route "shop": LogGroup '
                        r'"/shop/later", \w+: logs at http.*: '
                        r"ResourceNotFoundException: ")
    client.create_log_group("/shop/later")
    found = wait_for(lambda: client.read_log_events("/shop/later"), 2,
                     "its lines", timeout=60)
    assert found[1].message.endswith(f":/{c.id[:12]} early")


def test_names_that_are_none(engine, ship):
    """What a container says is not our configuration: it is said once."""
    daemon = ship()
    for _ in range(2):
        engine.run("sh", "-c", "echo x", env={"KINESIS": "no such/name"})
    daemon.wait_for_log(r'docker_logs: kinesis "no such/name": .*no such/name')
    assert daemon.log().count('kinesis "no such/name"') == 1
