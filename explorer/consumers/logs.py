"""`/ws/logs/?…`: the logs that a page shows, of as many pods and clusters as it asks for.

The page says which lines it has taken in; before that no more than WINDOW messages are on their
way, so whoever reads slowly, or has paused, slows down the reading and holds no memory.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.http import QueryDict
from django.utils import translation

from clusters.live.sockets import Flood, Open
from explorer.access import Caller, Ended
from explorer.collector import Batch, Gathering, Source
from explorer.collector.gathering import LINES_A_BATCH
from explorer.collector.sight import ask
from explorer.consumers.languages import language
from explorer.filters.logs import LogQuery, eyes, select
from explorer.filters.logs.text import said
from teams.audit import context, denials
from teams.models import User

# Messages with lines that the page has not taken in yet.
WINDOW = 6
# A little later more lines go in one message.
PAUSE = 0.05
PING_SECONDS = 2
MOST_SOCKETS = 20
# A page says that it took something in, and no more.
LARGEST_MESSAGE = 200
MOST_MESSAGES = 1000
CODES = {"signed_out": 4401, "forbidden": 4403, "revoked": 4403, "gone": 4404, "away": 1013}
BAD, TOO_MANY, FAILED = 4400, 4429, 1011

log = logging.getLogger(__name__)
_open = Open()


class LogsConsumer(AsyncJsonWebsocketConsumer):
    # Nothing is told to it by others: what it may read it asks, and needs no Redis.
    channel_layer_alias = "none"
    closing = False

    async def connect(self) -> None:
        await self.accept()
        self.tasks: set[asyncio.Task[None]] = {asyncio.create_task(self._serve())}
        self.sent = self.taken = 0
        self.moved = asyncio.Event()
        self.flood = Flood(MOST_MESSAGES)

    async def disconnect(self, code: int) -> None:
        self.closing = True
        ending = list(getattr(self, "tasks", ()))
        for task in ending:
            task.cancel()
        # Who leaves and comes again at once must not meet himself.
        await asyncio.gather(*ending, return_exceptions=True)

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        """`{"taken": 7}`: all messages with lines up to the seventh are taken in."""
        content, floods = None, self.flood.rises()
        if text_data and len(text_data) <= LARGEST_MESSAGE and not floods:
            with suppress(ValueError, RecursionError):
                content = await self.decode_json(text_data)
        match content:
            case {"taken": int(number)} if self.taken <= number <= self.sent:
                self.taken = number
                self.moved.set()
            case _ if not self.closing:
                await self._end(1008)

    async def _end(self, code: int) -> None:
        if not self.closing:
            self.closing = True
            await self.close(code)

    async def _serve(self) -> None:
        """From the question to the end of the socket."""
        query = QueryDict(self.scope["query_string"])
        self.language = language(query.get("language", ""))
        with context.acting(context.Origin.of_scope(self.scope)):
            try:
                await self._answer(LogQuery.of(query))
            except Ended as ended:
                await self._refuse(ended.code, str(ended), CODES.get(ended.code, FAILED))
            except Exception:
                log.exception("the socket of a page of logs failed")
                await self._end(FAILED)
            finally:
                for task in self.tasks - {asyncio.current_task()}:
                    task.cancel()

    async def _answer(self, wanted: LogQuery) -> None:
        caller = Caller.of_scope(self.scope)
        person = await ask(caller.person)
        if person is None:
            await self._end(CODES["signed_out"])
            return
        if wanted.problems or not wanted.asks:
            texts = [text for some in wanted.problems.values() for text in some]
            await self._refuse("bad", " ".join(texts), BAD)
            return
        if _open[person.pk] >= MOST_SOCKETS:
            await self._refuse("many", "", TOO_MANY)
            return
        with _open.one_more(person.pk):
            await self._first_look(person, wanted)
            self._spawn(self._ping())
            async with Gathering(wanted.options, eyes(caller, person, wanted)) as gathering:
                while (batch := await gathering.next()) is not None:
                    await self._give(batch, gathering)
        await self.send_json({"type": "end"})
        await self._end(1000)

    async def _first_look(self, person: User, wanted: LogQuery) -> None:
        """What is refused from the begin is told to the trail, as every 403."""
        try:
            await ask(select, person, wanted)
        except Ended as ended:
            if ended.code == "forbidden":
                tell = database_sync_to_async(denials.denied)
                await tell(person, "socket logs", self.scope["path"], ended.said)
            raise

    async def _give(self, batch: Batch, gathering: Gathering) -> None:
        with translation.override(self.language):
            if batch.sources or not self.sent:
                await self.send_json(
                    {
                        "type": "sources",
                        "sources": [_source(source) for source in batch.sources],
                        "containers": sorted(gathering.containers.items()),
                        "leftOut": batch.left_out,
                        "withheld": batch.withheld,
                    }
                )
            lines = [[source.number, *_line(line)] for source, line in batch.lines]
        if not lines:
            return
        self.sent += 1
        await self.send_json({"type": "lines", "number": self.sent, "lines": lines})
        while self.sent - self.taken >= WINDOW:
            self.moved.clear()
            await self.moved.wait()
        if len(lines) < LINES_A_BATCH:
            await asyncio.sleep(PAUSE)

    async def _refuse(self, code: str, text: str, number: int) -> None:
        if self.closing:
            return
        with translation.override(self.language):
            text = translation.gettext(text) if text else ""
        await self.send_json({"type": "refused", "code": code, "text": text})
        await self._end(number)

    async def _ping(self) -> None:
        """The page hears that it is still heard of, also while nothing is logged."""
        while not self.closing:
            await asyncio.sleep(PING_SECONDS)
            await self.send_json({"type": "ping"})

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def _source(source: Source) -> dict[str, Any]:
    pod = source.pod
    return {
        "number": source.number,
        "object": pod.key,
        "cluster": pod.cluster_name,
        "environment": pod.environment,
        "namespace": pod.namespace,
        "pod": pod.name,
        "container": source.container,
        "state": source.state,
        "why": translation.gettext(source.why) if source.why else "",
    }


def _line(line: Any) -> list[str]:
    return [line.at, said(line), line.note] if line.note else [line.at, line.text]
