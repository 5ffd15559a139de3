"""A cluster whose logs a test writes, and a page that reads them by the socket."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from asgiref.testing import ApplicationCommunicator

from clusters.models import Cluster
from mcm.asgi import application
from tests.clusters import sockets
from tests.clusters.sockets import in_database
from tests.kube import fake

POD = {
    "spec": {"containers": [{"name": "app"}]},
    "status": {"phase": "Running", "containerStatuses": [{"name": "app", "restartCount": 0}]},
}


def line(moment: datetime | int, text: str) -> bytes:
    """A line as a kubelet sends it; a number is seconds of a certain hour."""
    if isinstance(moment, int):
        moment = datetime(2026, 1, 31, 12, moment // 60, moment % 60, tzinfo=UTC)
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S.%fZ')} {text}\n".encode()


class Upstream:
    """The cluster. What `say` writes goes to all who follow the log; `end` ends it for them.

    `pods` has the JSON of pods by name, `refusals` what is answered instead of a log.
    """

    def __init__(self) -> None:
        self.pods: dict[str, Any] = defaultdict(lambda: POD)
        self.refusals: dict[str, tuple[str, str]] = {}
        self.written: dict[str, list[bytes]] = defaultdict(list)
        self.readers: dict[str, set[asyncio.Queue[bytes | None]]] = defaultdict(set)
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.heads: list[str] = []
        self.sent = 0
        self.changed = asyncio.Event()

    def say(self, pod: str, *lines: bytes) -> None:
        self.written[pod] += lines
        for queue in self.readers[pod]:
            for each in lines:
                queue.put_nowait(each)

    def end(self, pod: str) -> None:
        """As when the container ends: whoever follows has read all of it."""
        for queue in self.readers[pod]:
            queue.put_nowait(None)

    def cut(self, pod: str) -> None:
        """As when the connection breaks."""
        for queue in self.readers[pod]:
            queue.put_nowait(b"")

    async def until_followed(self, pod: str, times: int = 1) -> None:
        async with asyncio.timeout(60):
            while len(self.readers[pod]) < times:
                self.changed.clear()
                await self.changed.wait()

    async def until_left(self, pod: str) -> None:
        async with asyncio.timeout(60):
            while self.readers[pod]:
                self.changed.clear()
                await self.changed.wait()

    async def handle(self, request: fake.Request, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(request.target)
        name = parts.path.split("/")[6]
        self.heads.append(request.head)
        if not parts.path.endswith("/log"):
            await self._pod(name, writer)
            return
        query = parse_qs(parts.query)
        self.asked.append((name, query))
        if name in self.refusals:
            status, words = self.refusals[name]
            body = json.dumps({"kind": "Status", "message": words}).encode()
            writer.write(fake.whole(status, body))
            return
        await self._log(name, query, writer)

    async def _pod(self, name: str, writer: asyncio.StreamWriter) -> None:
        found = self.pods[name]
        if isinstance(found, str):
            body = b'{"kind": "Status", "message": "no such pod"}'
            writer.write(fake.whole(found, body))
        else:
            writer.write(fake.whole("200 OK", json.dumps(found).encode()))

    async def _log(
        self, name: str, query: dict[str, list[str]], writer: asyncio.StreamWriter
    ) -> None:
        writer.write(fake.head())
        since = query.get("sinceTime", [""])[0].removesuffix("Z")
        lines = [each for each in self.written[name] if each.decode() >= since]
        tail = int(query.get("tailLines", ["1000000000"])[0])
        for each in lines[-tail:] if tail else ():
            await self._send(each, writer)
        if "follow" not in query:
            writer.write(fake.chunk(b""))
            # All of it: the server cuts off whoever still has something to read at the end.
            writer.transport.set_write_buffer_limits(0)
            await writer.drain()
            return
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.readers[name].add(queue)
        self.changed.set()
        gone = asyncio.create_task(_until_gone(writer, queue))
        try:
            while said := await queue.get():
                await self._send(said, writer)
            if said == b"":
                writer.transport.abort()
            elif not writer.is_closing():
                writer.write(fake.chunk(b""))
        finally:
            gone.cancel()
            self.readers[name].discard(queue)
            self.changed.set()

    async def _send(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(fake.chunk(data))
        await writer.drain()
        self.sent += 1


async def _until_gone(writer: asyncio.StreamWriter, queue: asyncio.Queue[bytes | None]) -> None:
    while not writer.is_closing():  # noqa: ASYNC110 - a transport tells only its protocol
        await asyncio.sleep(0.02)
    queue.put_nowait(None)


@asynccontextmanager
async def serving(cluster: Cluster) -> AsyncIterator[Upstream]:
    """The cluster leads to a server of the test's own."""
    made = Upstream()
    async with fake.serve(made.handle) as server:
        cluster.connection = server.connection
        await in_database(cluster.save)()
        yield made


class Page(sockets.Page):
    """A page of logs. It takes in what it is told, unless `takes` is False."""

    def __init__(self, query: str, cookie: str = "", **more: Any) -> None:
        super().__init__(cookie, **more)
        untyped: Any = ApplicationCommunicator
        scope = {**self.socket.scope, "path": "/ws/logs/", "query_string": query.encode()}
        self.socket = untyped(application, scope)
        self.takes = True
        # Pings come for ever: what a test waits for must not.
        self.patience = time.monotonic() + 120
        self.sources: dict[int, dict[str, Any]] = {}
        self.lines: list[tuple[str, str]] = []
        self.notes: list[tuple[str, str, str]] = []

    async def any(self) -> dict[str, Any]:
        assert time.monotonic() < self.patience, (self.sources, self.lines[-3:], self.notes)
        message = await super().any()
        if message["type"] == "sources":
            self.sources |= {each["number"]: each for each in message["sources"]}
        elif message["type"] == "lines":
            for number, _at, text, *note in message["lines"]:
                pod = self.sources[number]["pod"]
                if note:
                    self.notes.append((pod, note[0], text))
                else:
                    self.lines.append((pod, text))
            if self.takes:
                await self.say(json.dumps({"taken": message["number"]}))
        return message

    async def until_lines(self, *texts: str) -> None:
        """Until all of these were told."""
        while not set(texts) <= {text for _pod, text in self.lines}:
            assert (await self.next())["type"] != "close", self.lines

    async def until_count(self, count: int) -> None:
        """Until so many lines were told."""
        while len(self.lines) < count:
            message = await self.next()
            assert message["type"] not in ("close", "end"), (message, len(self.lines), self.sources)

    async def until_note(self, note: str) -> None:
        while note not in {name for _pod, name, _text in self.notes}:
            assert (await self.next())["type"] != "close", self.notes

    async def until_state(self, pod: str, state: str) -> dict[str, Any]:
        while not (found := self._in_state(pod, state)):
            assert (await self.next())["type"] != "close", self.sources
        return found[0]

    def _in_state(self, pod: str, state: str) -> list[dict[str, Any]]:
        return [
            each for each in self.sources.values() if (each["pod"], each["state"]) == (pod, state)
        ]

    async def closed(self) -> tuple[str, int]:
        """Why it was refused, and the code of the end."""
        code = ""
        while (message := await self.next())["type"] != "close":
            code = message.get("code", code)
        return code, message["code"]


@asynccontextmanager
async def reading(query: str, cookie: str = "", **more: Any) -> AsyncIterator[Page]:
    page = Page(query, cookie, **more)
    assert await page.connect()
    try:
        yield page
    finally:
        with suppress(TimeoutError):
            await page.leave()
