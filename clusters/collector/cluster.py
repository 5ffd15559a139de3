"""Follows one cluster: a task for each kind, one that probes, one that writes what was seen.

Everything is bounded by the cluster's own tasks, so a cluster that hangs slows nothing else; a
kind that fails starts again by itself.
"""

import asyncio
import logging
import time
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from clusters import live
from clusters.collector.database import stubbornly
from clusters.collector.kind import Batch, Follower, Outbox, State
from clusters.collector.reports import report_answer, report_kinds, report_status
from clusters.collector.running import Shared, Turns
from clusters.collector.together import told
from clusters.kube import errors, kinds, watch
from clusters.kube.types import SERVICE_ACCOUNT, Connection
from clusters.models import Status
from clusters.store import health, rows
from clusters.store.leases import Custom

# Without these a cluster is not live; they are listed first. Every other kind stands for itself.
CORE = ("Namespace", "Node", "Pod")
FLUSH_SECONDS = 0.1
# Nothing that was seen may be unstored for longer while the cluster is called live.
MOST_BEHIND = 5.0
# A kind whose rows could not be stored is listed again after this.
AFTER_A_FAULT = 30.0
# A cluster that falls silent is flagged after at most 5 + 2 x 4 = 13 s.
PROBE_SECONDS = 5.0
PROBE_DEADLINE = 4.0
MISSES = 2
# What a cluster may ask for with Retry-After. Meanwhile it is not called live.
LONGEST_WISH = 30.0
NOT_SHOWN = (State.FORBIDDEN, State.ABSENT)

log = logging.getLogger(__name__)


class Collector:
    """One cluster under one lease. `run` ends only when cancelled or when the lease is lost."""

    def __init__(self, connection: Connection, fence: rows.Fence, shared: Shared) -> None:
        self.connection = connection
        self.fence = fence
        self.shared = shared
        self.answers = False
        self._answered: datetime | None = None
        self._customs: frozenset[Custom] = frozenset()
        self._asked = asyncio.Event()
        self._begin()

    def _begin(self) -> None:
        self.outbox = Outbox()
        self.turns = Turns(CORE, self.shared.lists)
        self.followers: dict[str, Follower] = {}
        self._tasks: dict[str, tuple[Custom | None, asyncio.Task[None]]] = {}
        # What is being written, the kinds whose list is stored, and those that never were and
        # are not shown.
        self._saving = Batch()
        self.written: set[str] = set()
        self.never: set[str] = set()
        self._known: set[str] = set()
        self._broken: set[str] = set()
        # Of what the last probe complained.
        self.complaint = ""

    @property
    def cluster_id(self) -> UUID:
        return self.fence.cluster_id

    @property
    def live(self) -> bool:
        """True while the core kinds' stored rows are the cluster's, which answers."""
        oldest = min(self._saving.since, self.outbox.batch.since)
        is_behind = time.monotonic() - oldest > MOST_BEHIND
        return self.answers and not is_behind and all(self._stands(kind) for kind in CORE)

    def _stands(self, kind: str) -> bool:
        state = self.followers[kind].state if kind in self.followers else None
        if state in NOT_SHOWN:
            return kind in self.never  # what was shown once has left rows that are old now
        # After an outage the new list is seen at once, and stored when its turn has come.
        waits = self._saving.lists(kind) or self.outbox.batch.lists(kind)
        return state == State.WATCHING and kind in self.written and not waits

    def follow(self, customs: frozenset[Custom]) -> None:
        """Which custom resources to follow from now on; the other kinds do not notice."""
        if customs != self._customs:
            self._customs = customs
            self._asked.set()

    async def run(self) -> None:
        self._begin()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_following(tasks))
                tasks.create_task(self._probe())
                tasks.create_task(self._write())
        finally:
            self.answers = False

    async def _keep_following(self, tasks: asyncio.TaskGroup) -> None:
        self._known = await stubbornly(self.shared.signs, health.kinds_of, self.cluster_id)
        while True:
            self._settle(tasks)
            await self._asked.wait()
            self._asked.clear()

    def _settle(self, tasks: asyncio.TaskGroup) -> None:
        """Stops and starts what makes the followed kinds the wanted ones."""
        wanted: dict[str, Custom | None] = dict.fromkeys((*CORE, *kinds.KINDS))
        wanted |= {custom.full_kind: custom for custom in self._customs}
        broken, self._broken = self._broken, set()
        for name, (source, task) in list(self._tasks.items()):
            if name in broken or name not in wanted or wanted[name] != source:
                task.cancel()
                del self._tasks[name], self.followers[name]
                self.outbox.withdraw(name)
                self.written.discard(name)
        if gone := self._known - set(wanted):
            self.outbox.drop(gone)
        self._known = set(wanted)
        for name in wanted:
            if name not in self._tasks:
                delay = AFTER_A_FAULT if name in broken else 0.0
                self._start(tasks, name, wanted[name], delay)

    def _start(
        self, tasks: asyncio.TaskGroup, name: str, source: Custom | None, delay: float
    ) -> None:
        kind = kinds.custom(*source) if source else kinds.KINDS[name]
        follower = Follower(kind, self.connection, self.turns, self.outbox, self._last_answer)
        self.followers[name] = follower

        async def follow() -> None:
            await asyncio.sleep(delay)
            await follower.run()

        self._tasks[name] = (source, tasks.create_task(follow()))

    def _last_answer(self) -> datetime | None:
        return timezone.now() if self.answers else self._answered

    async def _write(self) -> None:
        while True:
            await self.outbox.filled.wait()
            for kind in self._broken:
                # The rest of a list is worth nothing without the portion that was not stored.
                self.outbox.withdraw(kind)
            self._saving = self.outbox.take()
            await self._save(self._saving)
            wrote_rows = bool(self._saving.seen)
            self._saving = Batch()
            if not any(kind in self.outbox.batch.seen for kind in CORE):
                self.turns.stored()
            if wrote_rows:
                # The first change of a quiet cluster is written at once, a storm in batches.
                await self.outbox.pause(FLUSH_SECONDS)

    async def _save(self, batch: Batch) -> None:
        if batch.dropped:
            await stubbornly(self.shared.rows, rows.forget, self.fence, batch.dropped)
        failed = await self._save_rows(batch)
        if failed:
            self._broken |= failed
            self._asked.set()
        # Of a kind that could not be stored nobody may say that it is watched.
        entered = {kind: one for kind, one in batch.entered.items() if kind not in failed}
        for kind, one in entered.items():
            if kind in CORE and one.state in NOT_SHOWN:
                await self._look_back(kind)
        if entered:
            await stubbornly(self.shared.signs, report_kinds, self.fence, entered)

    async def _save_rows(self, batch: Batch) -> set[str]:
        """Returns the kinds whose rows could not be stored."""
        failed: set[str] = set()
        topics = {name: follower.kind.topic for name, follower in self.followers.items()}
        for group in batch.groups():
            try:
                if not await self.shared.together.write(self.fence, group, topics):
                    await stubbornly(self.shared.rows, self._flush, group, topics)
            except rows.LeaseLost:
                raise
            except Exception:
                log.exception("storing %s failed", ", ".join(group))
                failed |= set(group)
        return failed

    def _flush(self, group: dict[str, rows.Pending], topics: dict[str, str]) -> None:
        written = rows.flush(self.fence, group)
        self.written |= {kind for kind, seen in group.items() if seen.replaces}
        live.publish_all(self.cluster_id, told(written, topics))

    async def _look_back(self, kind: str) -> None:
        stored = await stubbornly(self.shared.signs, health.has_rows, self.cluster_id, kind)
        (self.never.discard if stored else self.never.add)(kind)

    async def _probe(self) -> None:
        """A silent watch is legal, so whether the cluster lives is asked on another connection."""
        misses = 0
        while True:
            error = await self._ask()
            self.answers = error is None
            misses = misses + 1 if error else 0
            if error is None:
                self._answered = timezone.now()
                await stubbornly(self.shared.signs, report_answer, self.cluster_id, self.complaint)
                self.complaint = ""
            elif health.status_of(error) != Status.UNREACHABLE or misses >= MISSES:
                self.complaint = str(error)
                status = health.status_of(error)
                await stubbornly(
                    self.shared.signs, report_status, self.cluster_id, status, self.complaint
                )
            else:
                continue  # one miss may be chance: ask again at once
            await asyncio.sleep(max(PROBE_SECONDS, min(_wish(error), LONGEST_WISH)))

    async def _ask(self) -> errors.KubeError | None:
        try:
            await watch.probe(self.connection, SERVICE_ACCOUNT, PROBE_DEADLINE)
        except errors.KubeError as error:
            if isinstance(error, errors.Refused):
                self.turns.spoken.set()
            return error
        self.turns.spoken.set()
        return None


def _wish(error: errors.KubeError | None) -> float:
    """For how many seconds the cluster wants not to be asked."""
    return getattr(error, "retry_after", None) or 0.0
