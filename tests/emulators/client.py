# SPDX-License-Identifier: MIT
"""boto3 behind a pipe: one JSON object per line in, one out. Runs in the venv
that `prepare` made; tests/system/aws.py talks to it.

    {"service": "kinesis", "client": {"endpoint_url": …}, "call": "list_streams",
     "arguments": {"Limit": 10}}
    {"result": …} or {"error": "Throttling", "message": …, "status": 400}

`call` is a method of boto3's client, or one of the functions below. Bytes travel
as {"base64": …}, points in time as seconds since 1970."""

import base64
import datetime
import functools
import json
import sys

import boto3
import botocore.exceptions
from aws_kinesis_agg.deaggregator import iter_deaggregate_records
from botocore.config import Config


# Every failure is an answer that a test wants to see.
@functools.lru_cache(maxsize=None)
def _client(service, arguments):
    return boto3.client(service, config=Config(
        retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20,
        proxies={}), **dict(arguments))


# ---- what takes more than one call -------------------------------------------

def read_stream(client, StreamName, deaggregate=False):
    """All records of all shards, each shard's in its order."""
    records = []
    shards = client.list_shards(StreamName=StreamName)["Shards"]
    for shard in (shard["ShardId"] for shard in shards):
        found = list(_read_shard(client, StreamName, shard))
        if deaggregate:
            found = _take_apart(found)
        records += [{**record, "ShardId": shard} for record in found]
    return records


def _read_shard(client, stream, shard):
    iterator = client.get_shard_iterator(
        StreamName=stream, ShardId=shard,
        ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    while iterator:
        answer = client.get_records(ShardIterator=iterator, Limit=10000)
        yield from answer["Records"]
        if not answer["Records"] and not answer.get("MillisBehindLatest"):
            return
        iterator = answer.get("NextShardIterator")


def _take_apart(records):
    """As a Lambda function gets its records, which is what the decoder takes.
    What is no aggregate comes out as it is."""
    events = [{"kinesis": {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": record["PartitionKey"],
        "sequenceNumber": record["SequenceNumber"],
        "approximateArrivalTimestamp": 0,
        "data": base64.b64encode(record["Data"]).decode()}}
        for record in records]
    found = iter_deaggregate_records(events)
    return [{"PartitionKey": event["kinesis"]["partitionKey"],
             "SequenceNumber": event["kinesis"]["sequenceNumber"],
             "SubSequence": event["kinesis"].get("subSequenceNumber"),
             "Aggregated": event["kinesis"].get("aggregated", False),
             "Data": base64.b64decode(event["kinesis"]["data"])}
            for event in found]


def read_pages(client, operation, key, **arguments):
    """One list of a paginated operation, whole."""
    pages = client.get_paginator(operation).paginate(**arguments)
    return [item for page in pages for item in page[key]]


_OURS = {"read_stream": read_stream, "read_pages": read_pages}


# ---- the pipe ----------------------------------------------------------------

def _decode(mapping):
    if set(mapping) == {"base64"}:
        return base64.b64decode(mapping["base64"])
    return mapping


def _encode(value):
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    raise TypeError(type(value))


def _answer(request):
    client = _client(request["service"],
                     tuple(sorted(request["client"].items())))
    call, arguments = request["call"], request["arguments"]
    try:
        if call in _OURS:
            return {"result": _OURS[call](client, **arguments)}
        return {"result": getattr(client, call)(**arguments)}
    except botocore.exceptions.ClientError as e:
        answer = e.response
        return {"error": answer["Error"].get("Code", ""),
                "message": answer["Error"].get("Message", ""),
                "status": answer["ResponseMetadata"]["HTTPStatusCode"]}
    except (botocore.exceptions.BotoCoreError, ValueError) as e:
        # the latter: an answer that is no text
        return {"error": type(e).__name__, "message": str(e), "status": 0}


for line in sys.stdin:
    reply = _answer(json.loads(line, object_hook=_decode))
    print(json.dumps(reply, default=_encode), flush=True)
