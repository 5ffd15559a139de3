"""When a collector may say that the stored rows are the cluster's; and what a watcher survives."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError

from clusters import collector
from clusters.collector import Collector
from clusters.kube import errors, watch
from clusters.management.commands import watch_clusters
from clusters.management.commands.watch_clusters import Watcher
from clusters.models import Cluster
from clusters.store import leases, rows
from tests import factories
from tests.clusters.sockets import in_database

pytestmark = pytest.mark.django_db(transaction=True)

FORBIDDEN = errors.Forbidden("no", 403)
Says = dict[str, asyncio.Queue[watch.Event]]


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Says:
    """What the watch of each kind tells, as a test puts it in; every probe is answered."""
    queues: Says = {kind: asyncio.Queue() for kind in collector.KINDS}

    async def follow(_connection: Any, _identity: Any, kind: str) -> AsyncIterator[watch.Event]:
        while True:
            yield await queues[kind].get()

    async def probe(*_args: Any) -> float:
        return 0.0

    monkeypatch.setattr(watch, "follow", follow)
    monkeypatch.setattr(watch, "probe", probe)
    return queues


@pytest.fixture
async def running(prod: Cluster, says: Says) -> AsyncIterator[Collector]:
    fence, _version = (await in_database(leases.renew_and_take)("test"))[prod.pk]
    with ThreadPoolExecutor(2) as pool:
        made = Collector(await in_database(lambda: prod.connection)(), fence, pool)
        task = asyncio.create_task(made.run())
        yield made
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not check():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def all_stand(running: Collector) -> bool:
    return running.answers and set(running.states.values()) == {"watching"}


def list_all(says: Says, *but: str) -> None:
    for kind in set(collector.KINDS) - set(but):
        says[kind].put_nowait(watch.Listed(kind, [], "1"))


async def test_it_is_live_once_what_was_listed_is_stored(
    running: Collector, says: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush, away = rows.flush, True

    def fail(*args: Any) -> list[rows.Key]:
        if away:
            raise OperationalError("the database is away")
        return flush(*args)

    monkeypatch.setattr(rows, "flush", fail)
    list_all(says)
    await until(lambda: all_stand(running))
    assert not running.live
    away = False
    await until(lambda: running.live)
    away = True
    says["Pod"].put_nowait(watch.Changed("Pod", [], ["gone"], "2"))
    await until(lambda: not running.live)
    away = False
    await until(lambda: running.live)


async def test_a_kind_that_was_never_permitted_is_not_missed(
    running: Collector, says: Says
) -> None:
    says["Node"].put_nowait(watch.Lost("Node", FORBIDDEN, 1))
    list_all(says, "Node")
    await until(lambda: running.live)


async def test_a_kind_that_is_forbidden_now_leaves_old_rows(running: Collector, says: Says) -> None:
    list_all(says)
    await until(lambda: running.live)
    says["Node"].put_nowait(watch.Lost("Node", FORBIDDEN, 1))
    await until(lambda: running.states["Node"] == "forbidden")
    assert not running.live


async def test_rows_of_an_earlier_watcher_are_old_too(
    running: Collector, says: Says, prod: Cluster
) -> None:
    await in_database(factories.PodFactory.create)(cluster=prod, namespace="shop", name="web-1")
    says["Pod"].put_nowait(watch.Lost("Pod", FORBIDDEN, 1))
    list_all(says, "Pod")
    await until(lambda: running.written == {"Node", "Namespace"} and len(running.states) == 3)
    await until(lambda: running.answers and running.states["Pod"] == "forbidden")
    assert not running.live


async def test_one_that_failed_is_not_live_while_it_waits(running: Collector, says: Says) -> None:
    list_all(says)
    await until(lambda: running.live)

    def broken() -> None:
        raise ValueError("nobody thought of this")

    running._write = broken  # type: ignore[method-assign, assignment]
    task = asyncio.create_task(running.run())
    await asyncio.gather(task, return_exceptions=True)
    assert not running.live


async def test_a_cluster_deleted_after_its_lease_is_left_out(
    prod: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = Watcher()
    fence = rows.Fence(uuid4(), watcher.owner, 1)
    await watcher._start(fence.cluster_id, fence, 1)
    assert watcher.collectors == {}


async def test_a_tick_that_fails_does_not_end_the_watcher(
    prod: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_clusters, "TICK_SECONDS", 0.01)
    watcher, stop, ticks = Watcher(), asyncio.Event(), []

    async def tick() -> None:
        ticks.append(1)
        if len(ticks) > 1:
            stop.set()
        raise KeyError("nobody thought of this")

    monkeypatch.setattr(watcher, "_tick", tick)
    await asyncio.wait_for(watcher.run(stop, print), 10)
    assert len(ticks) == 2
