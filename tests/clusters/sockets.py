"""Opens live sockets in tests, through the whole ASGI application."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from django.test import Client

from clusters import live
from mcm.asgi import application
from teams.models import User

ORIGIN = b"http://127.0.0.1:8000"


def cookie_of(user: User) -> str:
    """The session of somebody who has just signed in."""
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


class Page:
    """A browser's end of the socket, or with `bearer` that of a program."""

    def __init__(
        self, cookie: str = "", origin: bytes | None = ORIGIN, *, bearer: str = ""
    ) -> None:
        headers = [(b"host", b"127.0.0.1:8000"), (b"cookie", f"sessionid={cookie}".encode())]
        if origin is not None:
            headers.append((b"origin", origin))
        if bearer:
            headers.append((b"authorization", f"Bearer {bearer}".encode()))
        scope = {
            "type": "websocket", "path": "/ws/live/", "query_string": b"", "headers": headers,
            "subprotocols": [],
        }  # fmt: skip
        untyped: Any = ApplicationCommunicator
        self.socket: Any = untyped(application, scope)

    async def connect(self) -> bool:
        """Whether it was accepted."""
        await self.socket.send_input({"type": "websocket.connect"})
        return bool((await self._output())["type"] == "websocket.accept")

    async def leave(self) -> None:
        await self.socket.send_input({"type": "websocket.disconnect", "code": 1001})
        await self.socket.wait(10)

    async def say(self, text: str | None = None, data: bytes | None = None) -> None:
        await self.socket.send_input({"type": "websocket.receive", "text": text, "bytes": data})

    async def watch(self, *topics: str) -> None:
        await self.say(json.dumps({"watch": {"topics": topics}}))

    async def next(self) -> dict[str, Any]:
        """The next thing that it is told, pings left out; the end as {"type": "close", …}."""
        while (message := await self.any())["type"] == "ping":
            continue
        return message

    async def any(self) -> dict[str, Any]:
        """The next thing that it is told."""
        output = await self._output()
        if output["type"] == "websocket.close":
            return {"type": "close", "code": output["code"]}
        message: dict[str, Any] = json.loads(output["text"])
        return message

    async def until(self, kind: str) -> dict[str, Any]:
        """The next message of this type."""
        while (message := await self.next())["type"] != kind:
            assert message["type"] != "close"
        return message

    async def _output(self) -> Any:
        return await self.socket.receive_output(timeout=20)


async def published(topic: str, cluster: UUID, keys: list[Any]) -> None:
    """A change, as the watcher tells it."""
    await database_sync_to_async(live.publish)(topic, cluster, keys)


@asynccontextmanager
async def opened(cookie: str, *topics: str) -> AsyncIterator[Page]:
    """A page that hears of these topics; ready when the block begins."""
    async with opened_by(Page(cookie), *topics) as page:
        yield page


@asynccontextmanager
async def opened_by(page: Page, *topics: str) -> AsyncIterator[Page]:
    before = set(live.hub()._subscribers)
    assert await page.connect()
    await page.until("hello")
    await page.watch(*topics)
    async with asyncio.timeout(20):
        while not any(  # noqa: ASYNC110
            one.topics for one in live.hub()._subscribers - before
        ):
            await asyncio.sleep(0.01)  # the consumer tells nobody when it has read the topics
    if not before:
        await page.until("refresh")  # the subscription stands
    try:
        yield page
    finally:
        await page.leave()


in_database = database_sync_to_async
