"""What holds up one cluster, one kind or Redis holds up nothing else of a watcher."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DataError, connection, transaction

from clusters import live
from clusters.collector import Collector
from clusters.collector import cluster as collecting
from clusters.collector.reports import report_kinds
from clusters.kube import errors, watch
from clusters.live import pages
from clusters.management.commands import watch_clusters
from clusters.management.commands.watch_clusters import Watcher
from clusters.models import Cluster, KindState, Lease
from clusters.store import health, leases, rows
from tests import factories
from tests.clusters.followed import Says, entered, list_all, until

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def elsewhere(step: Any) -> Iterator[None]:
    """A transaction of somebody else that has done `step` and stays open during the block."""
    done, end = threading.Event(), threading.Event()

    def run() -> None:
        try:
            with transaction.atomic():
                step()
                done.set()
                assert end.wait(60)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        ended = thread.submit(run)
        assert done.wait(10)
        try:
            yield
        finally:
            end.set()
    ended.result()


def test_who_is_being_deleted_keeps_no_other_from_being_renewed(
    prod: Cluster, other: Cluster
) -> None:
    leases.renew_and_take("one")
    before = Lease.objects.get(cluster=other).expires
    lock = Lease.objects.filter(cluster=prod).select_for_update()
    rows_of = Cluster.objects.filter(pk=prod.pk).select_for_update()
    with elsewhere(lambda: (list(lock), list(rows_of))):
        began = time.monotonic()
        assert other.pk in leases.renew_and_take("one")
        assert health.saw([prod.pk, other.pk]) == [other.pk]
        assert time.monotonic() - began < 2
    assert Lease.objects.get(cluster=other).expires > before


def test_who_still_writes_under_the_same_lease_is_waited_for(prod: Cluster) -> None:
    """Credentials were replaced: the lease is the same, and the old list must not come last."""
    fence = leases.renew_and_take("one")[prod.pk].fence
    old, new = (factories.row(name, uid=name) for name in ("old", "new"))

    def write_old() -> None:
        rows.flush(fence, {"Pod": listed(old)})

    with ThreadPoolExecutor(1) as thread:
        with elsewhere(write_old):
            later = thread.submit(written, fence, new)
            with pytest.raises(TimeoutError):
                later.result(0.3)
        later.result(10)
    assert list(prod.objects_seen.values_list("name", flat=True)) == ["new"]


def listed(*seen: Any) -> rows.Pending:
    pending = rows.Pending()
    pending.list(seen)
    return pending


def written(fence: rows.Fence, *seen: Any) -> None:
    try:
        rows.flush(fence, {"Pod": listed(*seen)})
    finally:
        connection.close()


def test_who_hangs_inside_a_write_lets_go(prod: Cluster) -> None:
    fence = leases.renew_and_take("one")[prod.pk].fence
    with transaction.atomic(), connection.cursor() as cursor:
        rows.hold(cursor, fence)
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("10s",)


async def test_after_an_outage_it_is_live_once_the_new_list_is_stored(
    running: Collector, says: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_all(says)
    await until(lambda: running.live)
    flush, slow = rows.flush, threading.Event()

    def wait(*args: Any) -> Any:
        assert slow.wait(20)
        return flush(*args)

    monkeypatch.setattr(rows, "flush", wait)
    says["Pod"].put_nowait(watch.Lost("Pod", errors.Unreachable("away"), 1))
    says["Pod"].put_nowait(watch.Listed("Pod", [], "9"))
    await until(says["Pod"].empty)
    await until(lambda: running.followers["Pod"].state == "watching")
    assert not running.live
    slow.set()
    await until(lambda: running.live)


async def test_what_waits_too_long_to_be_stored_is_not_live(
    running: Collector, says: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_all(says)
    await until(lambda: running.live)
    monkeypatch.setattr(collecting, "MOST_BEHIND", 0.05)
    slow = threading.Event()
    monkeypatch.setattr(rows, "flush", lambda *_args: slow.wait(20) and {})
    says["Job"].put_nowait(watch.Changed("Job", [], ["gone"], "2"))
    await until(lambda: not running.live)
    slow.set()
    await until(lambda: running.live)


async def test_nobody_says_of_a_kind_that_could_not_be_stored_that_it_is_watched(
    running: Collector, says: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What PostgreSQL will never take is not tried for ever, which would stop the other kinds."""
    flush = rows.flush
    said: list[Any] = []

    def fail(fence: rows.Fence, pending: dict[str, rows.Pending]) -> Any:
        if "Job" in pending:
            raise DataError("no column takes this")
        return flush(fence, pending)

    def note(fence: rows.Fence, standings: dict[str, Any]) -> None:
        said.extend((kind, one.state) for kind, one in standings.items())
        report_kinds(fence, standings)

    monkeypatch.setattr(rows, "flush", fail)
    monkeypatch.setattr(collecting, "report_kinds", note)
    before = running.followers.get("Job")
    list_all(says)
    says["Job"].put_nowait(watch.Listed("Job", [], "1"))
    await until(lambda: running.live)
    await until(lambda: running.followers.get("Job") not in (None, before))
    assert ("Job", KindState.State.WATCHING) not in said
    await entered("Job", "listing")


async def test_a_probe_comes_when_the_cluster_wants_it(
    prod: Cluster, running: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    async def refuse(*_args: Any) -> float:
        asked.append(time.monotonic())
        raise errors.TooManyRequests("slowly", 429, 0.5 if len(asked) == 1 else None)

    monkeypatch.setattr(collecting, "PROBE_SECONDS", 0.05)
    monkeypatch.setattr(watch, "probe", refuse)
    await until(lambda: len(asked) > 3)
    assert asked[1] - asked[0] > 0.45
    assert asked[3] - asked[2] < 0.45
    assert not running.live


@pytest.fixture
def deaf(settings: Any) -> Iterator[None]:
    """A Redis that takes connections and never answers."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        made.listen(50)
        settings.REDIS_URL = f"redis://127.0.0.1:{made.getsockname()[1]}/0"
        live._redis.cache_clear()
        yield
    live._redis.cache_clear()
    live._Quiet.until = 0.0
    live._unsaid.clear()


def test_a_redis_that_does_not_answer_is_waited_for_once(deaf: None, prod: Cluster) -> None:
    began = time.monotonic()
    for _ in range(20):
        live.publish("pods", prod.pk, [("a", "")])
    assert time.monotonic() - began < 2 * live.PATIENCE


async def test_what_was_not_said_is_made_up_for(prod: Cluster) -> None:
    client: Any = live._redis()
    with client.pubsub() as heard:
        await asyncio.to_thread(heard.subscribe, live.CHANNEL)
        live._unsaid.set()
        await asyncio.to_thread(live.catch_up)
        async with asyncio.timeout(10):
            while (message := await asyncio.to_thread(heard.get_message, timeout=1)) is None or (
                b"*" not in str(message["data"]).encode()
            ):
                pass
    assert not live._unsaid.is_set()


def test_a_page_that_reads_nothing_is_told_to_ask_for_everything() -> None:
    page = live.Subscriber(None, live.Scopes(True, *3 * [frozenset()]), frozenset(["pods"]))  # type: ignore[arg-type]
    for n in range(pages.MOST_WAITING // 100 + 1):
        keys = [(f"{n}-{key}", "") for key in range(100)]
        message = {"topic": "pods", "cluster": f"{n:032x}", "keys": keys}
        page.offer(live.Change.read(message))
    assert page._take()[:1] == [pages.REFRESH]


async def test_leases_do_not_wait_for_redis(
    deaf: None, prod: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_clusters, "TICK_SECONDS", 0.01)
    watcher, stop, ticks = Watcher(), asyncio.Event(), []

    async def tick() -> None:
        ticks.append(1)
        if len(ticks) > 20:
            stop.set()

    monkeypatch.setattr(watcher, "_tick", tick)
    await asyncio.wait_for(watcher.run(stop, print), live.PATIENCE)
