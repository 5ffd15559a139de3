"""exec and attach: a websocket of kubectl joined to one of the API server, message by message."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from clusters.audit import Transcript
from clusters.kube import errors
from clusters.kube.recording import Recording
from clusters.kube.stream import Link
from clusters.kube.tunnel import PROTOCOLS, tunnel
from kubectl import services
from kubectl.access import Pass, Refused, admit_new
from kubectl.consumers.asked import (
    Asked,
    ask,
    note_end,
    note_refusal,
    of_cluster,
    read,
    status_body,
    status_headers,
)
from kubectl.consumers.under_way import UnderWay, under_way
from teams.audit.transcripts import Piece
from teams.models import AuditEvent

NO_PROTOCOL = f"MCM: offer one of these protocols: {', '.join(sorted(PROTOCOLS))}."
NOTHING_TO_JOIN = "MCM: only exec and attach are reached by websockets."
REVOKED, BROKEN = 1008, 1011

log = logging.getLogger(__name__)


async def serve(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI application of websockets."""
    asked = None
    try:
        given = dict(scope)
        # The server logs the query of a socket, which holds what is executed.
        scope["query_string"] = b""
        asked = read(given)
        passed, link = await ask(admit_new, asked.authorization, asked.cluster, asked.info)
        offered = [name for name in scope["subprotocols"] if name in PROTOCOLS]
        if not asked.info.connects or asked.info.subresource == "portforward":
            raise Refused(400, NOTHING_TO_JOIN, passed.user, passed.cluster)
        if not offered:
            raise Refused(400, NO_PROTOCOL, passed.user, passed.cluster)
        await _Joined(asked, passed, receive, send).run(link, offered)
    except Refused as refused:
        if asked is not None:
            await note_refusal(refused, asked.info)
        await _refuse(send, refused)


class _Joined:
    """A socket of a person who was let through."""

    def __init__(self, asked: Asked, passed: Pass, receive: Any, send: Any) -> None:
        self.asked = asked
        self.passed = passed
        self.receive = receive
        self.send = send
        self.began = time.monotonic()
        # Once it is joined.
        self.transcript: Transcript | None = None

    async def run(self, link: Link, offered: list[str]) -> None:
        try:
            async with under_way(self.asked, self.passed, None) as mine, self._told() as begun:
                await self._join(link, offered, mine, begun)
        except TimeoutError:
            if mine.revoked:
                log.info("kubectl: a shell of %s was closed: rights ended", self.passed.user)
                with suppress(OSError):
                    await self.send({"type": "websocket.close", "code": REVOKED})

    @asynccontextmanager
    async def _told(self) -> AsyncIterator[AuditEvent]:
        """Nobody is joined of whom the trail does not know; whatever comes then has an end there.

        Raises Refused where it cannot be written.
        """
        told = services.Told(self.passed.user, self.passed.cluster, self.asked.info)
        begun = await ask(services.begin, told)
        status: int | str = "ended"
        reason = ""
        try:
            yield begun
        except Refused as refused:
            status, reason = refused.status, str(refused)
            raise
        finally:
            await self._tell_end(told, status, reason)

    async def _tell_end(self, told: services.Told, status: int | str, reason: str) -> None:
        seconds = round(time.monotonic() - self.began)
        if self.transcript is None:
            await note_end(told, status, reason=reason, seconds=seconds)
            return
        whole, rest = self.transcript.whole(), self.transcript.rest()
        shell = partial(services.end_shell, whole=whole, rest=rest)
        await note_end(told, status, shell, seconds=seconds)

    async def _join(
        self, link: Link, offered: list[str], mine: UnderWay, begun: AuditEvent
    ) -> None:
        try:
            there = await tunnel(link, self.asked.target, offered)
        except errors.KubeError as error:
            # Its outcome is told, and so it is no denied try beside that.
            raise of_cluster(error) from error
        services.count(self.asked.info, 101)
        try:
            await self.receive()  # websocket.connect
            await self.send({"type": "websocket.accept", "subprotocol": there.subprotocol})
            agreed, has_terminal = there.subprotocol or "", self.asked.info.has_terminal
            self.transcript = Transcript(begun, agreed, _keep, has_terminal=has_terminal)
            async with self.transcript.stored():
                await self._both_ways(there, mine, self.transcript.recording)
        finally:
            there.transport.abort()

    async def _both_ways(
        self, there: ClientConnection, mine: UnderWay, recording: Recording
    ) -> None:
        up = asyncio.create_task(self._up(there, mine, recording))
        try:
            await self._down(there, recording)
        finally:
            up.cancel()
            # At once, and not when the transcript is stored.
            there.transport.abort()

    async def _up(self, there: ClientConnection, mine: UnderWay, recording: Recording) -> None:
        """From the person to the cluster, as fast as the cluster takes it."""
        with suppress(ConnectionClosed):
            while (message := await self.receive())["type"] == "websocket.receive":
                text, data = message.get("text"), message.get("bytes")
                given = data if text is None else text
                recording.from_person(given)
                await there.send(given)
        mine.left = True
        mine.cut()

    async def _down(self, there: ClientConnection, recording: Recording) -> None:
        """From the cluster to the person, as fast as the person takes it."""
        with suppress(ConnectionClosed):
            while True:
                message = await there.recv()
                # Written down before it is seen: what the person leaves on was shown.
                recording.from_pod(message)
                key = "text" if isinstance(message, str) else "bytes"
                await self.send({"type": "websocket.send", key: message})
        # These codes are told, and never sent.
        told = {None: BROKEN, 1005: 1000, 1006: BROKEN}
        code = told.get(there.close_code, there.close_code)
        await self.send({"type": "websocket.close", "code": code})


async def _keep(begun: AuditEvent, pieces: Sequence[Piece]) -> None:
    await ask(services.keep, begun, pieces)


async def _refuse(send: Any, refused: Refused) -> None:
    """An answer by HTTP in the place of the socket."""
    body = status_body(refused)
    headers = status_headers(refused, body)
    start = {"type": "websocket.http.response.start", "status": refused.status}
    with suppress(OSError):
        await send({**start, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": body})
