"""Small changes of many clusters, written in one transaction and told in one go.

For itself a change costs the watcher some 4 ms and PostgreSQL 3 (2.5 GHz), most of it for the
transaction; changes of twenty clusters together cost little more than one. A cluster whose locks
are not free keeps nobody waiting: it is left out, and written for itself.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from uuid import UUID

from clusters import live
from clusters.collector.database import run_in
from clusters.store import rows

# Others that come within so many seconds travel along.
GATHER_SECONDS = 0.01
# What is more than so many rows of one cluster would keep the others waiting.
MOST = 100

Told = dict[str, list[rows.Key]]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Small:
    """A few changes of one cluster, and the topics under which each kind is told."""

    fence: rows.Fence
    pending: Mapping[str, rows.Pending]
    topics: Mapping[str, str]
    written: asyncio.Future[bool] = field(default_factory=asyncio.Future)


class Together:
    """Takes small changes; while some are being written, the next ones gather."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._waiting: list[Small] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(
        self, fence: rows.Fence, pending: Mapping[str, rows.Pending], topics: Mapping[str, str]
    ) -> bool:
        """Whether the changes were written and told with others'; if not, flush them.

        Lists, many rows, and what nobody else travels with are never taken.
        """
        if not _is_small(pending):
            return False
        small = Small(fence, pending, topics)
        self._waiting.append(small)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await small.written

    async def _write(self) -> None:
        while self._waiting:
            await asyncio.sleep(GATHER_SECONDS)
            taken = [small for small in self._waiting if not small.written.done()]
            self._waiting.clear()
            done = await self._try(taken) if len(taken) > 1 else set()
            for small in taken:
                if not small.written.done():
                    small.written.set_result(small.fence.cluster_id in done)

    async def _try(self, taken: list[Small]) -> set[UUID]:
        try:
            return await run_in(self._threads, _flush, taken)
        except Exception as error:  # noqa: BLE001 - whoever's fault it is will say so alone
            log.info("changes of %d clusters are written one by one: %s", len(taken), error)
            return set()


def told(changed: Mapping[str, list[rows.Key]], topics: Mapping[str, str]) -> Told:
    """What the pages hear of changes by kind, under the topics of the kinds."""
    return {topics[kind]: keys for kind, keys in changed.items() if keys and kind in topics}


def _is_small(pending: Mapping[str, rows.Pending]) -> bool:
    seen = pending.values()
    return sum(map(len, seen)) <= MOST and not any(one.overrules for one in seen)


def _flush(many: Sequence[Small]) -> set[UUID]:
    """Writes what can be written together, and tells the pages; of which clusters that was."""
    written = rows.flush_together([(small.fence, small.pending) for small in many])
    topics = {small.fence.cluster_id: small.topics for small in many}
    live.publish_clusters({key: told(seen, topics[key]) for key, seen in written.items()})
    return set(written)
