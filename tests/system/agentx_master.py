# SPDX-License-Identifier: MIT
"""A master agent of AgentX (RFC 2741) that does what a test says, byte by byte,
instead of what snmpd would."""

import array
import fcntl
import os
import socket
import struct
import tempfile
import termios

from process import PATIENCE, wait_until

OPEN, REGISTER, GET, GET_NEXT, GET_BULK = 1, 3, 5, 6, 7
TEST_SET, RESPONSE = 8, 18
END_OF_MIB_VIEW = 130
_HEADER = struct.Struct("<BBBBIIII")
_NULL = bytes(4)


def encode_oid(subids, include=False):
    return bytes([len(subids), 0, include, 0]) + struct.pack(
        f"<{len(subids)}I", *subids)


def decode_oid(body, at):
    count, prefix = body[at], body[at + 1]
    subids = struct.unpack_from(f"<{count}I", body, at + 4)
    return ((1, 3, 6, 1, prefix) if prefix else ()) + subids, at + 4 + 4 * count


def search(*names, include=False):
    """The body of a Get or a GetNext."""
    return b"".join(encode_oid(name, include) + _NULL for name in names)


class Answer:
    """A Response; `varbinds` are (type, identifier, octets of the value)."""

    def __init__(self, packet, body):
        self.packet = packet
        _, self.error, self.index = struct.unpack_from("<IHH", body)
        self.varbinds, at = [], 8
        while at < len(body):
            kind, = struct.unpack_from("<H", body, at)
            name, at = decode_oid(body, at + 4)
            if kind == 4:
                size, = struct.unpack_from("<I", body, at)
                value, step = body[at + 4:at + 4 + size], 4 + (size + 3 & ~3)
            else:
                step = 8 if kind == 70 else 0 if kind >= 128 else 4
                value = body[at:at + step]
            self.varbinds.append((kind, name, value))
            at += step


class Master:
    """Listens on a Unix socket; see accept()."""

    def __init__(self):
        self._directory = tempfile.TemporaryDirectory(prefix="tally-master-")
        self.socket = os.path.join(self._directory.name, "master")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.socket)
        self._listener.listen()
        self._listener.settimeout(10 * PATIENCE)
        self._connection = None
        self._bytes = b""
        self._packet = 1000

    def accept(self):
        """Until the subagent has registered something and is quiet."""
        self._connection, _ = self._listener.accept()
        self._connection.settimeout(10 * PATIENCE)
        registered = False
        while not registered:
            kind, packet, _ = self._receive()
            registered = kind == REGISTER
            self._respond(packet)
        # What may follow (capabilities) is answered in answers().

    def close(self):
        if self._connection:
            self._connection.close()
        self._listener.close()
        self._directory.cleanup()

    # -- what is sent ----------------------------------------------------------

    def pdu(self, kind, body, flags=0):
        """(number, bytes) of a request."""
        self._packet += 1
        return self._packet, _HEADER.pack(1, kind, flags, 0, 7, self._packet,
                                          self._packet, len(body)) + body

    def send(self, data):
        self._connection.sendall(data)

    def wait_until_read(self):
        """Until the other side has taken everything out of the socket."""
        def unread():
            count = array.array("i", [0])
            fcntl.ioctl(self._connection, termios.TIOCOUTQ, count)
            return count[0]
        wait_until(lambda: unread() == 0, "the subagent has read", step=0.001)

    def _respond(self, packet):
        self.send(_HEADER.pack(1, RESPONSE, 0, 0, 7, packet, packet, 8)
                  + bytes(8))

    # -- what comes ------------------------------------------------------------

    def _receive(self):
        def need(size):
            while len(self._bytes) < size:
                more = self._connection.recv(65536)
                assert more, "the subagent has hung up"
                self._bytes += more
        need(_HEADER.size)
        header = _HEADER.unpack_from(self._bytes)
        need(_HEADER.size + header[7])
        body = self._bytes[_HEADER.size:_HEADER.size + header[7]]
        self._bytes = self._bytes[_HEADER.size + header[7]:]
        return header[1], header[6], body

    def answers(self, numbers):
        """{number: Answer} of these requests; whatever else the subagent wants
        meanwhile (pings, capabilities) is granted."""
        found, missing = {}, set(numbers)
        while missing:
            kind, packet, body = self._receive()
            if kind == RESPONSE:
                assert packet in missing, f"{packet} is answered unasked"
                missing.remove(packet)
                found[packet] = Answer(packet, body)
            else:
                self._respond(packet)
        return found

    def ask(self, kind, body):
        number, data = self.pdu(kind, body)
        self.send(data)
        return self.answers([number])[number]
