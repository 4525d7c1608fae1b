# SPDX-License-Identifier: MIT
"""A Docker Engine that says what it is told to, on a Unix socket.

For what no real daemon does on request: thousands of containers that cost
nothing, and misbehaviour. Whatever a real daemon can show is tested with one.

    with ScriptedEngine() as engine:
        engine.add(ScriptedContainer(id=…, name="web", pid=4711))
        engine.emit_container(id, "die", exitCode="1")
        engine.misbehave("/events", "half", times=1)

Ways to misbehave, for an answer or, with "/events", for one event:

    garbage    bytes that are no JSON
    drip       right, but one byte at a time
    half       the first half, then end of file
    endless    a string that never ends
    oversized  right, but with 64 MiB of white space in it
    hang       nothing at all
    error      status 500, as when the daemon is shutting down
    no-http    not even a status line
"""

import asyncio
import collections
import json
import os
import re
import shutil
import tempfile
import threading
import time
from urllib.parse import parse_qs, urlsplit

import scripted_json as words
from scripted_json import ScriptedContainer

__all__ = ["ScriptedContainer", "ScriptedEngine"]

EVENTS_REMEMBERED = 256  # as dockerd does
OVERSIZE = 64 << 20
GARBAGE = b"\x00\xff]}{[ \"\xc3\x28 nothing that was ever JSON \\u12 \r\n"
WAYS = ("garbage", "drip", "half", "endless", "oversized", "hang", "error",
        "no-http")

_ALIVE = ("running", "paused", "restarting")

# Engine version → (API version, the oldest it still speaks)
APIS = {"1.7.1": ("1.19", "1.12"), "20.10.24": ("1.41", "1.12"),
        "26.1.5": ("1.45", "1.24"), "29.0.0": ("1.52", "1.44")}

_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found",
            500: "Internal Server Error"}


def _nanoseconds(text):
    """"1795252981.084388908", as since and until are given; None if absent."""
    if not text:
        return None
    seconds, _, fraction = text.partition(".")
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0")[:9] or 0)


def _number(api_version):
    return tuple(map(int, api_version.split(".")))


class _Stream:
    """One connection's answer, which goes out well or not."""

    def __init__(self, writer):
        self._writer = writer
        self._chunked = False

    async def head(self, status, headers):
        lines = [f"HTTP/1.1 {status} {_REASONS[status]}",
                 *(f"{key}: {value}" for key, value in headers.items())]
        self._chunked = headers.get("Transfer-Encoding") == "chunked"
        await self._raw("\r\n".join([*lines, "", ""]).encode())

    async def _raw(self, data):
        self._writer.write(data)
        await self._writer.drain()

    async def data(self, data):
        if self._chunked:
            data = b"%x\r\n%s\r\n" % (len(data), data)
        await self._raw(data)

    async def body(self, data, way=None):
        """Send `data`; False when the connection must not be used again."""
        if way is None:
            await self.data(data)
        elif way == "garbage":
            await self.data(GARBAGE)
        elif way == "drip":
            for i in range(len(data)):
                await self.data(data[i:i + 1])
        elif way == "half":
            await self.data(data[:len(data) // 2])
            return False
        elif way == "oversized":
            await self.data(data[:1])
            for _ in range(OVERSIZE >> 16):
                await self.data(b" " * (1 << 16))
            await self.data(data[1:])
        elif way == "endless":
            await self.data(b'{"Type":"')
            while True:  # until the client has had enough
                await self.data(b"a" * (1 << 16))
        elif way == "hang":
            await asyncio.Event().wait()
        return True


class ScriptedEngine:
    def __init__(self, version="20.10.24", socket_path=None):
        self.directory = tempfile.mkdtemp(prefix="tally-scripted-")
        self.socket = socket_path or os.path.join(self.directory, "sock")
        self.endpoint = f"unix://{self.socket}"
        self.version = version
        self.api_version, self.oldest_api = APIS[version]
        self.requests = collections.Counter()  # "GET /events" → how often
        self.updates = []  # (container id, body) of POST …/update
        self._containers = {}
        self._faults = {}
        self._events = collections.deque(maxlen=EVENTS_REMEMBERED)
        self._listeners = set()
        self._loop = asyncio.new_event_loop()
        self._server = None
        self._thread = None

    # -- life cycle ---------------------------------------------------------

    def start(self):
        """Returns when it listens."""
        self._thread = threading.Thread(target=self._loop.run_forever,
                                        name="scripted-engine", daemon=True)
        self._thread.start()
        self._call(self._listen())
        return self

    def close(self):
        self._call(self._hang_up())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def disconnect(self):
        """Ends all connections and listens no longer; start_again() does."""
        self._call(self._hang_up())

    def start_again(self, forget_events=True):
        """A daemon that was restarted remembers no event."""
        if forget_events:
            self._call(self._forget())
        self._call(self._listen())

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine,
                                                self._loop).result(30)

    async def _listen(self):
        self._server = await asyncio.start_unix_server(
            self._serve, self.socket, backlog=512)

    async def _hang_up(self):
        self._server.close()
        here = asyncio.current_task()
        tasks = [t for t in asyncio.all_tasks() if t is not here]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if os.path.exists(self.socket):
            os.unlink(self.socket)

    async def _forget(self):
        self._events.clear()

    # -- what it shall say --------------------------------------------------

    def add(self, container):
        """Adds or replaces; no event is sent."""
        self._containers[container.id] = container
        return container

    def remove(self, container_id):
        del self._containers[container_id]

    def container(self, container_id):
        return self._containers[container_id]

    def emit(self, event):
        """A dict is sent as an event and remembered; bytes go out as they
        are, to whoever listens now."""
        async def send():
            if isinstance(event, bytes):
                entry = (None, event)
            else:
                line = json.dumps(event, separators=(",", ":")) + "\n"
                entry = (event["timeNano"], line.encode())
                self._events.append(entry)
            for queue in self._listeners:
                queue.put_nowait(entry)
        self._call(send())

    def emit_container(self, container_id, action, **attributes):
        self.emit(words.container_event(self._containers[container_id], action,
                                        time.time_ns(), **attributes))

    def misbehave(self, path, way, times=None):
        """The next `times` (None: all) answers to `path` go wrong. `path` is
        "/_ping", "/version", "/events", "/containers/json" or
        "/containers/ID/json", literally."""
        assert way in WAYS, way
        self._faults[path] = [way, times]

    def behave(self):
        self._faults.clear()

    @property
    def listeners(self):
        """How many clients listen to events."""
        return len(self._listeners)

    def _peek(self, path):
        way, times = self._faults.get(path, (None, None))
        return None if times == 0 else way

    def _fault(self, path):
        """How the answer to `path` shall go wrong; counts it as done."""
        path = re.sub(r"^/containers/[^/]+/json$", "/containers/ID/json", path)
        way = self._peek(path)
        if way and self._faults[path][1] is not None:
            self._faults[path][1] -= 1
        return way

    # -- HTTP ---------------------------------------------------------------

    async def _serve(self, reader, writer):
        stream = _Stream(writer)
        try:
            while await self._one_request(reader, stream):
                pass
        except (asyncio.IncompleteReadError, ConnectionError,
                asyncio.CancelledError):
            pass  # the client or the test has ended it
        finally:
            writer.close()

    async def _one_request(self, reader, stream):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"(?i)^content-length: *(\d+)", head, re.MULTILINE)
        body = await reader.readexactly(int(length[1])) if length else b""
        method, target, _ = head.split("\r\n", 1)[0].split(" ")
        url = urlsplit(target)
        path, query = url.path, parse_qs(url.query)

        versioned = re.match(r"/v(\d+\.\d+)(/.*)", path)
        if versioned:
            path = versioned[2]
            problem = self._version_problem(versioned[1])
            if problem:
                return await self._answer(stream, 400, {"message": problem})
        self.requests[f"{method} {path}"] += 1
        if path == "/events":
            return await self._stream_events(stream, query)
        if path.endswith("/logs"):
            return await self._stream_logs(reader, stream)
        status, answer = self._route(method, path, query, body)
        return await self._answer(stream, status, answer, self._fault(path),
                                  method == "HEAD")

    def _version_problem(self, asked):
        if _number(asked) > _number(self.api_version):
            return (f"client version {asked} is too new. Maximum supported "
                    f"API version is {self.api_version}")
        if _number(asked) < _number(self.oldest_api):
            return (f"client version {asked} is too old. Minimum supported "
                    f"API version is {self.oldest_api}, please upgrade your "
                    "client to a newer version")
        return None

    def _headers(self, **more):
        return {"Api-Version": self.api_version,
                "Content-Type": "application/json",
                "Docker-Experimental": "false", "Ostype": "linux",
                "Server": f"Docker/{self.version} (linux)", **more}

    async def _answer(self, stream, status, answer, way=None, head_only=False):
        if way == "hang":
            await asyncio.Event().wait()
        if way == "no-http":
            await stream.data(GARBAGE)
            return False
        if way == "error":
            status, way = 500, None
            answer = {"message": "the daemon is shutting down"}
        text = answer if isinstance(answer, str) else json.dumps(
            answer, separators=(",", ":")) + "\n"
        data = text.encode()
        # Answers whose length is not known beforehand have to be chunked; a
        # HEAD of the daemon's says how long the body would have been.
        known = way is None or way == "half"
        await stream.head(status, self._headers(
            **({"Content-Length": len(data)} if known
               else {"Transfer-Encoding": "chunked"})))
        if head_only:
            return True
        again = await stream.body(data, way)
        if not known:
            await stream.data(b"")  # the last chunk
        return again

    # -- routes -------------------------------------------------------------

    @property
    def _modern(self):
        return _number(self.api_version) >= (1, 44)

    def _find(self, key):
        if key in self._containers:
            return self._containers[key]
        return next((c for c in list(self._containers.values())
                     if c.name == key or len(key) >= 12
                     and c.id.startswith(key)), None)

    def _route(self, method, path, query, body):
        if path == "/_ping":
            return 200, "OK"
        if path == "/version":
            return 200, words.version(self.version, self.api_version,
                                      self.oldest_api)
        if path == "/info":
            return 200, words.info(list(self._containers.values()),
                                   self.version)
        if path == "/containers/json":
            every = query.get("all", ["0"])[0] in ("1", "true", "True")
            return 200, [words.list_entry(c, self._modern)
                         for c in list(self._containers.values())
                         if every or c.status in _ALIVE]
        match = re.fullmatch(r"/containers/([^/]+)/(json|update)", path)
        if not match:
            return 404, {"message": "page not found"}
        container = self._find(match[1])
        if container is None:
            return 404, {"message": f"No such container: {match[1]}"}
        if match[2] == "json":
            return 200, words.inspect(container, self._modern)
        self.updates.append((container.id, json.loads(body)))
        return 200, {"Warnings": None}

    async def _stream_logs(self, reader, stream):
        """Of containers that say nothing, until the client has enough."""
        await stream.head(200, self._headers(
            **{"Transfer-Encoding": "chunked"}))
        await reader.read(1)
        return False

    # -- the event stream ---------------------------------------------------

    async def _stream_events(self, stream, query):
        if self._peek("/events") in ("error", "no-http"):
            return await self._answer(stream, 500, "", self._fault("/events"))
        since = _nanoseconds(query.get("since", [""])[0])
        until = _nanoseconds(query.get("until", [""])[0])
        queue = asyncio.Queue()
        for time_ns, line in self._events if since is not None else ():
            if time_ns >= since and (until is None or time_ns <= until):
                queue.put_nowait((time_ns, line))
        self._listeners.add(queue)
        try:
            await stream.head(200, self._headers(
                **{"Transfer-Encoding": "chunked"}))
            while (entry := await self._next_event(queue, until)) is not None:
                if not await stream.body(entry[1], self._fault("/events")):
                    return False
            await stream.data(b"")
            return True
        finally:
            self._listeners.discard(queue)

    @staticmethod
    async def _next_event(queue, until):
        """None when the time that was asked for is over."""
        if not queue.empty() or until is None:
            return await queue.get()
        try:
            return await asyncio.wait_for(
                queue.get(), max(0, until / 1e9 - time.time()))
        except asyncio.TimeoutError:
            return None
