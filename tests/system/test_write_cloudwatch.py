# SPDX-License-Identifier: MIT
"""write_cloudwatch in collectd: values that go in over unixsock, read back with
boto3 from moto, and, where things go wrong, from lighter's ledger."""

import time
from collections import Counter
from functools import partial

import pytest

from process import wait_until

pytestmark = pytest.mark.delivery

ALL = """
    <Rule "all">
      Plugin "/^shop/"
      MetricName "%{type_instance}"
      Namespace "%{plugin}"
      Dimension "Host" "%{host}"
    </Rule>"""
OUR_METRICS = "tallyman-write_cloudwatch/tallyman_metrics"
OUR_OUTBOX = "tallyman-write_cloudwatch/tallyman_outbox"
OUR_LOSSES = "tallyman-write_cloudwatch/tallyman_losses"


@pytest.fixture
def writer(collectd, tmp_path):
    """Starts a collectd that sends to there. One write thread keeps values that
    follow each other closely in their order."""
    def make(where, more=ALL):
        daemon = collectd(stock="WriteThreads 1", write_cloudwatch=f"""
            {where}
            SpoolDir "{tmp_path}"
            Timeout 2
            {more}""")
        return start(daemon)
    return make


def start(daemon):
    """unixsock answers before the writers are there."""
    daemon.start()
    daemon.wait_for_log("Initialization complete")
    return daemon


def to_moto(moto):
    return f"""Endpoint "{moto.endpoint}"
        Region "us-east-1"
        AccessKeyID "AKIDEXAMPLE"
        SecretAccessKey "secret" """


def put(daemon, identifier, *values, at=None):
    """The values, a millisecond after the other, in one minute of the past."""
    at = at or (time.time() // 60 - 2) * 60
    for i, value in enumerate(values):
        daemon.putval(identifier, value, time=at + i / 1000)
    return at


def last(daemon, identifier):
    return wait_until(lambda: daemon.samples(identifier),
                      f"there is {identifier}")[-1]


def deliver(daemon, values, timeout=15):
    """Waits until the plugin has so many values and everything of them has been
    sent; the outbox's numbers then. collectd's writers come when they come."""
    wait_until(lambda: last(daemon, OUR_METRICS)["taken"] >= values,
               f"{values} values were taken")
    daemon.flush("write_cloudwatch")
    flushed = time.time()

    def settled():
        sample = last(daemon, OUR_OUTBOX)
        return sample.time > flushed and sample["queued"] == 0 and sample
    return wait_until(settled, "everything was sent", timeout)


def statistics(client, namespace, name, minute, **dimensions):
    answer = client.call(
        "cloudwatch", "get_metric_statistics", Namespace=namespace,
        MetricName=name, StartTime=minute - 60, EndTime=minute + 120, Period=60,
        Dimensions=[{"Name": key, "Value": value}
                    for key, value in dimensions.items()],
        Statistics=["SampleCount", "Sum", "Minimum", "Maximum"])
    return answer["Datapoints"]


# ---- what arrives ------------------------------------------------------------

@pytest.mark.sanitized
def test_metrics_arrive(writer, moto, aws):
    client = aws(moto.endpoint)
    daemon = writer(to_moto(moto))
    minute = put(daemon, "shop/gauge-orders", 3, 1, 1, 5)
    put(daemon, "shop-eu/gauge-orders", 7, at=minute)
    put(daemon, "other/gauge-orders", 9, at=minute)
    deliver(daemon, values=5)
    assert client.metrics("shop") == {("orders", (("Host", "node"),))}
    point, = statistics(client, "shop", "orders", minute, Host="node")
    assert point["Timestamp"] == minute
    assert (point["SampleCount"], point["Sum"], point["Minimum"],
            point["Maximum"]) == (5, 17, 1, 7)
    assert client.metrics("other") == set()


def test_rates_units_and_statistic_sets(writer, moto, aws):
    client = aws(moto.endpoint)
    daemon = writer(to_moto(moto), """
        Namespace "net"
        <Rule "in">
          Type "if_octets"
          DataSource "rx"
          Statistics true
        </Rule>""")
    minute = (time.time() // 60 - 2) * 60
    for i in range(4):
        daemon.putval("interface-eth0/if_octets", 1000 * i, 5,
                      time=minute + 10 * i)
    deliver(daemon, values=3)
    assert client.metrics("net") == {
        ("interface.if_octets.rx",
         (("Host", "node"), ("PluginInstance", "eth0")))}
    point, = statistics(client, "net", "interface.if_octets.rx", minute,
                        Host="node", PluginInstance="eth0")
    assert (point["SampleCount"], point["Sum"]) == (3, 300)
    assert point["Unit"] == "Bytes/Second"


@pytest.mark.sanitized
def test_bad_values_among_good_ones(writer, lighter):
    where = lighter()
    daemon = writer(where.config())
    for i, value in enumerate([1, "nan", 2, "inf", 1e200, "-inf", 3]):
        put(daemon, f"shop/gauge-m{i}", value)
    deliver(daemon, values=3)
    assert Counter(d.name for d in where.ledger().data) == Counter(
        ["m0", "m2", "m6"])
    daemon.wait_for_log(r"not sent: node/shop/gauge-m4 \(value\): 1e\+200 is "
                        r"beyond 2\^360")
    counts = last(daemon, OUR_METRICS)
    assert (counts["taken"], counts["out_of_range"]) == (3, 1)
    assert counts["not_a_number"] == 3


# ---- when calls fail ---------------------------------------------------------

def samples(where):
    """{metric: how often its values were counted}, after everything arrived."""
    total = Counter()
    for datum in where.ledger().data:
        total[datum.name] += datum.samples
    return total


def put_shops(daemon, shops, values):
    for shop in range(shops):
        put(daemon, f"shop{shop}/gauge-m{shop}", *range(values))


@pytest.mark.sanitized
def test_a_failing_call_does_not_repeat_the_others(writer, lighter):
    """One namespace is one call; that of shop1 fails in mid-batch."""
    where = lighter()
    where.fault("PutMetricData", "unavailable", times=3, resource="shop1")
    daemon = writer(where.config())
    put_shops(daemon, shops=4, values=20)
    numbers = deliver(daemon, values=80)
    assert samples(where) == {f"m{i}": 20 for i in range(4)}
    assert (numbers["dropped"], numbers["last_error"]) == (0, 503)
    assert numbers["failed"] >= 3


def test_every_refusal_of_a_call(writer, lighter):
    where = lighter()
    for kind in ("throttled", "limited", "internal", "expired", "reset"):
        where.fault("PutMetricData", kind, times=1)
    daemon = writer(where.config())
    put_shops(daemon, shops=2, values=5)
    deliver(daemon, values=10, timeout=30)
    assert samples(where) == {"m0": 5, "m1": 5}


@pytest.mark.parametrize("drop", [False, True])
def test_an_answer_that_never_came(writer, lighter, drop):
    """The first call is taken, and nobody hears of it: its values come twice,
    or that is avoided at the price of not knowing."""
    where = lighter()
    where.fault("PutMetricData", "taken-reset", times=1)
    daemon = writer(where.config(), ALL + (
        "\nDropUnsure true" if drop else ""))
    put_shops(daemon, shops=1, values=5)
    numbers = deliver(daemon, values=5)
    assert numbers["dropped"] == 0
    found = samples(where)["m0"]
    doubtful = last(daemon, OUR_LOSSES)["possible_duplicates"]
    if drop:
        assert (found, doubtful) == (5, 0)
    else:
        assert found > 5 and doubtful == 1


def test_what_was_not_sent_outlives_collectd(writer, lighter):
    where = lighter()
    where.fault("PutMetricData", "unavailable", rate=1.0)
    daemon = writer(where.config())
    put_shops(daemon, shops=3, values=4)
    wait_until(lambda: last(daemon, OUR_METRICS)["taken"] == 12,
               "all values were taken")
    daemon.stop()
    assert samples(where) == {}
    where.behave()
    start(daemon)
    wait_until(lambda: samples(where) == {f"m{i}": 4 for i in range(3)},
               "the spool has been sent", timeout=15)


def test_keys_that_are_not_known(writer, lighter):
    """One message, with the options; the values arrive once it is put right."""
    where = lighter()
    wrong = where.config().replace(where.access_key, "AKIAWRONGWRONG")
    daemon = writer(wrong)
    put_shops(daemon, shops=2, values=5)
    daemon.wait_for_log(
        r"write_cloudwatch: deliveries fail: access key AKIA…RONG \(options "
        r"AccessKeyID, SecretAccessKey\): monitoring at http://\S+: "
        r"InvalidClientTokenId: The security token", timeout=20)
    wait_until(lambda: last(daemon, OUR_METRICS)["taken"] == 10,
               "all values were taken")
    daemon.stop()
    warnings = [line for line in daemon.log().splitlines()
                if "deliveries fail" in line and "Notification:" not in line]
    assert len(warnings) == 1
    daemon.plugins["write_cloudwatch"] = daemon.plugins[
        "write_cloudwatch"].replace(wrong, where.config())
    start(daemon)
    wait_until(lambda: samples(where) == {"m0": 5, "m1": 5},
               "the spool has been sent", timeout=15)


# ---- what it costs -----------------------------------------------------------

def test_dry_run(writer, lighter, tmp_path):
    where = lighter()
    daemon = writer(where.config(), ALL + f"""
        DryRun true
        DryRunFile "{tmp_path}/dry" """)
    put(daemon, "shop/gauge-orders", 3)
    put(daemon, "other/gauge-orders", 3)
    daemon.wait_for_log(r"dry run: would send shop orders \[Host=node\]: 3")
    daemon.wait_for_log(r"dry run: 1 metrics, 43800 calls a month: \$0.74 a "
                        r"month")
    daemon.wait_for_log(r"not sent: node/other/gauge-orders \(value\): no rule")
    lines = (tmp_path / "dry").read_text().splitlines()
    assert lines[0] == "would send shop orders [Host=node]: 3"
    assert where.stats()["calls"] == 0


def test_nothing_is_sent_that_nobody_asked_for(collectd):
    daemon = collectd(write_cloudwatch='Region "eu-west-1"')
    status, words = daemon.check_config()
    assert status != 0
    assert "there is no <Rule>" in words and "SendAll true" in words


# ---- notifications -----------------------------------------------------------

def test_notifications_become_log_events(writer, moto, aws):
    client = aws(moto.endpoint)
    daemon = writer(to_moto(moto), """
        <LogGroup "/shop/notifications">
          Stream "%{host}/%{plugin}"
          CreateGroup true
        </LogGroup>""")
    daemon.notify("failure", "the till is empty", plugin="shop", type="gauge",
                  type_instance="till")
    read = partial(client.read_log_events, "/shop/notifications")
    daemon.flush("write_cloudwatch")
    wait_until(lambda: "/shop/notifications" in str(client.call(
        "logs", "describe_log_groups")), "there is a group", timeout=15)
    event, = wait_until(read, "the notification has arrived", timeout=15)
    assert event.stream == "node/shop"
    assert event.message == "FAILURE node shop/gauge-till: the till is empty"
    assert abs(event.timestamp / 1000 - time.time()) < 60


def test_a_group_that_is_missing(writer, moto, aws):
    """It carries what waited, but nothing about itself."""
    client = aws(moto.endpoint)
    daemon = writer(to_moto(moto), '<LogGroup "/shop/late">\n</LogGroup>')
    daemon.notify("failure", "the till is empty", plugin="shop")
    daemon.wait_for_log(
        r'deliveries fail: LogGroup "/shop/late", \w+: logs at http://\S+: '
        r"ResourceNotFoundException: ", timeout=20)
    client.create_log_group("/shop/late")
    read = partial(client.read_log_events, "/shop/late")
    event, = wait_until(read, "the notification has arrived", timeout=40)
    assert event.message == "FAILURE node shop: the till is empty"
    daemon.wait_for_log("deliveries work again", timeout=20)
    daemon.flush("write_cloudwatch")
    time.sleep(2)
    assert len(read()) == 1
