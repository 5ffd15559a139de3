"""The person's end of a terminal: what was typed and not passed on, what was shown and not taken
in. Both are bounded, and whoever sends more than that is cut off.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from clusters.kube.shell import Size
from clusters.live.sockets import Flood

# Bytes that are shown and not taken in yet: more is not read from the cluster.
WINDOW = 512 * 1024
# Of what is shown, in one message.
PART = 64 * 1024
# Bytes that are typed or pasted and not passed on yet; the page keeps the rest.
TYPED_WINDOW = 64 * 1024
LARGEST_TEXT = 2000
MOST_MESSAGES = 5000
USUAL = Size(80, 24)


class Nonsense(Exception):
    """What no page of MCM sends."""


class Asked(msgspec.Struct):
    """The first message; `confirmed` names what was asked about in production."""

    container: str = ""
    shell: str = ""
    columns: int = USUAL.columns
    rows: int = USUAL.rows
    language: str = ""
    confirmed: str = ""


class Message(msgspec.Struct, forbid_unknown_fields=True):
    """What the page says beside what is typed: one of these."""

    open: Asked | None = None
    size: tuple[int, int] | None = None
    taken: int | None = None
    stay: bool = False


class News(NamedTuple):
    size: Size | None
    typed: bytes


class Screen:
    """`send` gives the page bytes, or the text of a message."""

    def __init__(self, send: Callable[[str | bytes], Awaitable[None]]) -> None:
        self._send = send
        self.asked: asyncio.Future[Asked] = asyncio.get_running_loop().create_future()
        self.left = asyncio.Event()
        # When the person did something last.
        self.touched = time.monotonic()
        self.has_typed = False
        self.size = USUAL
        self._is_new_size = False
        self._typed: deque[bytes] = deque()
        self._waiting = self._passed = self._told = 0
        self._news = asyncio.Event()
        self._shown = self._taken = 0
        self._took = asyncio.Event()
        self._flood = Flood(MOST_MESSAGES)

    def hear(self, text: str | None, data: bytes | None) -> None:
        """A message of the page. Raises Nonsense."""
        if self._flood.rises():
            raise Nonsense("too many messages")
        if data:
            self._type(data)
            return
        if not text or len(text) > LARGEST_TEXT:
            raise Nonsense("no message of this length")
        try:
            self._take(msgspec.json.decode(text, type=Message))
        except (msgspec.MsgspecError, RecursionError) as error:
            raise Nonsense("no message") from error

    def _type(self, data: bytes) -> None:
        self._waiting += len(data)
        if self._waiting > TYPED_WINDOW:
            raise Nonsense("typed more than is taken")
        self._typed.append(data)
        self.has_typed = True
        self.touched = time.monotonic()
        self._news.set()

    def _take(self, message: Message) -> None:
        if message.open is not None and not self.asked.done():
            self._resize(Size(message.open.columns, message.open.rows))
            self.asked.set_result(message.open)
        elif message.size is not None:
            self._resize(Size(*message.size))
        elif message.taken is not None and self._taken <= message.taken <= self._shown:
            self._taken = message.taken
            self._took.set()
        elif message.stay:
            self.touched = time.monotonic()
        else:
            raise Nonsense("no message of now")

    def _resize(self, size: Size) -> None:
        if not size.is_possible:
            raise Nonsense("no size")
        self.size, self._is_new_size = size, True
        self._news.set()

    def now(self) -> Size:
        """The size for a shell that begins."""
        self._is_new_size = False
        return self.size

    async def next(self) -> News:
        """What is typed and the new size, as soon as there is any; who writes it says `passed`."""
        await self._news.wait()
        self._news.clear()
        typed = b"".join(self._typed)
        self._typed.clear()
        size, self._is_new_size = (self.size if self._is_new_size else None), False
        return News(size, typed)

    async def passed(self, count: int) -> None:
        """So many bytes more were passed on; the page hears of it now and then."""
        self._waiting -= count
        self._passed += count
        if self._passed - self._told >= TYPED_WINDOW // 4:
            self._told = self._passed
            await self.tell("passed", bytes=self._passed)

    async def show(self, data: bytes) -> None:
        """Gives it to the page, and waits while that has not taken in what came before."""
        for begin in range(0, len(data), PART):
            while self._shown - self._taken >= WINDOW:
                self._took.clear()
                await self._took.wait()
            part = data[begin : begin + PART]
            self._shown += len(part)
            await self._give(part)

    async def tell(self, kind: str, **facts: Any) -> None:
        await self._give(msgspec.json.encode({"type": kind, **facts}).decode())

    async def _give(self, message: str | bytes) -> None:
        if not self.left.is_set():
            # Who is gone is told by the server.
            with suppress(OSError):
                await self._send(message)
