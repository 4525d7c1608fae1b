# SPDX-License-Identifier: MIT
"""A wrong setting: one message that names it as its user knows it, with what
is wrong in the service's own words; nothing is lost, and everything arrives
once it has been put right. No message shows a secret."""

import time
from typing import Callable, NamedTuple

import pytest

from ledger import PERFECT
from process import wait_until

pytestmark = pytest.mark.delivery

VALUES = 20


class Setting(NamedTuple):
    """How one is wrong, on top of a configuration that is right."""
    options: Callable  # of the stream, given the server
    words: tuple  # of the one message
    environment: Callable = lambda server: {}
    files: Callable = lambda server: {}  # below the home directory
    fault: str = ""  # of the server's PutRecords
    secret: str = "anotherSecret"


def where(server):
    return f'Endpoint "{server.endpoint}"'


def region(server):
    return f'Region "{server.region}"'


def keys(server, access_key=None, secret_key=None):
    return (f'AccessKeyID "{access_key or server.access_key}"\n'
            f'SecretAccessKey "{secret_key or server.secret_key}"')


def credentials(server, access_key=None):
    return {".aws/credentials":
            "[shop]\n"
            f"aws_access_key_id = {access_key or server.access_key}\n"
            f"aws_secret_access_key = {server.secret_key}\n"}


NOT_KNOWN = "UnrecognizedClientException: The security token included in the "
NOT_MATCHING = "InvalidSignatureException: The request signature we calculated"
NOT_SCOPED = "Credential should be scoped to a valid region, not 'eu-wset-1'"

WRONG = {
    "stream": Setting(
        lambda s: [where(s), region(s), keys(s)],
        ('Stream "metrics": ', "ResourceNotFoundException: The specified"),
        fault="missing"),
    "permission": Setting(
        lambda s: [where(s), region(s), keys(s)],
        ('Stream "metrics": access key AKID… (options AccessKeyID, '
         "SecretAccessKey): ", "AccessDeniedException: ",
         "not authorized to perform: kinesis:PutRecords"),
        fault="denied"),
    "key": Setting(
        lambda s: [where(s), region(s), keys(s, access_key="AKIAWRONGWRONG")],
        ("access key AKIA…RONG (options AccessKeyID, SecretAccessKey): ",
         NOT_KNOWN)),
    "secret": Setting(
        lambda s: [where(s), region(s), keys(s, secret_key="anotherSecret")],
        ("access key AKID… (options AccessKeyID, SecretAccessKey): ",
         NOT_MATCHING)),
    "key of the environment": Setting(
        lambda s: [where(s), region(s)],
        ("access key AKIA…RONG (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY): ",
         NOT_KNOWN),
        environment=lambda s: {"AWS_ACCESS_KEY_ID": "AKIAWRONGWRONG",
                               "AWS_SECRET_ACCESS_KEY": "anotherSecret"}),
    "key of a profile": Setting(
        lambda s: [where(s), region(s), 'Profile "shop"'],
        ("access key AKIA…RONG (profile `shop' of ", "/.aws/credentials): ",
         NOT_KNOWN),
        files=lambda s: credentials(s, "AKIAWRONGWRONG")),
    "name of a profile": Setting(
        lambda s: [where(s), region(s), 'Profile "shoop"'],
        ("`shoop' (option Profile): not in ", "/.aws/credentials"),
        files=credentials),
    "region": Setting(
        lambda s: [where(s), 'Region "eu-wset-1"', keys(s)],
        ("region eu-wset-1 (option Region): ", NOT_SCOPED)),
    "region of the environment": Setting(
        lambda s: [where(s), keys(s)],
        ("region eu-wset-1 (AWS_REGION): ", NOT_SCOPED),
        environment=lambda s: {"AWS_REGION": "eu-wset-1"}),
    "region of a profile": Setting(
        lambda s: [where(s), keys(s)],
        ("region eu-wset-1 (profile `default' of ", "/.aws/config): ",
         NOT_SCOPED),
        files=lambda s: {".aws/config": "[default]\nregion = eu-wset-1\n"}),
    "region without a host": Setting(
        lambda s: ['Region "eu-wset-1"', keys(s)],
        ("region eu-wset-1 (option Region): kinesis at "
         "https://kinesis.eu-wset-1.amazonaws.com: ", "resolve host")),
    "endpoint": Setting(
        lambda s: ['Endpoint "http://127.0.0.1:1"', region(s), keys(s)],
        ("endpoint http://127.0.0.1:1 (option Endpoint): kinesis: ",
         "Failed to connect")),
    "endpoint without TLS": Setting(
        lambda s: [where(s).replace("http:", "https:"), region(s), keys(s)],
        ("endpoint https://127.0.0.1:", "(option Endpoint): kinesis: SSL")),
    "endpoint of the environment": Setting(
        lambda s: [region(s), keys(s)],
        ("endpoint http://127.0.0.1:1 (AWS_ENDPOINT_URL_KINESIS): kinesis: ",
         "Failed to connect"),
        environment=lambda s: {
            "AWS_ENDPOINT_URL_KINESIS": "http://127.0.0.1:1"}),
    "endpoint with a password": Setting(
        lambda s: [region(s), keys(s)],
        ("AWS_ENDPOINT_URL: ", "not http(s)://HOST[:PORT][/PATH]"),
        environment=lambda s: {
            "AWS_ENDPOINT_URL": "http://me:anotherSecret@127.0.0.1:1"}),
    "proxy": Setting(
        lambda s: [where(s), region(s), keys(s),
                   'Proxy "http://me:anotherSecret@nowhere.invalid:1"'],
        ("(option Proxy): ", "resolve proxy")),
}


@pytest.fixture
def home(bare_home, monkeypatch):
    """Puts files into an otherwise empty home directory."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    def write(files):
        for name, text in files.items():
            (bare_home / name).parent.mkdir(exist_ok=True)
            (bare_home / name).write_text(text)
    return write


def configuration(tmp_path, options):
    return "\n".join([
        f'SpoolDir "{tmp_path}/spool"', "Linger 0.05", "PartitionKey host",
        "Aggregate true", "Compression none", '<Stream "metrics">', *options,
        "</Stream>"])


def about_the_stream(daemon):
    return [n for n in daemon.notifications()
            if n.plugin_instance == "write_kinesis-metrics"]


def said(daemon):
    """The one line of the log: a notification has no room for all of it."""
    lines = [line for line in daemon.log().splitlines()
             if "write_kinesis-metrics: deliveries fail: " in line
             and "Notification:" not in line]
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.parametrize("name", WRONG)
def test_one_message_names_it_and_nothing_is_lost(
        name, lighter, collectd, home, tmp_path, monkeypatch):
    wrong, server = WRONG[name], lighter()
    if wrong.fault:
        server.fault("PutRecords", wrong.fault, rate=1)
    home(wrong.files(server))
    daemon = collectd(
        stock="WriteThreads 1",
        write_kinesis=configuration(tmp_path, wrong.options(server)))
    with monkeypatch.context() as patch:
        for variable, value in wrong.environment(server).items():
            patch.setenv(variable, value)
        daemon.start()
    daemon.wait_for_log("Initialization complete")
    daemon.putvals(*((f"web/app/gauge-line={i}", i) for i in range(VALUES)))
    wait_until(lambda: about_the_stream(daemon), "a notification", timeout=20)
    time.sleep(2)  # more tries, more reports
    for words in wrong.words:
        assert words in said(daemon)
    (notice,) = about_the_stream(daemon)
    assert notice.severity == "WARNING"
    assert wrong.words[0].split(" (")[0] in notice.message
    numbers = daemon.getval("tallyman-write_kinesis-metrics/tallyman_outbox")
    assert numbers["queued"] >= VALUES and numbers["dropped"] == 0
    daemon.stop()
    for secret in (wrong.secret, server.secret_key):
        assert secret not in daemon.log() + daemon.stderr()

    server.behave()
    daemon.plugins["write_kinesis"] = configuration(
        tmp_path, [where(server), region(server), keys(server)])
    daemon.start()
    wait_until(
        lambda: server.ledger().verdict({"web": range(VALUES)}) == PERFECT,
        "all values have come", timeout=30, step=0.2)


# ---- put right while collectd runs -------------------------------------------

@pytest.mark.sanitized
def test_it_is_said_when_it_is_over(lighter, collectd, home, tmp_path):
    """The credentials file is written anew: no restart, and one more word."""
    server = lighter()
    home(credentials(server, "AKIAWRONGWRONG"))
    daemon = collectd(
        stock="WriteThreads 1", write_kinesis=configuration(
            tmp_path, [where(server), region(server), 'Profile "shop"']))
    daemon.start()
    daemon.wait_for_log("Initialization complete")
    daemon.putvals(*((f"web/app/gauge-line={i}", i) for i in range(VALUES)))
    wait_until(lambda: about_the_stream(daemon), "a notification", timeout=20)
    home(credentials(server))
    wait_until(lambda: len(about_the_stream(daemon)) > 1,
               "a second notification", timeout=60)
    assert [n.severity for n in about_the_stream(daemon)] == [
        "WARNING", "OKAY"]
    assert server.ledger().verdict({"web": range(VALUES)}) == PERFECT
