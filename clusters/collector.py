"""Follows one cluster: a task for each kind, one that probes, one that writes what was seen.

Everything is bounded by the cluster's own tasks, so a cluster that hangs slows nothing else.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Any, TypeVar
from uuid import UUID

from django.db import DatabaseError, close_old_connections, connection

from clusters import live, vault
from clusters.kube import errors, watch
from clusters.kube.types import SERVICE_ACCOUNT, Connection
from clusters.models import KindState, Status
from clusters.store import health, rows

KINDS = ("Namespace", "Node", "Pod")
FLUSH_SECONDS = 0.1
# A cluster that falls silent is flagged after at most 5 + 2 x 4 = 13 s.
PROBE_SECONDS = 5.0
PROBE_DEADLINE = 4.0
MISSES = 2

log = logging.getLogger(__name__)
T = TypeVar("T")


def topic_of(kind: str) -> str:
    """The live topic of a kind: "Pod" is "pods"."""
    return kind.lower() + "s"


class Collector:
    """One cluster under one lease. `run` ends only when cancelled or when the lease is lost."""

    def __init__(self, connection: Connection, fence: rows.Fence, executor: Executor) -> None:
        self.connection = connection
        self.fence = fence
        self.executor = executor
        self.pending: dict[str, rows.Pending] = {}
        self.wake = asyncio.Event()
        self.states: dict[str, KindState.State] = {}
        self.answers = False
        # Kinds that have been listed, those whose list is stored, and whether writing works.
        self.seen: set[str] = set()
        self.written: set[str] = set()
        self.writes = True
        # Of what the last probe complained.
        self.complaint = ""

    @property
    def cluster_id(self) -> UUID:
        return self.fence.cluster_id

    @property
    def live(self) -> bool:
        """True while the stored rows are the cluster's: all stands, answers and is written."""
        return self.answers and self.writes and all(self._stands(kind) for kind in KINDS)

    def _stands(self, kind: str) -> bool:
        state = self.states.get(kind)
        if state == KindState.State.FORBIDDEN:
            return kind not in self.seen  # what was permitted once has left rows that are old now
        return state == KindState.State.WATCHING and kind in self.written

    async def run(self) -> None:
        self.states.clear()
        self.written.clear()
        try:
            async with asyncio.TaskGroup() as tasks:
                for kind in KINDS:
                    tasks.create_task(self._follow(kind))
                tasks.create_task(self._probe())
                tasks.create_task(self._write())
        finally:
            self.answers = False

    async def _follow(self, kind: str) -> None:
        await self._enter(kind, KindState.State.LISTING)
        async for event in watch.follow(self.connection, SERVICE_ACCOUNT, kind):
            match event:
                case watch.Listed():
                    self.seen.add(kind)
                    self._of(kind).list(event.rows)
                    self.wake.set()
                case watch.Changed():
                    self._of(kind).change(event.rows, event.deleted)
                    self.wake.set()
                case watch.Lost(error=errors.Forbidden() as error):
                    if await self._store(health.has_rows, self.cluster_id, kind):
                        self.seen.add(kind)
                    await self._enter(kind, KindState.State.FORBIDDEN, str(error))
                    continue
                case watch.Lost():
                    await self._enter(kind, KindState.State.LOST, str(event.error))
                    continue
            await self._enter(kind, KindState.State.WATCHING)

    async def _enter(self, kind: str, state: KindState.State, reason: str = "") -> None:
        if self.states.get(kind) != state:
            self.states[kind] = state
            await self._store(health.record_kind, self.cluster_id, kind, state, reason)

    def _of(self, kind: str) -> rows.Pending:
        return self.pending.setdefault(kind, rows.Pending())

    async def _write(self) -> None:
        while True:
            await self.wake.wait()
            self.wake.clear()
            pending, self.pending = self.pending, {}
            for kind, seen in pending.items():
                await self._store(self._flush, kind, seen)
            # The first change of a quiet cluster is written at once, a storm in batches.
            await asyncio.sleep(FLUSH_SECONDS)

    def _flush(self, kind: str, seen: rows.Pending) -> None:
        try:
            written = rows.flush(self.fence, kind, seen)
        except DatabaseError:
            self.writes = False
            raise
        self.writes = True
        self.written.add(kind)
        if written:
            live.publish(topic_of(kind), self.cluster_id, written)

    async def _probe(self) -> None:
        """A silent watch is legal, so whether the cluster lives is asked on another connection."""
        misses = 0
        while True:
            error = await self._ask()
            self.answers = error is None
            misses = misses + 1 if error else 0
            if error is None:
                await self._store(report_answer, self.cluster_id, self.complaint)
                self.complaint = ""
            elif health.status_of(error) != Status.UNREACHABLE or misses >= MISSES:
                self.complaint = str(error)
                status = health.status_of(error)
                await self._store(report_status, self.cluster_id, status, self.complaint)
            else:
                continue  # one miss may be chance: ask again at once
            await asyncio.sleep(PROBE_SECONDS)

    async def _ask(self) -> errors.KubeError | None:
        try:
            await watch.probe(self.connection, SERVICE_ACCOUNT, PROBE_DEADLINE)
        except errors.KubeError as error:
            return error
        return None

    async def _store(self, write: Callable[..., T], *args: Any) -> T:
        """Runs a write in a thread, again and again while the database is away."""
        delay = 0.5
        while True:
            try:
                return await run_in(self.executor, write, *args)
            except DatabaseError as error:
                log.warning("the database refused a write: %s", error)
                await asyncio.sleep(delay)
                delay = min(delay * 2, 10)


def report_status(cluster_id: UUID, status: Status, reason: str) -> None:
    """Stores the status of a cluster and tells the pages when it is another."""
    if health.record_status(cluster_id, status, reason):
        live.publish("clusters", cluster_id, [(str(cluster_id), None)])


def report_sealed(cluster_id: UUID, error: vault.CannotOpen) -> None:
    """Stores that nothing can be asked of the cluster, since its credentials do not open."""
    reason = f"The stored credentials cannot be opened: {error}"
    report_status(cluster_id, Status.DEGRADED, reason)


def report_answer(cluster_id: UUID, complaint: str) -> None:
    """Stores that a probe was answered after `complaint`; tells the pages when that is news."""
    if health.record_answer(cluster_id, complaint):
        live.publish("clusters", cluster_id, [(str(cluster_id), None)])


def report_life(cluster_ids: list[UUID]) -> None:
    """Notes that the clusters are live, and tells the pages of those that were not."""
    for cluster_id in health.saw(cluster_ids):
        live.publish("clusters", cluster_id, [(str(cluster_id), None)])


async def run_in(executor: Executor, write: Callable[..., T], *args: Any) -> T:
    """Runs a function that uses the database in a thread, and gives its connection back."""

    def call() -> T:
        close_old_connections()
        try:
            return write(*args)
        finally:
            connection.close()

    return await asyncio.get_running_loop().run_in_executor(executor, call)


async def forever(what: str, step: Callable[[], Awaitable[None]]) -> None:
    """Runs a step again after it failed, later each time, until cancelled or without a lease."""
    delay = 1.0
    while True:
        try:
            await step()
        except* rows.LeaseLost as lost:
            log.info("%s: another watcher holds it now (%s)", what, lost)
            delay = 0.0
        except* Exception:
            log.exception("%s: failed, starting it again in %.0f s", what, delay)
        if not delay:
            return
        await asyncio.sleep(delay)
        delay = min(delay * 2, 30)
