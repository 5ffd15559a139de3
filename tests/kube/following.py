"""Runs a watch in a test and keeps what it tells."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from clusters.kube.kinds import KINDS, Kind
from clusters.kube.types import SERVICE_ACCOUNT, Connection, Row
from clusters.kube.watch import (
    Changed,
    Event,
    Listed,
    Listing,
    Lost,
    Timing,
    Turn,
    at_once,
    follow,
)

QUICK = Timing(first_pause=0.05, longest_pause=0.2, connect=2, silence=5, sync=5)


class Watched:
    """Everything that was told, and the state that follows from it."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.rows: dict[str, Row] = {}
        self._news = asyncio.Event()

    @property
    def names(self) -> set[str]:
        """The names of the objects that are there."""
        return {row.name for row in self.rows.values()}

    @property
    def lost(self) -> list[Lost]:
        """Every failure told."""
        return [event for event in self.events if isinstance(event, Lost)]

    @property
    def listed(self) -> list[Listed]:
        """Every complete state told."""
        return [event for event in self.events if isinstance(event, Listed)]

    @property
    def portions(self) -> list[set[str]]:
        """The names in each part of a state that was told before the whole."""
        return [
            {row.name for row in event.rows} for event in self.events if isinstance(event, Listing)
        ]

    def take(self, event: Event) -> None:
        """One more event."""
        self.events.append(event)
        self._news.set()
        if isinstance(event, Listed):
            self.rows = {row.uid: row for row in event.rows}
        elif isinstance(event, Changed):
            for uid in event.deleted:
                self.rows.pop(uid)
            self.rows.update((row.uid, row) for row in event.rows)

    async def until(self, reached: Callable[[], Any], seconds: float = 30) -> None:
        """Waits until `reached` is true."""
        async with asyncio.timeout(seconds):
            while not reached():
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def following(
    connection: Connection,
    kind: str | Kind = "Pod",
    timing: Timing = QUICK,
    turn: Turn = at_once,
    portion: int | None = None,
) -> AsyncIterator[Watched]:
    """A watch that runs during the block."""
    watched = Watched()
    chosen = KINDS[kind] if isinstance(kind, str) else kind

    async def run() -> None:
        events = follow(
            connection, SERVICE_ACCOUNT, chosen, timing=timing, turn=turn, portion=portion
        )
        async for event in events:
            watched.take(event)

    task = asyncio.create_task(run())
    try:
        yield watched
    finally:
        assert not task.done() or task.exception() is None
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
