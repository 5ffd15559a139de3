"""When a collector may say that the stored rows are the cluster's; and what a watcher survives."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError

from clusters.collector import CORE, Collector
from clusters.kube import errors, watch
from clusters.management.commands import watch_clusters
from clusters.management.commands.watch_clusters import Watcher
from clusters.models import Cluster
from clusters.store import leases, rows
from tests import factories
from tests.clusters.followed import Says, list_all, until
from tests.clusters.sockets import in_database

pytestmark = pytest.mark.django_db(transaction=True)

FORBIDDEN = errors.Forbidden("no", 403)


def state(running: Collector, kind: str) -> str | None:
    return running.followers[kind].state if kind in running.followers else None


def all_stand(running: Collector) -> bool:
    return running.answers and {state(running, kind) for kind in CORE} == {"watching"}


async def test_it_is_live_once_what_was_listed_is_stored(
    running: Collector, says: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush, away = rows.flush, True

    def fail(*args: Any) -> dict[str, list[rows.Key]]:
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
    await until(lambda: state(running, "Node") == "forbidden")
    assert not running.live


async def test_rows_of_an_earlier_watcher_are_old_too(
    running: Collector, says: Says, prod: Cluster
) -> None:
    await in_database(factories.PodFactory.create)(cluster=prod, namespace="shop", name="web-1")
    says["Pod"].put_nowait(watch.Lost("Pod", FORBIDDEN, 1))
    list_all(says, "Pod")
    await until(lambda: running.written == {"Node", "Namespace"})
    await until(lambda: running.answers and state(running, "Pod") == "forbidden")
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
    await watcher._start(fence.cluster_id, leases.Held(fence, 1))
    assert watcher.watched == {}


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
