"""Opens live sockets in tests, through the whole ASGI application."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client

from clusters import live
from mcm.asgi import application
from teams.models import User

ORIGIN = b"http://127.0.0.1:8000"
SENTINEL = UUID(int=0)


def cookie_of(user: User) -> str:
    """The session of somebody who has just signed in."""
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def communicator(cookie: str = "", origin: bytes | None = ORIGIN) -> WebsocketCommunicator:
    headers = [(b"host", b"127.0.0.1:8000"), (b"cookie", f"sessionid={cookie}".encode())]
    if origin is not None:
        headers.append((b"origin", origin))
    return WebsocketCommunicator(application, "/ws/live/", headers=headers)


class Page:
    """An open socket that watches topics."""

    def __init__(self, socket: WebsocketCommunicator) -> None:
        self.socket = socket

    async def next(self) -> dict[str, Any]:
        """The next thing that it is told, pings left out; the close as {"type": "close", …}."""
        while True:
            output = await self.socket.receive_output(timeout=10)
            if output["type"] == "websocket.close":
                return {"type": "close", "code": output["code"]}
            message: dict[str, Any] = await self.socket.decode_json(output["text"])  # type: ignore[attr-defined]
            if message["type"] != "ping":
                return message

    async def until(self, kind: str) -> dict[str, Any]:
        while (message := await self.next())["type"] != kind:
            assert message["type"] != "close"
        return message

    async def heard(self) -> set[str]:
        """The keys of all that was told until now: until a change that everybody hears."""
        mark = secrets.token_hex(4)
        for subscriber in live.hub()._subscribers:
            subscriber.offer({"topic": "mark", "cluster": str(SENTINEL), "keys": []})
        await published("mark", SENTINEL, [(mark, "")])
        keys: set[str] = set()
        while mark not in keys:
            keys |= set((await self.until("changed"))["keys"])
        return keys - {mark}


async def published(topic: str, cluster: UUID, keys: list[Any]) -> None:
    await asyncio.to_thread(live.publish, topic, cluster, keys)


@asynccontextmanager
async def opened(cookie: str, *topics: str) -> AsyncIterator[Page]:
    """A page that hears of these topics; ready when the block begins."""
    first = not live.hub()._subscribers
    socket = communicator(cookie)
    assert (await socket.connect(timeout=10))[0]
    page = Page(socket)
    await page.until("hello")
    wanted = frozenset(topics)
    await socket.send_json_to({"watch": {"topics": list(topics)}})
    async with asyncio.timeout(10):
        while not any(one.topics == wanted for one in live.hub()._subscribers):
            await asyncio.sleep(0.01)
    if first:
        await page.until("refresh")  # the subscription stands
    try:
        yield page
    finally:
        await socket.disconnect()


in_database = database_sync_to_async
