"""Calls and watches: one request passed on to the cluster, its answer passed back as it comes."""

import asyncio
import logging
from contextlib import suppress
from typing import Any

from django.conf import settings

from clusters.kube import errors
from clusters.kube.relay import Answer, Sent, passed_on, relay
from clusters.kube.stream import Link
from kubectl import services
from kubectl.access import Pass, Refused, admit_new, changes
from kubectl.consumers.asked import (
    INERT,
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

# What API servers take at most.
LARGEST_BODY = 3 * 1024 * 1024
BODY_SECONDS = 30.0
# Of everything but watches and logs that are followed, to its last byte.
CALL_SECONDS = 300.0
SILENCE_SECONDS = 60.0
BY_SOCKET = (
    "MCM passes this on by websockets only, as kubectl 1.31 and newer use them"
    " (unless KUBECTL_REMOTE_COMMAND_WEBSOCKETS is false)."
)
NO_FORWARDING = "MCM does not forward ports."

log = logging.getLogger(__name__)


class Gone(Exception):
    """The person is not there any more."""


async def serve(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI application of requests by HTTP."""
    asked = None
    try:
        asked = read(scope)
        passed, link = await ask(admit_new, asked.authorization, asked.cluster, asked.info)
        if asked.info.connects:
            forwards = asked.info.subresource == "portforward"
            why = NO_FORWARDING if forwards else BY_SOCKET
            raise Refused(400, why, passed.user, passed.cluster)
        await _Call(asked, passed, link, receive, send).run()
    except Refused as refused:
        if asked is not None:
            await note_refusal(refused, asked.info)
        await _refuse(send, refused)
    except Gone:
        return


class _Call:
    """One request of a person who was let through."""

    def __init__(self, asked: Asked, passed: Pass, link: Link, receive: Any, send: Any) -> None:
        self.asked = asked
        self.passed = passed
        self.link = link
        self.receive = receive
        self.send = send
        self.status = 0
        self.body = b""
        self.let_in = False
        # Why MCM itself answered, where it did.
        self.why = ""
        self.unseen = False
        # Of a change, once its begin is told.
        self.told: services.Told | None = None

    async def run(self) -> None:
        seconds = None if self.asked.info.follows else CALL_SECONDS
        try:
            async with under_way(self.asked, self.passed, seconds) as mine:
                self.body = await self._read_body()
                await self._begin()
                await self._pass_on(mine)
        except TimeoutError:
            # Sent, perhaps, and without an answer: whatever the person is told, it may be done.
            self.unseen = not self.status
            if mine.revoked:
                await self._fail(Refused(403, "MCM: your right to this has ended."))
            elif not mine.left:
                await self._fail(Refused(504, "MCM: it took too long."))
        except errors.KubeError as error:
            await self._fail(of_cluster(error))
        finally:
            await self._note()

    async def _fail(self, refused: Refused) -> None:
        """Within an answer nothing more is said, so that nobody takes it for whole."""
        if self.status:
            what = (self.asked.info.verb, self.asked.info.kind, self.asked.cluster, refused)
            log.info("kubectl: %s %s of %s broke off: %s", *what)
            return
        self.status, self.why = refused.status, str(refused)
        await self._note()
        await _refuse(self.send, refused)

    async def _begin(self) -> None:
        """Nothing is sent of which the trail does not know. Raises Refused where it cannot."""
        self.let_in = True
        if not changes(self.asked.info):
            return
        # Known before it is written: who is cut off meanwhile is told to have ended.
        self.told = services.Told(self.passed.user, self.passed.cluster, self.asked.info, self.body)
        try:
            await ask(services.begin, self.told)
        except Refused:
            self.let_in = False
            raise

    async def _pass_on(self, mine: UnderWay) -> None:
        leaving = asyncio.create_task(self._wait_for_leaving(mine))
        try:
            headers = passed_on(self.asked.headers)
            sent = Sent(self.asked.method, self.asked.target, headers, self.body)
            info = self.asked.info
            silent = info.follows and info.subresource == "log"
            async with relay(self.link, sent, may_be_silent=silent) as answer:
                await self._give_back(answer)
        finally:
            leaving.cancel()

    async def _give_back(self, answer: Answer) -> None:
        headers = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers]
        self.status = answer.status
        # Who has the answer to a change can read in the trail how it ended.
        if self.told is not None:
            await self._note()
        start = {"type": "http.response.start", "status": answer.status}
        await self.send({**start, "headers": [*headers, *INERT]})
        wait = None if self.asked.info.follows else SILENCE_SECONDS
        while piece := await answer.read(wait):
            await self.send({"type": "http.response.body", "body": piece, "more_body": True})
        await self.send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _read_body(self) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while True:
                    message = await self.receive()
                    if message["type"] == "http.disconnect":
                        raise Gone
                    body += message.get("body", b"")
                    if len(body) > LARGEST_BODY:
                        words = f"MCM: the body is larger than {LARGEST_BODY // 2**20} MiB."
                        raise Refused(413, words, self.passed.user, self.passed.cluster)
                    if not message.get("more_body"):
                        return bytes(body)
        except TimeoutError as error:
            words = "MCM: the body did not come in time."
            raise Refused(400, words, self.passed.user, self.passed.cluster) from error

    async def _wait_for_leaving(self, mine: UnderWay) -> None:
        """A watch in which nothing happens would never notice."""
        while (await self.receive())["type"] != "http.disconnect":
            continue
        mine.left = True
        mine.cut()

    async def _note(self) -> None:
        """Counts what was let in and tells the outcome of a change, once."""
        if not self.let_in:
            return
        self.let_in = False
        info = self.asked.info
        services.count(info, self.status)
        if self.told is not None:
            status = 0 if self.unseen else self.status
            await note_end(self.told, status, reason=self.why)
        elif settings.KUBECTL_LOG_READS:
            what = (self.passed.user, info.verb, info.path, self.passed.cluster, self.status)
            log.info("kubectl: %s %s %s of %s: %s", *what)


async def _refuse(send: Any, refused: Refused) -> None:
    body = status_body(refused)
    headers = status_headers(refused, body)
    with suppress(OSError):
        await send({"type": "http.response.start", "status": refused.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
