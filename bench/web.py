"""A browser's two ends as cheap as can be, since they share the machine with what is measured."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


class Refused(Exception):
    """The server answered with another status than asked for."""


@dataclass
class Connection:
    """One kept-alive HTTP/1.1 connection to 127.0.0.1."""

    port: int
    headers: Mapping[str, str]
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> bytes:
        """The body of a 200. Raises Refused."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self._streams
        writer.write(request(self.port, path, self.headers))
        status, headers = await answer(reader)
        body = await _body(reader, headers)
        if status != 200:
            raise Refused(f"{status} for {path}: {body[:300]!r}")
        return body

    def close(self) -> None:
        """Closes it; the next `get` opens another."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def request(port: int, path: str, headers: Mapping[str, str]) -> bytes:
    """A GET as bytes."""
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Status and headers, their names in small letters."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(":")[::2] for line in lines if line)
    return int(first.split()[1]), {name.lower(): value.strip() for name, value in pairs}


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    parts = []
    while size := int(await reader.readline(), 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(parts)


def timed(port: int, headers: Mapping[str, str], path: str, times: int) -> list[float]:
    """Milliseconds of one request after the other, the first one left out."""

    async def run() -> list[float]:
        connection = Connection(port, headers)
        await connection.get(path)
        took = []
        for _ in range(times):
            began = time.perf_counter()
            await connection.get(path)
            took.append((time.perf_counter() - began) * 1000)
        connection.close()
        return took

    return asyncio.run(run())


def at_rate(
    port: int, headers: Mapping[str, str], path: str, a_second: float, seconds: float
) -> tuple[list[float], int]:
    """Milliseconds from when each request was due, and how many were not answered by 200.

    A slow server does not lower the rate.
    """

    async def run() -> tuple[list[float], int]:
        idle: asyncio.Queue[Connection] = asyncio.Queue()
        for _ in range(32):
            idle.put_nowait(Connection(port, headers))
        due, took, failed, tasks = time.perf_counter(), [], [], []

        async def one(due: float) -> None:
            connection = await idle.get()
            try:
                await connection.get(path)
            except Refused as refused:
                failed.append(refused)
            idle.put_nowait(connection)
            took.append((time.perf_counter() - due) * 1000)

        for number in range(round(a_second * seconds)):
            moment = due + number / a_second
            await asyncio.sleep(max(0.0, moment - time.perf_counter()))
            tasks.append(asyncio.create_task(one(moment)))
        await asyncio.gather(*tasks)
        while not idle.empty():
            idle.get_nowait().close()
        return took, len(failed)

    return asyncio.run(run())


class Socket(asyncio.Protocol):
    """One open websocket. `heard` is called with each text message as JSON; set it at any time."""

    def __init__(self, port: int, path: str, headers: Mapping[str, str]) -> None:
        self.heard: Callable[[Any], None] = ignore
        self._port, self._path, self._headers = port, path, headers
        self._data = b""
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        """The handshake. Raises Refused."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(lambda: self, "127.0.0.1", self._port)
        self._transport = transport
        own = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Origin": f"http://127.0.0.1:{self._port}",
        }
        transport.write(request(self._port, self._path, {**own, **self._headers}))
        await self._opened

    def say(self, what: object) -> None:
        """Sends one JSON message of less than 64 KB."""
        text = json.dumps(what).encode()
        size = bytes([len(text)]) if len(text) < 126 else bytes([126]) + len(text).to_bytes(2)
        # The mask of all zeros leaves the text as it is.
        self._transport.write(bytes([0x81, 0x80 | size[0]]) + size[1:] + bytes(4) + text)

    def close(self) -> None:
        """Drops the connection."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Of the transport: answers pings, passes texts on."""
        self._data += data
        if not self._opened.done():
            head, found, rest = self._data.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " in head.split(b"\r\n")[0]:
                self._opened.set_result(None)
            else:
                self._opened.set_exception(Refused(head.decode("latin-1")[:200]))
            self._data = rest
        while (frame := self._frame()) is not None:
            kind, content = frame
            if kind == 1:
                self.heard(parsed(content))
            elif kind == 9:
                # With what the ping held, or the server takes the page for dead after a while.
                self._transport.write(bytes([0x8A, 0x80 | len(content)]) + bytes(4) + content)

    def connection_lost(self, error: Exception | None) -> None:
        """Of the transport."""
        if not self._opened.done():
            self._opened.set_exception(error or Refused("the socket was closed"))

    def _frame(self) -> tuple[int, bytes] | None:
        """The next whole frame, as a server sends them: not masked, not in parts."""
        data = self._data
        if len(data) < 2:
            return None
        size, begin = data[1], 2
        if size > 125:
            begin = 4 if size == 126 else 10
            size = int.from_bytes(data[2:begin])
        if len(data) < begin + size:
            return None
        self._data = data[begin + size :]
        return data[0] & 15, data[begin : begin + size]


class Reader:
    """What the page's script does with a socket: it asks for the rows that changed.

    One question at a time, for all that it was told of meanwhile. `got` takes the rows as HTML,
    None where the socket gives none; `told` every message, before that.
    """

    def __init__(
        self,
        socket: Socket,
        got: Callable[[str | None], None],
        told: Callable[[Any], None] = lambda _message: None,
    ) -> None:
        self._socket, self._got, self._told = socket, got, told
        self._waiting, self._asks = set[str](), False
        socket.heard = self._heard

    def _heard(self, message: Any) -> None:
        self._told(message)
        if message["type"] == "rows":
            self._asks = False
            self._got(message["html"])
        self._waiting.update(message.get("keys", ()))
        if self._waiting and not self._asks:
            keys = sorted(self._waiting)[:100]
            self._waiting.difference_update(keys)
            question = {"url": "/pods/rows/", "language": "en", "keys": keys}
            self._socket.say({"rows": {"number": 1, **question}})
            self._asks = True


@lru_cache(maxsize=512)
def parsed(content: bytes) -> Any:
    """JSON; a thousand sockets are told the same, so never change it."""
    return json.loads(content)


def ignore(_message: object) -> None:
    """What a page does that nobody looks at."""


async def open_all(sockets: Iterable[Socket], at_once: int = 25) -> None:
    """Opens them as people would come, not all in one moment."""
    waiting = list(sockets)
    for first in range(0, len(waiting), at_once):
        await asyncio.gather(*(socket.open() for socket in waiting[first : first + at_once]))
