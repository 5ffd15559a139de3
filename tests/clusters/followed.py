"""A collector whose watches tell what a test says, and what may be waited for."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from clusters.collector import CORE, Collector, Shared
from clusters.kube import watch
from clusters.models import Cluster, KindState
from clusters.store import leases
from tests import waiting
from tests.clusters.sockets import in_database

Says = defaultdict[str, asyncio.Queue[watch.Event]]


@asynccontextmanager
async def following(cluster: Cluster) -> AsyncIterator[Collector]:
    """A collector that runs during the block."""
    held = (await in_database(leases.renew_and_take)("test"))[cluster.pk]
    shared = Shared()
    made = Collector(await in_database(lambda: cluster.connection)(), held.fence, shared)
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.to_thread(shared.close)


def list_all(says: Says, *but: str) -> None:
    """Every core kind is listed, and empty."""
    for kind in set(CORE) - set(but):
        says[kind].put_nowait(watch.Listed(kind, [], "1"))


async def until(check: Callable[[], bool]) -> None:
    """Waits for a state of this process."""
    async with asyncio.timeout(20):
        while not check():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def entered(kind: str, state: str) -> Any:
    """How a kind stands, once it is stored that it stands so."""
    return await waiting.until(KindState.objects.filter(kind=kind, state=state).first)
