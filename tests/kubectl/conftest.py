"""MCM by HTTPS, in front of a cluster that a test lets say anything."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from clusters.models import Cluster
from teams import services
from teams.models import User
from tests.clusters.sockets import in_database
from tests.kube import fake
from tests.kubectl.front import Front, serving

OK = b'{"kind": "PodList", "apiVersion": "v1", "items": []}'


def token_of(user: User) -> str:
    return services.create_token(user, timedelta(days=1), by=None)


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[Front]:
    async with serving(tmp_path) as made:
        yield made


class Upstream:
    """What the cluster answers; everything that it was asked is in `requests`."""

    def __init__(self) -> None:
        self.answer = fake.whole("200 OK", OK, "Content-Type: application/json")
        self.more: asyncio.Queue[bytes] = asyncio.Queue()
        # What the cluster waits for before it answers.
        self.before_answering: Callable[[], Awaitable[None]] | None = None
        self.gone = asyncio.Event()
        self.made: fake.Fake | None = None

    @property
    def port(self) -> int:
        assert self.made is not None
        return int(self.made.connection.server.rpartition(":")[2])

    @property
    def requests(self) -> list[fake.Request]:
        assert self.made is not None
        return self.made.requests

    async def handle(self, request: fake.Request, writer: asyncio.StreamWriter) -> None:
        if self.before_answering:
            await self.before_answering()
        writer.write(self.answer)
        await writer.drain()
        if request.target.endswith("watch=true"):
            sending = asyncio.create_task(self._stream(writer))
            await self._until_gone(writer)
            sending.cancel()

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(fake.chunk(await self.more.get()))
            await writer.drain()

    async def _until_gone(self, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():  # noqa: ASYNC110 - a transport tells only its protocol
            await asyncio.sleep(0.02)
        self.gone.set()


@pytest.fixture
async def upstream(prod: Cluster) -> AsyncIterator[Upstream]:
    """The cluster `prod`."""
    made = Upstream()
    async with fake.serve(made.handle) as server:
        made.made = server
        prod.connection = server.connection
        await in_database(prod.save)()
        yield made
