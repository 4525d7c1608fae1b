# SPDX-License-Identifier: MIT
"""The emulated AWS and its client, before other tests rely on them."""

import hashlib
import socket
import time

import pytest

from aws import AwsError, LogEvent

pytestmark = pytest.mark.delivery


def aggregate(*records):
    """A KPL aggregate, by hand: its protobuf with short fields only."""
    def field(number, data):
        return bytes([number << 3 | 2, len(data)]) + data
    message = b"".join(field(1, key.encode()) for key, _ in records)
    for i, (_, data) in enumerate(records):
        message += field(3, bytes([1 << 3, i]) + field(3, data))
    return b"\xf3\x89\x9a\xc2" + message + hashlib.md5(message).digest()


def _check_kinesis(client):
    client.create_stream("lines", shards=2)
    bundle = aggregate(("a", b"first"), ("b", b"second"))
    answer = client.call("kinesis", "put_records", StreamName="lines", Records=[
        {"PartitionKey": "alone", "Data": b"\x00\xff"},
        {"PartitionKey": "bundle", "Data": bundle}])
    assert answer["FailedRecordCount"] == 0

    plain = client.read_stream("lines")
    assert {(r.key, r.data) for r in plain} == {("alone", b"\x00\xff"),
                                                ("bundle", bundle)}
    shards = {entry["SequenceNumber"]: entry["ShardId"]
              for entry in answer["Records"]}
    assert {str(r.sequence): r.shard for r in plain} == shards

    apart = client.read_stream("lines", deaggregate=True)
    assert {(r.key, r.data, r.sub_sequence) for r in apart} == {
        ("alone", b"\x00\xff", None), ("a", b"first", 0), ("b", b"second", 1)}


def test_kinesis_of_moto(moto, aws):
    _check_kinesis(aws(moto.endpoint))


def test_kinesis_of_kinesalite(kinesalite, aws):
    _check_kinesis(aws(kinesalite.endpoint))


@pytest.mark.parametrize("emulator", ["moto", "kinesalite"])
def test_each_test_finds_them_empty(request, aws, emulator):
    client = aws(request.getfixturevalue(emulator).endpoint)
    assert client.call("kinesis", "list_streams")["StreamNames"] == []


@pytest.mark.parametrize("emulator", ["moto", "kinesalite"])
def test_only_this_host_reaches_them(request, emulator):
    """Who listens on all interfaces is found at all of 127.0.0.0/8, too."""
    port = request.getfixturevalue(emulator).port
    socket.create_connection(("127.0.0.1", port), 5).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), 5)


def test_the_words_of_the_service(kinesalite, aws):
    with pytest.raises(AwsError) as caught:
        aws(kinesalite.endpoint).read_stream("nowhere")
    assert caught.value.code == "ResourceNotFoundException"
    assert caught.value.status == 400


def test_logs(moto, aws):
    client = aws(moto.endpoint)
    client.create_log_group("group")
    client.call("logs", "create_log_stream", logGroupName="group",
                logStreamName="web")
    now = int(time.time() * 1000)
    client.call("logs", "put_log_events", logGroupName="group",
                logStreamName="web",
                logEvents=[{"timestamp": now, "message": "hello"}])
    assert client.log_streams("group") == ["web"]
    assert client.read_log_events("group") == [LogEvent("web", now, "hello")]
    assert client.read_log_events("group", "web")


def test_metrics(moto, aws):
    client = aws(moto.endpoint)
    client.call("cloudwatch", "put_metric_data", Namespace="ns", MetricData=[{
        "MetricName": "cpu", "Value": 1.5,
        "Dimensions": [{"Name": "host", "Value": "a"}]}])
    assert client.metrics("ns") == {("cpu", (("host", "a"),))}
