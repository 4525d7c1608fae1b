# SPDX-License-Identifier: MIT
"""lighter, against a client that knows nothing of it: boto3."""

import gzip
import hashlib
import hmac
import socket
import threading
import time

import pytest

from aws import AwsError
from ledger import PERFECT, Datum
from lighter import ALL_TAKEN, NOTHING_TAKEN, REFUSALS
from process import PATIENCE, wait_until
from test_emulators import aggregate

pytestmark = [pytest.mark.delivery, pytest.mark.sanitized]


@pytest.fixture
def client(aws):
    def make(lighter, **different):
        how = {"access_key": lighter.access_key, "region": lighter.region,
               "secret_key": lighter.secret_key, "ca_file": lighter.ca_file,
               "session_token": lighter.session_token,
               "endpoint": lighter.endpoint, **different}
        return aws(**how)
    return make


def lines(numbers, key="web"):
    return [{"PartitionKey": key, "Data": f"hello line={n}".encode()}
            for n in numbers]


def put(client, numbers, stream="lines"):
    return client.call("kinesis", "put_records", StreamName=stream,
                       Records=lines(numbers))


# ---- signatures --------------------------------------------------------------

def test_a_signed_call_is_taken(lighter, client):
    answer = put(client(lighter()), range(3))
    assert answer["FailedRecordCount"] == 0
    assert {r["ShardId"] for r in answer["Records"]} == {"shardId-000000000000"}


def test_over_tls(lighter, client):
    daemon = lighter(tls=True)
    put(client(daemon), range(500))
    assert daemon.ledger().verdict({"web": range(500)}) == PERFECT


@pytest.mark.parametrize("wrong, code", [
    ({"secret_key": "another"}, "InvalidSignatureException"),
    ({"access_key": "AKIDNOBODY"}, "UnrecognizedClientException"),
    ({"session_token": "unknown"}, "UnrecognizedClientException"),
    ({"region": "us-east-1"}, "InvalidSignatureException")])
def test_a_wrong_signature_is_refused(lighter, client, wrong, code):
    daemon = lighter()
    with pytest.raises(AwsError) as caught:
        put(client(daemon, **wrong), range(1))
    assert (caught.value.code, caught.value.status) == (code, 400)
    assert daemon.stats()["taken"] == 0
    assert daemon.stats()["refused"] == 1


def test_a_session_token_is_asked_for(lighter, client):
    daemon = lighter(session_token="a token")
    put(client(daemon), range(1))
    with pytest.raises(AwsError) as caught:
        put(client(daemon, session_token=None), range(1))
    assert caught.value.code == "UnrecognizedClientException"


def test_the_clock_has_to_be_right(lighter, client):
    daemon = lighter()
    daemon.clock(600)
    with pytest.raises(AwsError) as caught:
        put(client(daemon), range(1))
    assert caught.value.code == "InvalidSignatureException"
    assert "Signature expired" in caught.value.message
    daemon.clock(200)
    put(client(daemon), range(1))


def test_a_changed_body_is_noticed(lighter, client):
    """A call that was caught on its way, and sent on with another letter."""
    daemon = lighter()
    with _Wire() as wire:
        with pytest.raises(AwsError):
            put(client(daemon, endpoint=wire.endpoint), range(1))
    changed = wire.caught.replace(b'"web"', b'"wep"')
    assert changed != wire.caught
    assert _send(daemon, wire.caught).startswith(b"HTTP/1.1 200 ")
    assert b"InvalidSignatureException" in _send(daemon, changed)


class _Wire:
    """Reads one request and hangs up."""

    def __enter__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.caught = b""
        self._thread = threading.Thread(target=self._catch, daemon=True)
        self._thread.start()
        return self

    def _catch(self):
        connection, _ = self._socket.accept()
        with connection:
            while b"}]" not in self.caught:
                self.caught += connection.recv(65536)

    def __exit__(self, *_):
        self._thread.join(10 * PATIENCE)
        self._socket.close()


def _send(daemon, request, timeout=10):
    with socket.create_connection(("127.0.0.1", daemon.port)) as s:
        s.settimeout(timeout * PATIENCE)
        s.sendall(request)
        return s.recv(65536)


# ---- Kinesis -----------------------------------------------------------------

def test_shards_take_what_belongs_to_them(lighter, client):
    daemon = lighter(shards=5)
    kinesis = client(daemon)
    shards = kinesis.call("kinesis", "list_shards", StreamName="lines")["Shards"]
    ranges = {s["ShardId"]: (int(s["HashKeyRange"]["StartingHashKey"]),
                             int(s["HashKeyRange"]["EndingHashKey"]))
              for s in shards}
    ends = sorted(ranges.values())
    assert ends[0][0] == 0 and ends[-1][1] == 2**128 - 1
    assert all(a[1] + 1 == b[0] for a, b in zip(ends, ends[1:]))

    keys = [f"key-{i}" for i in range(200)]
    answer = kinesis.call("kinesis", "put_records", StreamName="lines", Records=[
        {"PartitionKey": key, "Data": b"x"} for key in keys])
    for key, record in zip(keys, answer["Records"]):
        first, last = ranges[record["ShardId"]]
        number = int.from_bytes(hashlib.md5(key.encode()).digest(), "big")
        assert first <= number <= last, key


def test_shards_that_were_closed_take_nothing(lighter, client):
    daemon = lighter(shards=2)
    kinesis = client(daemon)
    kinesis.call("kinesis", "list_shards", StreamName="lines")
    daemon.reshard("lines", 3)
    shards = kinesis.call("kinesis", "list_shards", StreamName="lines")["Shards"]
    is_open = {s["ShardId"]: "EndingSequenceNumber"
               not in s["SequenceNumberRange"] for s in shards}
    assert list(is_open.values()) == [False, False, True, True, True]
    summary = kinesis.call("kinesis", "describe_stream_summary",
                           StreamName="lines")["StreamDescriptionSummary"]
    assert summary["OpenShardCount"] == 3
    answer = put(kinesis, range(1))
    assert is_open[answer["Records"][0]["ShardId"]]


def test_aggregates_are_taken_apart(lighter, client):
    daemon = lighter(shards=1)
    whole = aggregate(*((f"c{n % 3}", b"line=%d" % (n // 3))
                        for n in range(30)))
    records = [{"PartitionKey": "bundle", "Data": data}
               for data in (whole, whole[:-1] + b"?")]
    client(daemon).call("kinesis", "put_records", StreamName="lines",
                        Records=records)
    stats = daemon.stats()
    assert (stats["aggregates"], stats["broken"]) == (1, 1)
    assert daemon.ledger().verdict(
        {key: range(10) for key in ("c0", "c1", "c2")}) == PERFECT


def test_records_in_the_aggregate_of_another_shard(lighter, client):
    daemon = lighter(shards=2)
    client(daemon).call(
        "kinesis", "put_records", StreamName="lines", Records=[
            {"PartitionKey": "a", "ExplicitHashKey": "0", "Data": aggregate(
                *((f"key-{n}", b"x") for n in range(40)))}])
    low = sum(hashlib.md5(b"key-%d" % n).digest()[0] < 128 for n in range(40))
    assert daemon.stats()["astray"] == 40 - low


# ---- the other services ------------------------------------------------------

def test_log_events(lighter, client):
    daemon = lighter()
    logs = client(daemon)
    now = int(time.time() * 1000)
    day = 24 * 3600 * 1000

    def events(*times):
        return logs.call("logs", "put_log_events", logGroupName="/a/group",
                         logStreamName="web", logEvents=[
                             {"timestamp": t, "message": f"line={i}"}
                             for i, t in enumerate(times)])
    with pytest.raises(AwsError, match="log group does not exist"):
        events(now)
    logs.call("logs", "create_log_group", logGroupName="/a/group")
    with pytest.raises(AwsError, match="log stream does not exist"):
        events(now)
    logs.call("logs", "create_log_stream", logGroupName="/a/group",
              logStreamName="web")
    assert "rejectedLogEventsInfo" not in events(now, now, now + 1)
    with pytest.raises(AwsError, match="chronological"):
        events(now, now - 1)
    with pytest.raises(AwsError, match="24 hours"):
        events(now - 2 * day, now)
    too_old = events(now - 14 * day - 5000, now - 14 * day + 60000)
    assert too_old["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    assert daemon.ledger().taken("web") == 3


def test_metrics(lighter, client):
    """As a form, which this boto3 may not speak any more; so by hand."""
    daemon = lighter()
    form = ("Action=PutMetricData&Version=2010-08-01&Namespace=a%20b"
            "&MetricData.member.1.MetricName=cpu+load"
            "&MetricData.member.1.Values.member.1=1.5"
            "&MetricData.member.1.Values.member.2=4"
            "&MetricData.member.1.Counts.member.1=2"
            "&MetricData.member.1.Counts.member.2=1"
            "&MetricData.member.2.MetricName=idle"
            "&MetricData.member.2.StatisticValues.SampleCount=60"
            "&MetricData.member.2.StatisticValues.Sum=30").encode()
    for encoding, body in (("identity", form), ("gzip", gzip.compress(form))):
        answer = _post_form(daemon, body, encoding)
        assert answer.startswith(b"HTTP/1.1 200 "), answer
    refused = _post_form(daemon, form.replace(b"=4", b"=NaN"), "identity")
    assert refused.startswith(b"HTTP/1.1 400 ") and b"<Error>" in refused
    forged = _post_form(daemon, form, "identity", secret_key="wrong")
    assert forged.startswith(b"HTTP/1.1 403 ")
    assert b"SignatureDoesNotMatch" in forged
    assert daemon.ledger().data == 2 * [Datum("cpu load", 3, 7),
                                        Datum("idle", 60, 30)]


def _post_form(daemon, body, encoding, secret_key=None, timeout=10):
    """Signs by hand: Signature Version 4 in a few lines."""
    def mac(key, text):
        return hmac.digest(key, text.encode(), "sha256")
    host, date = f"127.0.0.1:{daemon.port}", time.strftime(
        "%Y%m%dT%H%M%SZ", time.gmtime())
    names = "content-encoding;host;x-amz-date"
    request = "\n".join(["POST", "/", "", f"content-encoding:{encoding}",
                         f"host:{host}", f"x-amz-date:{date}", "", names,
                         hashlib.sha256(body).hexdigest()])
    scope = f"{date[:8]}/{daemon.region}/monitoring/aws4_request"
    key = b"AWS4" + (secret_key or daemon.secret_key).encode()
    for part in scope.split("/"):
        key = mac(key, part)
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope,
                      hashlib.sha256(request.encode()).hexdigest()])
    return _send(daemon, "\r\n".join([
        "POST / HTTP/1.1", f"Host: {host}", f"X-Amz-Date: {date}",
        f"Content-Encoding: {encoding}", f"Content-Length: {len(body)}",
        f"Authorization: AWS4-HMAC-SHA256 Credential={daemon.access_key}/"
        f"{scope}, SignedHeaders={names}, Signature={mac(key, text).hex()}",
        "", ""]).encode() + body, timeout)


# ---- faults ------------------------------------------------------------------

@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal(lighter, client, kind):
    daemon = lighter()
    daemon.fault("PutRecords", kind, times=1)
    with pytest.raises(AwsError) as caught:
        put(client(daemon), range(3))
    assert caught.value.status >= 400
    put(client(daemon), range(3))
    assert daemon.ledger().verdict({"web": range(3)}) == PERFECT
    assert daemon.stats()["faults"][kind] == 1


@pytest.mark.parametrize("kind", ["reset", *ALL_TAKEN[1:]])
def test_a_call_without_an_answer(lighter, client, kind):
    """Sent again it comes twice, or not, and the ledger knows why."""
    daemon = lighter()
    daemon.fault("PutRecords", kind, times=1)
    try:  # boto3 does not mind half of an answer
        assert "Records" not in put(client(daemon), range(3))
    except AwsError:
        pass
    assert daemon.stats()["taken"] == (0 if kind in NOTHING_TAKEN else 3)
    put(client(daemon), range(3))
    twice = daemon.stats()["taken"] - 3
    assert daemon.ledger().verdict({"web": range(3)}) == PERFECT._replace(
        repeated=twice)


@pytest.mark.parametrize("kind", ["hang", "taken-hang"])
def test_a_call_that_is_never_answered(lighter, kind):
    daemon = lighter()
    daemon.fault("PutMetricData", kind, times=1)
    form = (b"Action=PutMetricData&Namespace=n&MetricData.member.1.MetricName=m"
            b"&MetricData.member.1.Value=1")
    with pytest.raises(TimeoutError):
        _post_form(daemon, form, "identity", timeout=0.3)
    assert daemon.stats()["taken"] == (kind == "taken-hang")


def test_seen_answers_excuse_nothing(lighter, client):
    daemon = lighter()
    kinesis = client(daemon)
    for _ in range(2):  # a client that sends what was taken once more …
        put(kinesis, range(3))
    put(kinesis, range(3, 4))  # … on one connection
    assert daemon.ledger().verdict({"web": range(4)}) == PERFECT._replace(
        repeated=3, unexcused=3)


def test_loss_and_disorder_are_found(lighter, client):
    daemon = lighter()
    put(client(daemon), [0, 1, 3, 2, 5])
    assert daemon.ledger().verdict(
        {"web": range(7), "other": range(2)}) == PERFECT._replace(
        lost=4, disordered=1)


def test_records_that_are_throttled(lighter, client):
    """Inside an answer that is a success; the same with the same seed."""
    answers = []
    for _ in range(2):
        daemon = lighter(seed=7)
        daemon.fault("PutRecords", "records", rate=0.3)
        answer = put(client(daemon), range(200))
        failed = [r.get("ErrorCode") for r in answer["Records"]]
        assert answer["FailedRecordCount"] == len(failed) - failed.count(None)
        assert 30 < answer["FailedRecordCount"] < 90
        assert daemon.stats()["taken"] == failed.count(None)
        answers.append(failed)
    assert answers[0] == answers[1]


def test_faults_of_one_stream_only(lighter, client):
    daemon = lighter()
    daemon.fault("PutRecords", "unavailable", rate=1, resource="bad")
    put(client(daemon), range(1), stream="good")
    with pytest.raises(AwsError) as caught:
        put(client(daemon), range(1), stream="bad")
    assert caught.value.status == 503
    daemon.behave()
    put(client(daemon), range(1), stream="bad")


def test_an_answer_that_drips(lighter, client):
    daemon = lighter()
    daemon.fault("PutRecords", "drip", times=1)
    start = time.monotonic()
    answer = put(client(daemon), range(50))
    assert answer["FailedRecordCount"] == 0
    assert time.monotonic() - start > 0.3


def test_nobody_listens_for_a_while(lighter, client):
    daemon = lighter()
    put(client(daemon), range(1))
    daemon.refuse(0.5)
    with pytest.raises(AwsError, match="Could not connect|Connection"):
        put(client(daemon), range(1, 2))

    def works():
        try:
            return put(client(daemon), range(1, 2))
        except AwsError:
            return None
    wait_until(works, "it listens again")
    assert daemon.ledger().verdict({"web": range(2)}) == PERFECT
