"""How the tasks of a watcher run: what all of them share, in which order, and what they survive."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field

from clusters.collector.together import Together
from clusters.store import rows

# First lists under way at once: of the process, as Argo CD has it, and of one cluster.
LISTS = 50
LISTS_OF_A_CLUSTER = 4
# A list that takes longer lets others begin.
TURN_SECONDS = 15.0
# So long the other kinds wait for the rows of the first ones to be stored.
LATER_SECONDS = 1.0
# What ran this long has not failed again and again.
HEALTHY_SECONDS = 120.0

log = logging.getLogger(__name__)


def _threads(name: str, most: int) -> Callable[[], Executor]:
    return lambda: ThreadPoolExecutor(most, thread_name_prefix=name)


@dataclass
class Shared:
    """What all collectors of a process share."""

    # Rows take as long as they take; signs of life must not wait behind them.
    rows: Executor = field(default_factory=_threads("rows", 4))
    signs: Executor = field(default_factory=_threads("signs", 2))
    lists: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LISTS))
    together: Together = field(init=False)

    def __post_init__(self) -> None:
        self.together = Together(self.rows)

    def close(self) -> None:
        """Ends the threads after what they are writing; what waits is dropped."""
        for threads in (self.rows, self.signs):
            threads.shutdown(cancel_futures=True)


class Turns:
    """The order in which the kinds of one cluster are listed first.

    None before the cluster has spoken, so that dead ones keep nobody waiting; then the kinds
    `first`; then, when those are stored, the others: twenty connections would be in their way.
    """

    def __init__(self, first: Iterable[str], lists: asyncio.Semaphore) -> None:
        self.spoken = asyncio.Event()
        self._first = set(first)
        self._others = asyncio.Event()
        self._places = (asyncio.Semaphore(LISTS_OF_A_CLUSTER), lists)

    @asynccontextmanager
    async def turn(self, kind: str) -> AsyncIterator[Callable[[], None]]:
        """Waits for the turn of a kind. What is yielded ends it early, as time does."""
        await self.spoken.wait()
        if kind not in self._first:
            await self._others.wait()
        with ExitStack() as held:
            for place in self._places:
                await place.acquire()
                held.callback(place.release)
            held.callback(self._passed, kind)
            timer = asyncio.get_running_loop().call_later(TURN_SECONDS, held.close)
            held.callback(timer.cancel)
            yield held.close

    def stored(self) -> None:
        """What came in so far is stored."""
        if not self._first:
            self._others.set()

    def _passed(self, kind: str) -> None:
        if kind in self._first:
            self._first.discard(kind)
            if not self._first:
                asyncio.get_running_loop().call_later(LATER_SECONDS, self._others.set)


async def forever(what: str, step: Callable[[], Awaitable[None]]) -> None:
    """Runs a step again after it failed, later each time, until cancelled or without a lease."""
    delay = 1.0
    while True:
        began = time.monotonic()
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
        delay = 1.0 if time.monotonic() - began > HEALTHY_SECONDS else min(delay * 2, 30)
