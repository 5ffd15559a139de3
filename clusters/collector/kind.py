"""Follows one kind of objects of one cluster."""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.utils import timezone

from clusters.collector.running import Turns
from clusters.kube import errors, watch
from clusters.kube.kinds import Kind
from clusters.kube.timing import spread
from clusters.kube.types import SERVICE_ACCOUNT, Connection
from clusters.models import KindState
from clusters.store import rows
from clusters.store.health import Standing

State = KindState.State
# What a cluster does not show is asked for again after this, and each time later.
FIRST_AGAIN = 15.0
LAST_AGAIN = 300.0
# Rows of a list that are stored while the others still come in.
PORTION = 1000
# Changes of one kind that wait to be written; who has more is not read meanwhile.
MOST_WAITING = 200_000

log = logging.getLogger(__name__)


@dataclass
class Batch:
    """What was seen of a cluster and is not written yet, by kind."""

    seen: dict[str, rows.Pending] = field(default_factory=dict)
    entered: dict[str, Standing] = field(default_factory=dict)
    # Kinds that are not followed any more: what is stored of them goes.
    dropped: set[str] = field(default_factory=set)
    # When the oldest of it came in (time.monotonic); never, while it is empty.
    since: float = math.inf

    def lists(self, kind: str) -> bool:
        """Whether a whole list of the kind is in it."""
        return kind in self.seen and self.seen[kind].replaces

    def groups(self) -> list[dict[str, rows.Pending]]:
        """What to write at once: each list for itself, all changes together."""
        lists = [{kind: one} for kind, one in self.seen.items() if one.overrules]
        changes = {kind: one for kind, one in self.seen.items() if not one.overrules}
        return [*lists, changes] if changes else lists


class Outbox:
    """Where the tasks of a cluster put what they saw, until it is written."""

    def __init__(self) -> None:
        self.filled = asyncio.Event()
        self.batch = Batch()
        self._taken = asyncio.Event()
        self._hurries = asyncio.Event()

    def seen(self, kind: str, *, hurries: bool = False) -> rows.Pending:
        """To be filled with what was seen of a kind; what `hurries` is part of a long list."""
        self._fill()
        if hurries:
            self._hurries.set()
        return self.batch.seen.setdefault(kind, rows.Pending())

    async def room(self, kind: str) -> None:
        """Waits while far too much of a kind waits here: the database is away, or too slow."""
        while kind in self.batch.seen and len(self.batch.seen[kind]) > MOST_WAITING:
            await self._taken.wait()

    async def pause(self, seconds: float) -> None:
        """Lets changes gather for so long. What is part of a long list need not wait for more."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurries.wait()

    def _fill(self) -> None:
        if not self.filled.is_set():
            self.batch.since = time.monotonic()
            self.filled.set()

    def enter(self, kind: str, standing: Standing) -> None:
        """How the watch of a kind stands from now on."""
        self._fill()
        self.batch.entered[kind] = standing

    def withdraw(self, kind: str) -> None:
        """Nothing of a kind that waits here is to be written."""
        self.batch.seen.pop(kind, None)
        self.batch.entered.pop(kind, None)

    def drop(self, kinds: set[str]) -> None:
        """Everything stored of these kinds is to go."""
        self._fill()
        self.batch.dropped |= kinds

    def take(self) -> Batch:
        """All that waits; the box is empty afterwards."""
        taken, self.batch = self.batch, Batch()
        self.filled.clear()
        self._hurries.clear()
        self._taken.set()
        self._taken = asyncio.Event()
        return taken


class Follower:
    """Puts into the outbox what the watch of one kind tells. `run` ends only when cancelled."""

    def __init__(
        self,
        kind: Kind,
        connection: Connection,
        turns: Turns,
        outbox: Outbox,
        answered: Callable[[], datetime | None],
    ) -> None:
        """`answered` says when the cluster was last known to be there."""
        self.kind = kind
        self.state: State | None = None
        self._connection = connection
        self._turns = turns
        self._outbox = outbox
        self._answered = answered
        self._heard: datetime | None = None
        self._again = FIRST_AGAIN
        self._enter(State.LISTING)

    async def run(self) -> None:
        while True:
            try:
                await self._attend()
            except Exception:
                # One kind that breaks must not break the others.
                log.exception("following %s failed", self.kind.name)
                self._enter(State.LOST)
            await asyncio.sleep(spread(self._again, 0.2))
            self._again = min(self._again * 2, LAST_AGAIN)

    async def _attend(self) -> None:
        """Until the cluster says that it does not show this kind."""
        turn = partial(self._turns.turn, self.kind.name)
        # Of what is kept in part, only the whole list says which part.
        portion = None if self.kind.name in rows.MOST_ROWS else PORTION
        events = watch.follow(
            self._connection, SERVICE_ACCOUNT, self.kind, turn=turn, portion=portion
        )
        async with aclosing(events):
            async for event in events:
                match event:
                    case watch.Listing():
                        # Stored while the rest comes in. How the kind stands, the end will say.
                        self._outbox.seen(self.kind.name, hurries=True).portion(event.rows)
                        await self._outbox.room(self.kind.name)
                        continue
                    case watch.Listed():
                        ends = event.rest is not None
                        seen = self._outbox.seen(self.kind.name, hurries=ends)
                        seen.list(event.rows, event.rest)
                    case watch.Changed():
                        self._outbox.seen(self.kind.name).change(event.rows, event.deleted)
                    case watch.Lost(error=errors.Forbidden() as error):
                        self._enter(State.FORBIDDEN, str(error))
                        return
                    case watch.Lost(error=errors.NotFound() as error):
                        self._enter(State.ABSENT, str(error))
                        return
                    case watch.Lost():
                        self._enter(State.LOST, str(event.error))
                        continue
                self._heard = timezone.now()
                self._again = FIRST_AGAIN
                self._enter(State.WATCHING)
                await self._outbox.room(self.kind.name)

    def _enter(self, state: State, reason: str = "") -> None:
        if self.state == state:
            return
        until = None
        if self.state == State.WATCHING:
            until = max(filter(None, (self._heard, self._answered())), default=None)
        self.state = state
        self._outbox.enter(self.kind.name, Standing(state, reason, until))
