# SPDX-License-Identifier: MIT
"""AgentX as it is on the wire (RFC 2741, section 5 and 6), read strictly: every
PDU must end where its header says, every varbind be of a known type, every
padding be zero."""

import struct
from typing import NamedTuple

OPEN, CLOSE, REGISTER, GET, GETNEXT, NOTIFY, ADD_CAPS, RESPONSE = (
    1, 2, 3, 5, 6, 12, 16, 18)
INTEGER, OCTETS, NULL, OID, COUNTER64 = 2, 4, 5, 6, 70
_NUMBERS = (INTEGER, 65, 66, 67)
_STRINGS = (OCTETS, 64, 68)
_NOTHING = (NULL, 128, 129, 130)
_NETWORK_ORDER, _CONTEXT = 0x10, 0x08


class Pdu(NamedTuple):
    type: int
    error: int       # of a response
    varbinds: list   # (name, type, value) of notifications and responses


class _Reader:
    def __init__(self, data, order):
        self._data = data
        self._order = order
        self._at = 0

    def done(self):
        return self._at == len(self._data)

    def take(self, count):
        piece = self._data[self._at:self._at + count]
        assert len(piece) == count, "the PDU ends in the middle of a value"
        self._at += count
        return piece

    def numbers(self, layout):
        layout = self._order + layout
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def octets(self):
        length, = self.numbers("I")
        text = self.take(length)
        assert not any(self.take(-length % 4)), "padding that is not zero"
        return text

    def oid(self):
        count, prefix, include, reserved = self.numbers("4B")
        assert reserved == 0 and include in (0, 1) and count <= 128
        internet = [1, 3, 6, 1, prefix] if prefix else []
        return (*internet, *self.numbers(f"{count}I"))

    def varbind(self):
        kind, reserved = self.numbers("HH")
        assert reserved == 0
        name = self.oid()
        if kind in _NUMBERS:
            return name, kind, self.numbers("I")[0]
        if kind == COUNTER64:
            return name, kind, self.numbers("Q")[0]
        if kind in _STRINGS:
            return name, kind, self.octets()
        if kind == OID:
            return name, kind, self.oid()
        assert kind in _NOTHING, f"a varbind of type {kind}"
        return name, kind, None

    def varbinds(self):
        found = []
        while not self.done():
            found.append(self.varbind())
        return found


def read_stream(data):
    """All PDUs that one side has sent."""
    found = []
    while data:
        version, kind, flags, reserved = data[:4]
        assert version == 1 and reserved == 0
        order = ">" if flags & _NETWORK_ORDER else "<"
        length = struct.unpack(order + "I", data[16:20])[0]
        assert length % 4 == 0 and len(data) >= 20 + length, "cut off"
        body, data = _Reader(data[20:20 + length], order), data[20 + length:]
        error, varbinds = 0, []
        if kind in (NOTIFY, RESPONSE):
            if flags & _CONTEXT:
                body.octets()
            if kind == RESPONSE:
                _, error, _ = body.numbers("IHH")
            varbinds = body.varbinds()
        found.append(Pdu(kind, error, varbinds))
    return found
