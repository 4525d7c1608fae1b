# SPDX-License-Identifier: MIT
"""The AgentX session as bytes: requests that come in pieces, glued together,
and mixed with those that are not answered on the fast way."""

import random

import pytest

import snmp
from agentx_master import (END_OF_MIB_VIEW, GET, GET_BULK, GET_NEXT, TEST_SET,
                           Master, encode_oid, search)
from process import wait_until

ROOT = tuple(map(int, snmp.root_oid().strip(".").split(".")))
VERSION = ROOT + (1, 1, 2, 0)  # tallyNodeAgentVersion


@pytest.fixture
def master(subagent):
    it = Master()
    try:
        agent = subagent(it.socket, "agentXPingInterval 1").start()
        it.accept()
        wait_for_values(it)
        yield it
    finally:
        it.close()
    agent.stop()


def wait_for_values(master):
    """Until the first sample is there."""
    for _ in range(10000):
        kind, _, _ = master.ask(GET, search(VERSION)).varbinds[0]
        if kind < 128:
            return
    raise AssertionError("no values")


def walk(master):
    """All identifiers below the root arc, in order."""
    names, name = [], ROOT
    while True:
        (kind, name, _), = master.ask(GET_NEXT, search(name)).varbinds
        if kind == END_OF_MIB_VIEW:
            return names
        assert name > (names or [ROOT])[-1]
        names.append(name)


def test_requests_in_pieces(master):
    number, whole = master.pdu(GET, search(VERSION))
    for cut in (1, 4, 16, 19, 20, 21, 24, len(whole) - 1):
        number, whole = master.pdu(GET, search(VERSION))
        master.send(whole[:cut])
        master.wait_until_read()
        master.send(whole[cut:])
        (kind, name, value), = master.answers([number])[number].varbinds
        assert (kind, name) == (4, VERSION) and value
    assert len(walk(master)) > 10


def test_requests_glued_together(master):
    names = walk(master)[:40]
    requests = [master.pdu(GET_NEXT, search(name)) for name in names]
    master.send(b"".join(data for _, data in requests))
    answers = master.answers([number for number, _ in requests])
    for (number, _), following in zip(requests, names[1:]):
        assert answers[number].varbinds[0][1] == following


def test_any_mixture(master):
    """Ours, the library's, cut anywhere: every request has its own answer."""
    generator = random.Random(7411)
    value = encode_oid(VERSION)
    kinds = {
        GET: lambda: search(VERSION),
        GET_NEXT: lambda: search(ROOT, include=True),
        # both are left to the library
        GET_BULK: lambda: b"\0\0\3\0" + search(ROOT),
        TEST_SET: lambda: b"\4\0\0\0" + value + b"\1\0\0\0x\0\0\0",
    }
    for _ in range(20):
        requests, stream = {}, b""
        for _ in range(generator.randrange(1, 12)):
            kind = generator.choice(list(kinds))
            number, data = master.pdu(kind, kinds[kind]())
            requests[number] = kind
            stream += data
        while stream:
            cut = generator.randrange(1, 200)
            master.send(stream[:cut])
            if generator.random() < 0.5:
                master.wait_until_read()
            stream = stream[cut:]
        for number, answer in master.answers(requests).items():
            kind = requests[number]
            if kind == TEST_SET:
                assert answer.error == 17 and answer.index == 1  # notWritable
            elif kind == GET_BULK:
                assert len(answer.varbinds) == 3
            else:
                assert answer.varbinds[0][0] < 128
    assert len(walk(master)) > 10


def test_both_ways_answer_alike(snmpd, subagent):
    """With debugging output net-snmp handles all requests itself."""
    master = snmpd().start()

    def everything():
        return [*master.walk("tallyNode", max_repetitions=7),
                *master.walk("tallyDiskTable", bulk=False)]

    agent = subagent(master, "interval 1").start()
    master.wait_for_subagent()
    wait_until(lambda: master.get("tallyNodeCpuPercent.0") is not None,
               "a second sample")
    fast, version = everything(), master.get("tallyNodeAgentVersion.0")
    assert len(fast) > 30 and version
    agent.stop()

    agent = subagent(master, "interval 1").start("-D", "nothing")
    master.wait_for_subagent()
    wait_until(lambda: everything() == fast, "the same objects")
    assert master.get("tallyNodeAgentVersion.0") == version
    assert master.get("tallyNodeAgentVersion.1") is None
    agent.stop()
