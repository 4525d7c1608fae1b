# SPDX-License-Identifier: MIT
"""The scripted Engine against the real one: a fake that says something else
than the daemon would prove nothing."""

import json
import socket
import time

import pytest

from process import wait_until
from scripted_engine import WAYS, ScriptedContainer, ScriptedEngine
from unix_http import ApiError, request

ID = "0123456789abcdef" * 4


@pytest.fixture
def scripted():
    with ScriptedEngine() as engine:
        engine.add(ScriptedContainer(id=ID, name="web", pid=4711))
        yield engine


# Their keys are somebody's own words and not the Engine's.
FREE = ("Labels", "Ports", "LogConfig", "Data")


def missing(real, scripted, path=""):
    """The keys that only the real answer has, all the way down."""
    for key, value in real.items():
        if key not in scripted:
            yield path + key
        elif (key not in FREE and isinstance(value, dict)
              and isinstance(scripted[key], dict)):
            yield from missing(value, scripted[key], f"{path}{key}.")


def test_says_all_that_the_real_engine_says(engine):
    real_version = engine.api("GET", "/version")
    version = "26.1.5" if real_version["ApiVersion"] >= "1.44" else "20.10.24"
    container = engine.run("sleep", "100", name="web")
    with ScriptedEngine(version) as scripted:
        scripted.add(ScriptedContainer(id=ID, name="web", pid=4711))
        ours = request(scripted.socket, "GET", f"/containers/{ID}/json")
        assert list(missing(container.inspect(), ours)) == []
        real_entry, = engine.api("GET", "/containers/json")
        our_entry, = request(scripted.socket, "GET", "/containers/json")
        assert list(missing(real_entry, our_entry)) == []
        scripted.emit_container(ID, "start")
        query = f"?since=0&until={time.time():.9f}"
        real_event = next(e for e in lines(engine.api("GET", "/events" + query))
                          if e["Action"] == "start")
        our_event = request(scripted.socket, "GET", "/events" + query)
        assert real_event.keys() == our_event.keys()


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_answers_like_the_daemon_when_asked_for_the_wrong_thing(scripted):
    for path, status in (("/containers/none/json", 404), ("/nowhere", 404),
                         ("/v1.99/info", 400), ("/v1.11/info", 400)):
        with pytest.raises(ApiError) as error:
            request(scripted.socket, "GET", path)
        assert error.value.status == status


def test_events_since_and_until(scripted):
    for action in ("create", "start", "die"):
        scripted.emit_container(ID, action)
    # 9999 is a moment in 1970: everything is younger
    assert request_text(scripted, "/events?since=0&until=9999") == ""
    everything = lines(request_text(
        scripted, f"/events?since=0&until={time.time():.9f}"))
    assert [e["Action"] for e in everything] == ["create", "start", "die"]
    cursor = everything[1]["timeNano"]
    late = lines(request_text(
        scripted, f"/events?since={cursor // 10**9}.{cursor % 10**9:09d}"
                  f"&until={time.time():.9f}"))
    assert [e["Action"] for e in late] == ["start", "die"]


def request_text(scripted, path):
    """The body as it came, also when it is JSON."""
    head, _, body = raw_answer(scripted, path).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    text = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        text += body[:int(size, 16)]
        body = body[int(size, 16) + 2:]
    return text.decode()


def raw_answer(scripted, path, enough=1 << 20, patience=1):
    """All bytes until end of file, silence, or `enough` of them."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(patience)
        s.connect(scripted.socket)
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        data = b""
        try:
            while len(data) < enough and (block := s.recv(1 << 16)):
                data += block
        except TimeoutError:
            pass
        return data


def test_follows(scripted):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5)
        s.connect(scripted.socket)
        s.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: scripted.listeners == 1, "somebody listens")
        scripted.emit_container(ID, "die", exitCode="137")
        data = b""
        while b"exitCode" not in data:
            data += s.recv(4096)
        scripted.disconnect()
        while s.recv(4096):
            pass
    scripted.start_again()
    assert request(scripted.socket, "GET", "/_ping") == "OK"


@pytest.mark.parametrize("way", WAYS)
def test_misbehaves_as_often_as_told(scripted, way):
    good = raw_answer(scripted, "/containers/json", patience=0.3)
    scripted.misbehave("/containers/json", way, times=1)
    assert raw_answer(scripted, "/containers/json", patience=0.3) != good
    # no Date header is sent, so a good answer is always the same
    assert raw_answer(scripted, "/containers/json", patience=0.3) == good
