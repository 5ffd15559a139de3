"""Each kind stands for itself: not permitted, turned on and off, broken, and in which order."""

import asyncio
from typing import Any

import pytest
from django.utils import timezone

from clusters.collector import Collector, cluster
from clusters.collector import kind as kind_module
from clusters.collector import running as running_module
from clusters.collector.running import Turns
from clusters.kube import errors, watch
from clusters.models import Cluster, KindState, Object
from clusters.store import rows
from clusters.store.leases import Custom
from tests import factories, waiting
from tests.clusters.followed import Says, entered, following, list_all, until
from tests.clusters.sockets import in_database

pytestmark = pytest.mark.django_db(transaction=True)

FORBIDDEN = errors.Forbidden("no", 403)


@pytest.mark.parametrize(
    ("error", "word"), [(FORBIDDEN, "forbidden"), (errors.NotFound("no", 404), "absent")]
)
async def test_another_kind_that_is_not_shown_leaves_the_cluster_live(
    error: errors.KubeError, word: str, running: Collector, says: Says
) -> None:
    list_all(says)
    says["Job"].put_nowait(watch.Listed("Job", [factories.row("once", kind="Job")], "1"))
    assert (await entered("Job", "watching")).observed_at
    before = timezone.now()
    says["Job"].put_nowait(watch.Lost("Job", error, 1))
    found = await entered("Job", word)
    # Its rows stay, and are old from then on.
    assert found.observed_at >= before
    assert found.reason == "no"
    assert await in_database(Object.objects.filter(kind="Job").exists)()
    await until(lambda: running.live)


async def test_what_is_not_shown_is_asked_for_again(
    prod: Cluster, says: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kind_module, "FIRST_AGAIN", 0.01)
    list_all(says)
    async with following(prod):
        says["Job"].put_nowait(watch.Lost("Job", FORBIDDEN, 1))
        await entered("Job", "forbidden")
        says["Job"].put_nowait(watch.Lost("Job", FORBIDDEN, 1))
        says["Job"].put_nowait(watch.Listed("Job", [], "1"))
        await entered("Job", "watching")


async def test_a_custom_resource_is_turned_on_and_off(running: Collector, says: Says) -> None:
    list_all(says)
    await until(lambda: running.live)
    before = dict(running.followers)
    custom = Custom("cert-manager.io", "v1", "certificates", "Certificate", True)
    name = custom.full_kind
    says[name].put_nowait(watch.Listed(name, [factories.row("web", kind=name)], "1"))
    running.follow(frozenset([custom]))
    await entered(name, "watching")
    assert await in_database(Object.objects.filter(kind=name).count)() == 1
    running.follow(frozenset())
    await waiting.until(lambda: not KindState.objects.filter(kind=name).exists())
    assert not await in_database(Object.objects.filter(kind=name).exists)()
    assert running.followers == before
    assert running.live


async def test_what_was_turned_off_while_nobody_watched_goes_at_the_start(
    prod: Cluster, says: Says
) -> None:
    name = "Certificate.cert-manager.io"

    def leave() -> None:
        KindState.objects.create(cluster=prod, kind=name, state="watching")
        factories.PodFactory.create(cluster=prod, kind=name)

    await in_database(leave)()
    async with following(prod):
        await waiting.until(lambda: not Object.objects.exists())
    assert not await in_database(KindState.objects.filter(kind=name).exists)()


async def test_a_kind_that_cannot_be_stored_starts_again_alone(
    running: Collector, says: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush = rows.flush

    def fail(fence: Any, seen: Any) -> Any:
        if "Job" in seen:
            raise RuntimeError("nobody thought of this")
        return flush(fence, seen)

    monkeypatch.setattr(rows, "flush", fail)
    monkeypatch.setattr(cluster, "AFTER_A_FAULT", 0.01)
    list_all(says)
    await until(lambda: running.live)
    before = dict(running.followers)
    says["Job"].put_nowait(watch.Listed("Job", [], "1"))
    await until(lambda: running.followers["Job"] is not before["Job"])
    assert {name for name in before if running.followers[name] is not before[name]} == {"Job"}
    monkeypatch.undo()
    assert running.live


async def test_a_dead_cluster_keeps_nobody_waiting_and_the_core_comes_first() -> None:
    lists, order = asyncio.Semaphore(1), []
    dead, alive = Turns(["Pod"], lists), Turns(["Pod"], lists)

    async def take(turns: Turns, kind: str) -> None:
        async with turns.turn(kind) as end:
            order.append(kind)
            end()
            await asyncio.Event().wait()

    waiting = asyncio.create_task(take(dead, "Pod"))
    tasks = [asyncio.create_task(take(alive, kind)) for kind in ("Job", "Pod", "Event")]
    alive.spoken.set()
    await until(lambda: len(order) == 3)
    assert order[0] == "Pod"
    for task in (waiting, *tasks):
        task.cancel()
    await asyncio.gather(waiting, *tasks, return_exceptions=True)
    assert not lists.locked()


async def test_the_other_kinds_wait_until_the_core_is_stored() -> None:
    turns, began = Turns(["Pod"], asyncio.Semaphore(4)), asyncio.Event()

    async def follow_others() -> None:
        async with turns.turn("Job"):
            began.set()

    turns.spoken.set()
    job = asyncio.create_task(follow_others())
    async with turns.turn("Pod"):
        turns.stored()
        await asyncio.sleep(0)
        assert not began.is_set()
    await asyncio.sleep(0)
    assert not began.is_set()
    turns.stored()
    await asyncio.wait_for(job, 10)


async def test_a_database_that_is_away_keeps_the_other_kinds_waiting_for_a_moment_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(running_module, "LATER_SECONDS", 0.01)
    turns = Turns(["Pod"], asyncio.Semaphore(4))
    turns.spoken.set()
    async with turns.turn("Pod") as end, asyncio.timeout(10):
        end()
        async with turns.turn("Job"):
            pass


async def test_a_list_that_takes_long_gives_its_turn_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_module, "TURN_SECONDS", 0.01)
    lists = asyncio.Semaphore(1)
    turns = Turns(["Pod"], lists)
    turns.spoken.set()
    async with turns.turn("Pod"), asyncio.timeout(10), turns.turn("Job"):
        assert lists.locked()
