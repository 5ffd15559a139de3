"""The transcript of one shell in a pod: written down as it streams, stored every few seconds."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from clusters.kube.recording import Recording
from teams.audit.transcripts import Piece, Whole
from teams.models import AuditEvent

# What a process that dies has not stored yet.
STORE_SECONDS = 3.0

log = logging.getLogger(__name__)


class Transcript:
    """What a shell shows, and which of its pieces are not stored yet.

    `keep` stores pieces of the shell that `begun` tells of; what it raises means later.
    """

    def __init__(
        self,
        begun: AuditEvent,
        protocol: str,
        keep: Callable[[AuditEvent, Sequence[Piece]], Awaitable[None]],
        *,
        has_terminal: bool,
    ) -> None:
        self.recording = Recording(protocol, has_terminal=has_terminal, at=time.time())
        self._begun = begun
        self._keep = keep
        self._taken = 0
        # Kept as they are until the database has them: one that was lost on the way and one that
        # was stored without our hearing of it are both sent again.
        self._waiting: list[Piece] = []

    @asynccontextmanager
    async def stored(self) -> AsyncIterator[None]:
        """While this stands, its pieces are stored now and then; the streams do not wait for it."""
        over = asyncio.Event()
        storing = asyncio.create_task(self._store_until(over))
        try:
            yield
        finally:
            over.set()
            await storing

    def rest(self) -> list[Piece]:
        """What is not stored yet."""
        for plain in self.recording.take():
            self._waiting.append(Piece(self._taken, plain))
            self._taken += 1
        return list(self._waiting)

    def whole(self) -> Whole:
        """What the trail tells of it; nothing is shown afterwards."""
        made = self.recording
        made.end()
        return Whole(self._begun.pk, made.sha256, made.size, made.cut, made.typed)

    async def _store_until(self, over: asyncio.Event) -> None:
        while not over.is_set():
            try:
                await asyncio.wait_for(over.wait(), STORE_SECONDS)
            except TimeoutError:
                await self._store()

    async def _store(self) -> None:
        pieces = self.rest()
        if not pieces:
            return
        try:
            await self._keep(self._begun, pieces)
        except Exception as error:
            # The shell goes on; the end is told with all that is missing, or not at all.
            log.warning("a part of a transcript is stored later: %s", error, exc_info=True)
        else:
            del self._waiting[: len(pieces)]
