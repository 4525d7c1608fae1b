# SPDX-License-Identifier: MIT
"""What stands in an emulated AWS, as an independent client sees it.

    aws = Aws(moto.endpoint)
    aws.create_stream("logs", shards=2)
    …
    for record in aws.read_stream("logs", deaggregate=True):
        print(record.shard, record.sequence, record.key, record.data)

boto3 lives in the venv of the emulators, and a process there calls it for us."""

import base64
import json
import subprocess
from typing import NamedTuple

import emulators
from process import die_with_the_parent, wait_until


class AwsError(Exception):
    """What the service said. `status` is that of HTTP, 0 without an answer."""

    def __init__(self, code, message, status):
        super().__init__(f"{code} ({status}): {message}")
        self.code, self.message, self.status = code, message, status


class Record(NamedTuple):
    key: str
    data: bytes
    shard: str
    sequence: int
    sub_sequence: int  # its place in an aggregate; None: it was in none


class LogEvent(NamedTuple):
    stream: str
    timestamp: int  # milliseconds since 1970
    message: str


class Aws:
    def __init__(self, endpoint, access_key="AKIDEXAMPLE", secret_key="secret",
                 region="us-east-1", ca_file=None, session_token=None):
        self._arguments = {
            "endpoint_url": endpoint, "region_name": region,
            "aws_access_key_id": access_key,
            "aws_secret_access_key": secret_key}
        if ca_file:
            self._arguments["verify"] = ca_file
        if session_token:
            self._arguments["aws_session_token"] = session_token

    def call(self, service, operation, /, **arguments):
        """One call of boto3: aws.call("kinesis", "list_streams")."""
        return _helper().ask({"service": service, "client": self._arguments,
                              "call": operation, "arguments": arguments})

    # -- Kinesis ------------------------------------------------------------

    def create_stream(self, name, shards=1):
        """Returns when it takes records."""
        self.call("kinesis", "create_stream", StreamName=name,
                  ShardCount=shards)
        wait_until(lambda: self._stream_status(name) == "ACTIVE",
                   f"stream {name} is active")

    def _stream_status(self, name):
        answer = self.call("kinesis", "describe_stream_summary",
                           StreamName=name)
        return answer["StreamDescriptionSummary"]["StreamStatus"]

    def read_stream(self, name, deaggregate=False):
        """Every Record, shard after shard, each in the order of its shard."""
        return [Record(r["PartitionKey"], r["Data"], r["ShardId"],
                       int(r["SequenceNumber"]),
                       r["SubSequence"] if r.get("Aggregated") else None)
                for r in self.call("kinesis", "read_stream", StreamName=name,
                                   deaggregate=deaggregate)]

    # -- CloudWatch Logs ----------------------------------------------------

    def create_log_group(self, name):
        self.call("logs", "create_log_group", logGroupName=name)

    def log_streams(self, group):
        return [stream["logStreamName"] for stream in self.call(
            "logs", "read_pages", operation="describe_log_streams",
            key="logStreams", logGroupName=group)]

    def read_log_events(self, group, stream=None):
        """Every LogEvent of the group, or of one stream, by time."""
        only = {"logStreamNames": [stream]} if stream else {}
        return [LogEvent(e["logStreamName"], e["timestamp"], e["message"])
                for e in self.call(
                    "logs", "read_pages", operation="filter_log_events",
                    key="events", logGroupName=group, **only)]

    # -- CloudWatch ---------------------------------------------------------

    def metrics(self, namespace):
        """{(name, ((dimension, value), …)), …}, dimensions sorted."""
        found = self.call("cloudwatch", "read_pages", operation="list_metrics",
                          key="Metrics", Namespace=namespace)
        return {(m["MetricName"], tuple(sorted(
            (d["Name"], d["Value"]) for d in m["Dimensions"])))
            for m in found}


# ---- the process in the venv -------------------------------------------------

class _Helper:
    def __init__(self):
        self._process = subprocess.Popen(
            [emulators.python(), emulators.CLIENT], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=emulators.environment(), preexec_fn=die_with_the_parent)

    @property
    def running(self):
        return self._process.poll() is None

    def ask(self, request):
        self._process.stdin.write(json.dumps(request, default=_encode) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the client has ended; its last words are above"
        answer = json.loads(line, object_hook=_decode)
        if "error" in answer:
            raise AwsError(answer["error"], answer["message"],
                           answer["status"])
        return answer["result"]

    def close(self):
        self._process.kill()
        self._process.communicate()


_current = None


def _helper():
    """Started when it is needed first, and again if a test's time limit ended
    a conversation in the middle."""
    global _current
    if _current is None or not _current.running:
        _current = _Helper()
    return _current


def close():
    """Ends the process; the next call starts another."""
    global _current
    if _current is not None:
        _current.close()
        _current = None


def _encode(value):
    return {"base64": base64.b64encode(value).decode()}


def _decode(mapping):
    if set(mapping) == {"base64"}:
        return base64.b64decode(mapping["base64"])
    return mapping
