# SPDX-License-Identifier: MIT
"""HTTP over a Unix socket, as the Docker Engine speaks it."""

import http.client
import json
import socket


class ApiError(Exception):
    def __init__(self, status, message):
        super().__init__(f"{status}: {message}")
        self.status = status


class _Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def request(socket_path, method, path, body=None, timeout=30):
    """One request. A dict travels as JSON, bytes as they are; the answer is
    decoded JSON, or text when it is none. Raises ApiError from status 400 on."""
    headers = {}
    if isinstance(body, bytes):
        headers["Content-Type"] = "application/x-tar"
    elif body is not None:
        body = json.dumps(body)
        headers["Content-Type"] = "application/json"
    connection = _Connection(socket_path, timeout)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
    finally:
        connection.close()
    try:
        answer = json.loads(text)
    except ValueError:
        answer = text
    if response.status >= 400:
        raise ApiError(response.status, answer)
    return answer
