"""A cluster whose containers a test plays, and a page with a terminal in one of them."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

from asgiref.testing import ApplicationCommunicator
from websockets.asyncio import server
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from clusters.models import Cluster
from explorer.consumers import screen
from mcm.asgi import application
from teams.models import AuditEvent
from teams.trail import Result
from tests.clusters import sockets
from tests.clusters.sockets import in_database
from tests.kube import fake
from tests.kube.certificates import Authority

V5 = "v5.channel.k8s.io"


def status(code: int | None = None, message: str = "") -> bytes:
    """The last message of an exec."""
    found: dict[str, Any] = {"status": "Success" if code == 0 else "Failure", "message": message}
    if code:
        cause = {"reason": "ExitCode", "message": str(code)}
        found |= {"reason": "NonZeroExitCode", "details": {"causes": [cause]}}
    return b"\x03" + json.dumps(found).encode()


def missing(program: str) -> bytes:
    words = f'exec: "{program}": executable file not found in $PATH: unknown'
    return status(message=f"OCI runtime exec failed: {words}")


class Containers:
    """Each runs what `programs` knows of the command; the usual one shows what is typed."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.sizes: list[Any] = []
        self.typed = b""
        self.sent = 0
        self.endings: dict[str, bytes] = {}
        self.floods: dict[str, bytes] = defaultdict(bytes)
        self.gone = asyncio.Event()
        self.cut = asyncio.Event()

    def commands(self) -> list[str]:
        return [parse_qs(urlsplit(each.path).query)["command"][0] for each in self.requests]

    async def handle(self, socket: server.ServerConnection) -> None:
        self.requests.append(socket.request)
        command = self.commands()[-1]
        try:
            if command in self.endings:
                await socket.send(self.endings[command])
                return
            await socket.send(b"\x01$ ")
            if flood := self.floods[command]:
                for _ in range(256):
                    await socket.send(b"\x01" + flood)
                    self.sent += len(flood)
            cutting = asyncio.create_task(self._cut(socket))
            try:
                async for message in socket:
                    await self._hear(socket, message)
            finally:
                cutting.cancel()
        except ConnectionClosed:
            pass
        finally:
            self.gone.set()

    async def _cut(self, socket: server.ServerConnection) -> None:
        await self.cut.wait()
        socket.transport.abort()

    async def _hear(self, socket: server.ServerConnection, message: Any) -> None:
        channel, body = message[0], message[1:]
        if channel == 4:
            self.sizes.append(json.loads(body))
        elif channel == 0:
            self.typed += body
            await socket.send(b"\x01" + body)
            if body == b"exit\r":
                await socket.send(status(0))
                await socket.close(1000)


@asynccontextmanager
async def running(cluster: Cluster) -> AsyncIterator[Containers]:
    """The containers of the cluster."""
    made, authority = Containers(), Authority()
    context = fake.server_context(authority.sign("127.0.0.1"))
    protocols = [Subprotocol(V5)]
    async with server.serve(
        made.handle, "127.0.0.1", 0, ssl=context, subprotocols=protocols
    ) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        cluster.connection = fake.Fake(port, authority.pem).connection
        await in_database(cluster.save)()
        yield made


class Page(sockets.Page):
    """A page with a terminal in the pod. It takes in what is shown, unless `takes` is False."""

    def __init__(self, pod: int, cookie: str = "", **more: Any) -> None:
        super().__init__(cookie, **more)
        untyped: Any = ApplicationCommunicator
        scope = {**self.socket.scope, "path": f"/ws/terminal/{pod}/"}
        self.socket = untyped(application, scope)
        self.takes = True
        self.shown = b""
        self.told: list[dict[str, Any]] = []

    async def any(self) -> dict[str, Any]:
        output = await self.socket.receive_output(timeout=30)
        if output["type"] == "websocket.close":
            return {"type": "close", "code": output["code"]}
        if output.get("bytes") is not None:
            self.shown += output["bytes"]
            if self.takes:
                await self.say(json.dumps({"taken": len(self.shown)}))
            return {"type": "shown"}
        message: dict[str, Any] = json.loads(output["text"])
        self.told.append(message)
        return message

    async def ask(self, **asked: Any) -> None:
        await self.say(json.dumps({"open": {"container": "app", **asked}}))

    async def type(self, data: bytes) -> None:
        await self.say(data=data)

    async def until(self, kind: str) -> dict[str, Any]:
        while (message := await self.any())["type"] != kind:
            assert message["type"] != "close", self.told
        return message

    async def until_shown(self, text: bytes) -> None:
        while text not in self.shown:
            message = await self.any()
            assert message["type"] not in {"ended", "close"}, (message, self.shown)

    async def ended(self) -> tuple[str, int]:
        """Why, and the code of the close."""
        while (message := await self.any())["type"] != "close":
            continue
        ends = [each for each in self.told if each["type"] == "ended"]
        return (ends[-1]["why"] if ends else ""), message["code"]


@asynccontextmanager
async def at(pod: int, cookie: str = "", *, asks: Any = None, **more: Any) -> AsyncIterator[Page]:
    """A page that asks for a shell with `asks`."""
    page = Page(pod, cookie, **more)
    assert await page.connect()
    await page.ask(**(asks or {}))
    try:
        yield page
    finally:
        with suppress(Exception):
            await page.leave()


@in_database
def lines() -> list[AuditEvent]:
    """What the trail tells of terminals."""
    return list(AuditEvent.objects.filter(action="terminal.exec").order_by("pk"))


@in_database
def denied() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(result=Result.DENIED))


WINDOW = screen.WINDOW
