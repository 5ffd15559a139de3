"""One proxied connection, under whatever the network does at the moment."""

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

Mode = Literal["pass", "delay", "drip", "truncate", "cut", "black-hole", "half-open"]
MODES: tuple[Mode, ...] = ("pass", "delay", "drip", "truncate", "cut", "black-hole", "half-open")
PIECE = 64 * 1024
PIECES = 64
DRIPS_A_SECOND = 10

Pieces = asyncio.Queue[tuple[float, bytes]]


@dataclass(frozen=True)
class State:
    """What the network does now; `amount` is in the unit of the mode."""

    mode: Mode = "pass"
    amount: float = 0.0


class Link:
    """A client's connection and its counterpart at the server."""

    def __init__(
        self, state: Callable[[], State], client: socket.socket, server: socket.socket
    ) -> None:
        self._state = state
        self._client = client
        self._server = server
        self._switched = asyncio.Event()
        self._answered = 0

    async def run(self, port: int) -> None:
        """Connect to the server and pass everything on until one side ends; then `close`."""
        try:
            await asyncio.get_running_loop().sock_connect(self._server, ("127.0.0.1", port))
            await self._pass_on()
        except OSError:
            self.reset()

    def switched(self) -> None:
        """The network does something else now."""
        self._answered = 0
        self._switched.set()

    def reset(self) -> None:
        """Let `close` end with RST on both sides."""
        for each in (self._client, self._server):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def close(self) -> None:
        """Give both sockets back."""
        self._client.close()
        self._server.close()

    async def _pass_on(self) -> None:
        asked, answered = Pieces(PIECES), Pieces(PIECES)
        writers = [
            asyncio.create_task(self._write(asked, self._server, self._send)),
            asyncio.create_task(self._write(answered, self._client, self._answer)),
        ]
        readers = [
            asyncio.create_task(self._read(self._client, asked)),
            asyncio.create_task(self._read(self._server, answered)),
        ]
        try:
            await asyncio.wait(writers, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*writers, *readers):
                task.cancel()
            await asyncio.gather(*writers, *readers, return_exceptions=True)

    async def _read(self, source: socket.socket, pieces: Pieces) -> None:
        loop = asyncio.get_running_loop()
        data = b"more"
        while data:
            await self._thawed()
            data = b""
            with suppress(OSError):
                data = await loop.sock_recv(source, PIECE)
            state = self._state()
            delay = state.amount / 1000 if state.mode == "delay" else 0.0
            await pieces.put((loop.time() + delay, data))

    async def _write(
        self,
        pieces: Pieces,
        sink: socket.socket,
        send: Callable[[socket.socket, bytes], Coroutine[None, None, None]],
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, data = await pieces.get()
            await asyncio.sleep(due - loop.time())
            await self._thawed()
            if self._state().mode == "black-hole":
                continue
            if not data:
                return
            await send(sink, data)

    async def _send(self, sink: socket.socket, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(sink, data)

    async def _answer(self, sink: socket.socket, data: bytes) -> None:
        while data:
            state = self._state()
            size = len(data)
            if state.mode == "drip":
                size = max(1, int(state.amount / DRIPS_A_SECOND))
                await asyncio.sleep(size / state.amount)
            elif state.mode == "truncate":
                size = max(0, int(state.amount) - self._answered)
            await self._send(sink, data[:size])
            self._answered += len(data[:size])
            if state.mode == "truncate" and self._answered >= state.amount:
                raise ConnectionAbortedError("truncated")
            data = data[size:]

    async def _thawed(self) -> None:
        while self._state().mode == "half-open":
            self._switched.clear()
            await self._switched.wait()
