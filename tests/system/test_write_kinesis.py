# SPDX-License-Identifier: MIT
"""write_kinesis: what collectd dispatches, read back from the stream by an
independent client; and streams that are missing, dead, or not ours."""

import gzip
import json
import re
import time

import pytest

import line_protocol
from ledger import PERFECT
from process import wait_until

pytestmark = pytest.mark.delivery

# With more of them the daemon itself mixes up what it hands to writers.
ONE_WRITER = "WriteThreads 1"

_WHOEVER = """\
Region "us-east-1"
AccessKeyID "AKIDEXAMPLE"
SecretAccessKey "aSecretOfTheTests"
"""


def emulated(server):
    return f'Endpoint "{server.endpoint}"\n{_WHOEVER}'


def stream(name, *options):
    return f'<Stream "{name}">\n' + "\n".join(options) + "\n</Stream>\n"


def spool(directory):
    return f'SpoolDir "{directory}"\nLinger 0.05\n'


@pytest.fixture
def shipping(collectd, tmp_path):
    """Starts a collectd with these options of write_kinesis."""
    def start(*options, **how):
        daemon = collectd(write_kinesis=spool(tmp_path) + "\n".join(options),
                          **how).start()
        daemon.wait_for_log("Initialization complete")  # of all plugins
        return daemon
    return start


def outbox(daemon, name):
    """The newest numbers of a stream's outbox."""
    return daemon.getval(f"tallyman-write_kinesis-{name}/tallyman_outbox")


def wait_for_records(aws, name, wanted, **how):
    """Until `wanted` finds what it looks for among the records."""
    return wait_until(lambda: wanted(aws.read_stream(name, **how)),
                      f"records of {name}", timeout=20, step=0.2)


def of(host):
    """Those of one host, which only the test speaks of."""
    def select(records):
        return [r for r in records if r.key.startswith(f"{host}/")]
    return select


# ---- what arrives ------------------------------------------------------------

def test_json(moto, aws, shipping):
    client = aws(moto.endpoint)
    client.create_stream("metrics", shards=2)
    daemon = shipping(emulated(moto), stream("metrics"),
                      stock="LoadPlugin load")
    daemon.putvals(("web/app-one/gauge-x", 5.5), ("web/app-one/derive-y", -7))
    records = wait_for_records(
        client, "metrics", lambda found: len(of("web")(found)) == 2
        and any("/load/" in r.key for r in found) and found)

    parsed = {r.key: json.loads(r.data) for r in records}
    value = parsed["web/app-one/gauge-x"]
    assert abs(value.pop("time") - time.time()) < 60
    assert value == {
        "values": [5.5], "dstypes": ["gauge"], "dsnames": ["value"],
        "interval": 1, "host": "web", "plugin": "app",
        "plugin_instance": "one", "type": "gauge", "type_instance": "x",
        **({"meta": value["meta"]} if "meta" in value else {})}
    assert parsed["web/app-one/derive-y"]["values"] == [-7]
    assert len(parsed["node/load/load"]["values"]) == 3


def test_line_protocol_and_graphite(moto, aws, shipping):
    client = aws(moto.endpoint)
    for name in ("lines", "plain"):
        client.create_stream(name)
    daemon = shipping(
        emulated(moto),
        stream("lines", "Format influx", "PartitionKey plugin"),
        stream("plain", "Format graphite", "PartitionKey host", "Order none",
               'Prefix "collectd."'))
    daemon.putvals(("web/a b,c=d/if_octets-x y", "1:2"))
    records = wait_for_records(client, "lines", of("web"))
    point = line_protocol.parse(records[0].data.decode())
    assert records[0].key == "web/a b,c=d"
    assert (point.measurement, point.fields) == ("a b,c=d", {"rx": 1, "tx": 2})
    assert point.tags == {"host": "web", "type": "if_octets",
                          "type_instance": "x y"}
    assert abs(point.time / 1e9 - time.time()) < 60
    for record in client.read_stream("lines"):
        line_protocol.parse(record.data.decode())

    plain = wait_for_records(
        client, "plain", lambda found: [r for r in found if r.key == "web"])
    assert re.fullmatch(
        r"collectd\.web\.a_b_c=d\.if_octets-x_y\.rx 1 \d+\n"
        r"collectd\.web\.a_b_c=d\.if_octets-x_y\.tx 2 \d+",
        plain[0].data.decode())


def test_aggregates(kinesalite, aws, shipping):
    """Of four shards: each has its own, and every value comes out again."""
    client = aws(kinesalite.endpoint)
    client.create_stream("metrics", shards=4)
    daemon = shipping(emulated(kinesalite),
                      stream("metrics", "Aggregate true"))
    daemon.putvals(*((f"web/app-{i}/gauge-x", i) for i in range(300)))
    apart = wait_for_records(
        client, "metrics",
        lambda found: len(of("web")(found)) == 300 and of("web")(found),
        deaggregate=True)
    assert {(r.key, json.loads(r.data)["values"][0]) for r in apart} == {
        (f"web/app-{i}/gauge-x", i) for i in range(300)}
    assert len({r.shard for r in apart}) == 4
    assert len(client.read_stream("metrics")) < 100


def test_compressed_lines(moto, aws, shipping):
    client = aws(moto.endpoint)
    client.create_stream("metrics")
    daemon = shipping(emulated(moto), "Compression gzip",
                      stream("metrics", "Aggregate true"))
    daemon.putvals(*((f"web/app-{i}/gauge-x", i) for i in range(50)))

    def hosts(records):
        lines = [json.loads(line) for r in records
                 for line in gzip.decompress(r.data).splitlines()]
        found = [v["plugin_instance"] for v in lines if v["host"] == "web"]
        return len(found) == 50 and found
    found = wait_for_records(client, "metrics", hosts)
    assert set(found) == {str(i) for i in range(50)}


def test_notifications(moto, aws, shipping):
    client = aws(moto.endpoint)
    client.create_stream("alerts")
    daemon = shipping(emulated(moto),
                      stream("alerts", "Metrics false", "Notifications true"))
    daemon.notify("failure", "it died", host="web", plugin="app",
                  type="gauge")
    records = wait_for_records(client, "alerts", of("web"))
    assert records[0].key == "web/app/gauge"
    alert = json.loads(records[0].data)
    assert alert["labels"] == {
        "alertname": "collectd_app_gauge", "instance": "web",
        "severity": "FAILURE", "service": "collectd"}
    assert alert["annotations"]["summary"] == "it died"
    assert len(client.read_stream("alerts")) == 1  # and no values


def test_filter_chains_choose_streams(moto, aws, shipping):
    client = aws(moto.endpoint)
    for name in ("some", "none"):
        client.create_stream(name)
    daemon = shipping(
        emulated(moto), stream("some"), stream("none"), stock="""\
LoadPlugin match_regex
<Chain "PostCache">
  <Rule "web">
    <Match "regex">
      Host "^web$"
    </Match>
    <Target "write">
      Plugin "write_kinesis/some"
    </Target>
    Target "stop"
  </Rule>
  <Target "write">
    Plugin "csv"
  </Target>
</Chain>
""")
    daemon.putvals(("web/app/gauge-x", 1))
    records = wait_for_records(client, "some", lambda found: found)
    assert [r.key for r in records] == ["web/app/gauge-x"]
    assert client.read_stream("none") == []


# ---- what does not -----------------------------------------------------------

def test_a_missing_stream(kinesalite, aws, shipping):
    """Said once, with the service's words; nothing is lost until it is there,
    and that is said too."""
    client = aws(kinesalite.endpoint)
    daemon = shipping(emulated(kinesalite), stream("late"))
    daemon.putvals(("web/app/gauge-x", 1))

    def about():
        return [n for n in daemon.notifications()
                if n.plugin_instance == "write_kinesis-late"]
    wait_until(about, "a notification about the stream", timeout=20)
    time.sleep(3)  # three more reports
    (notice,) = about()
    assert notice.severity == "WARNING"
    assert "ResourceNotFoundException" in notice.message
    assert "late" in notice.message

    client.create_stream("late")
    wait_for_records(client, "late", of("web"))
    wait_until(lambda: len(about()) > 1, "a second notification", timeout=40)
    assert [n.severity for n in about()] == ["WARNING", "OKAY"]
    numbers = outbox(daemon, "late")
    assert numbers["dropped"] == 0 and numbers["sent"] > 0


@pytest.mark.sanitized
def test_a_dead_stream_delays_nobody(lighter, shipping):
    server = lighter()
    server.fault("PutRecords", "hang", rate=1, resource="dead")
    daemon = shipping(server.config(), "PartitionKey host", "Aggregate true",
                      "Timeout 300", stream("dead"), stream("alive"),
                      stock=ONE_WRITER)
    wait_until(lambda: server.stats()["calls"] > 1, "calls")
    daemon.putvals(*((f"web/app/gauge-line={i}", i) for i in range(1000)))
    wait_until(lambda: outbox(daemon, "alive")["sent"] >= 1000,
               "all values are sent", timeout=20)
    numbers = outbox(daemon, "dead")
    assert numbers["sent"] == 0 and numbers["queued"] >= 1000
    assert server.ledger().verdict({"web": range(1000)}) == PERFECT

    began = time.monotonic()
    daemon.stop()
    assert time.monotonic() - began < 15


def test_what_is_left_comes_after_the_restart(lighter, shipping):
    """A collectd that ends while nobody listens loses nothing."""
    server = lighter()
    server.refuse(600)
    daemon = shipping(server.config(), "PartitionKey host", "Aggregate true",
                      stream("metrics"), stock=ONE_WRITER)
    daemon.putvals(*((f"web/app/gauge-line={i}", i) for i in range(500)))
    wait_until(lambda: outbox(daemon, "metrics")["queued"] >= 500,
               "values wait")
    daemon.stop()
    server.refuse(0)
    daemon.start()
    wait_until(lambda: server.ledger().verdict({"web": range(500)}) == PERFECT,
               "all values have come", timeout=30, step=0.2)


@pytest.mark.sanitized
def test_faults_lose_nothing(lighter, shipping):
    server = lighter()
    server.fault("PutRecords", "records", rate=0.1)
    server.fault("PutRecords", "throttled", rate=0.1)
    daemon = shipping(server.config(), "PartitionKey host", "Aggregate true",
                      stream("metrics"), stock=ONE_WRITER)
    for first in range(0, 1000, 100):
        daemon.putvals(*((f"web/app/gauge-line={i}", i)
                        for i in range(first, first + 100)))
        time.sleep(0.1)
    wait_until(lambda: server.ledger().verdict({"web": range(1000)}) == PERFECT,
               "all values have come", timeout=30, step=0.2)


# ---- how it behaves ----------------------------------------------------------

def test_flush(moto, aws, shipping):
    client = aws(moto.endpoint)
    client.create_stream("metrics")
    daemon = shipping(emulated(moto), "Linger 60", stream("metrics"))
    daemon.putvals(("web/app/gauge-x", 1))
    assert client.read_stream("metrics") == []
    daemon.flush("write_kinesis/metrics")
    wait_for_records(client, "metrics", of("web"))


def test_its_own_numbers_do_not_multiply(moto, aws, shipping):
    """What it says of itself is written like everything else, once."""
    client = aws(moto.endpoint)
    client.create_stream("metrics")
    daemon = shipping(emulated(moto),
                      stream("metrics", "Notifications true"))
    name = "tallyman-write_kinesis-metrics/tallyman_outbox"
    daemon.wait_for_samples(name, count=5)
    daemon.flush("write_kinesis/metrics")
    time.sleep(0.5)
    samples = len(daemon.samples(name))
    written = [r for r in client.read_stream("metrics")
               if r.key == f"node/{name}"]
    assert 4 <= len(written) <= samples + 1
    assert daemon.notifications() == []


@pytest.mark.parametrize("options, words", [
    (stream("not a name"), "not a name"),
    (stream("metrics", "Compression gzip", "CompressionLevel 12"),
     "gzip has levels 1 to 9"),
    (stream("metrics", 'SecretAccessKey "hush"'), "AccessKeyID"),
    (stream("metrics", 'SecretKey "hush"'), "SecretKey (hidden)"),
    (stream("metrics", 'Region "Europe"'), 'Region "Europe"'),
])
def test_wrong_configuration_stops_the_start(collectd, options, words):
    status, said = collectd(write_kinesis=options).check_config()
    assert status != 0
    assert words in said
    assert "hush" not in said
