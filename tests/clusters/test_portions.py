"""A long list is stored while it still comes in, and is believed when it is whole."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest
from django.db import DataError

from clusters.collector import Collector
from clusters.collector import cluster as collecting
from clusters.kube import errors, watch
from clusters.models import KindState, Object
from clusters.store import rows
from tests.clusters.followed import Says, entered, list_all, until
from tests.clusters.sockets import in_database
from tests.factories import row
from tests.waiting import until as until_stored

pytestmark = pytest.mark.django_db(transaction=True)


def portion(*names: str) -> watch.Listing:
    return watch.Listing("Pod", [row(name) for name in names])


def listed(*names: str, rest: tuple[str, ...] | None = None) -> watch.Listed:
    """The whole; `rest`: what of it no portion told."""
    pods = [row(name) for name in names]
    return watch.Listed(
        "Pod", pods, "9", 0, None if rest is None else [pod for pod in pods if pod.name in rest]
    )


async def stored(*names: str) -> None:
    """Waits until these pods are all that are stored."""
    found = Object.objects.filter(kind="Pod").order_by("name").values_list("name", flat=True)
    await until_stored(lambda: list(found.all()) == sorted(names))


async def test_portions_are_stored_but_nothing_is_claimed_before_the_end(
    running: Collector, says: Says
) -> None:
    list_all(says, "Pod")
    await entered("Node", "watching")
    says["Pod"].put_nowait(portion("a", "b"))
    says["Pod"].put_nowait(portion("c"))
    await stored("a", "b", "c")
    assert not running.live
    assert running.followers["Pod"].state == "listing"
    assert not await in_database(KindState.objects.filter(kind="Pod", state="watching").exists)()
    # b went while the list came in.
    says["Pod"].put_nowait(listed("a", "c", "d", rest=("d",)))
    await stored("a", "c", "d")
    await entered("Pod", "watching")
    await until(lambda: running.live)


async def test_a_list_that_breaks_off_claims_nothing_and_the_next_one_heals(
    running: Collector, says: Says
) -> None:
    list_all(says, "Pod")
    says["Pod"].put_nowait(portion("a", "b"))
    await stored("a", "b")
    says["Pod"].put_nowait(watch.Lost("Pod", errors.Unreachable("away"), 1))
    await entered("Pod", "lost")
    assert not running.live
    says["Pod"].put_nowait(portion("b"))
    says["Pod"].put_nowait(listed("b", "c", rest=("c",)))
    await stored("b", "c")
    await until(lambda: running.live)


async def test_a_portion_that_cannot_be_stored_makes_its_whole_list_void(
    running: Collector, says: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush, list_ended = rows.flush, threading.Event()
    written: list[set[str]] = []

    def fail(fence: rows.Fence, pending: Mapping[str, rows.Pending]) -> Any:
        if any(seen.overrules and not seen.replaces for seen in pending.values()):
            assert list_ended.wait(20)
            raise DataError("no column takes it")
        written.extend(set(seen.rows) for kind, seen in pending.items() if kind == "Pod")
        return flush(fence, pending)

    monkeypatch.setattr(rows, "flush", fail)
    monkeypatch.setattr(collecting, "AFTER_A_FAULT", 0.05)
    list_all(says, "Pod")
    await entered("Node", "watching")
    first = running.followers["Pod"]
    says["Pod"].put_nowait(portion("a"))
    await until(lambda: not running.outbox.filled.is_set() and says["Pod"].empty())
    says["Pod"].put_nowait(listed("a", "b", rest=("b",)))
    await until(lambda: first.state == "watching")
    list_ended.set()
    await until(lambda: running.followers.get("Pod") not in (first, None))
    assert not running.live
    says["Pod"].put_nowait(listed("a", "b"))
    await stored("a", "b")
    await until(lambda: running.live)
    # Never the rest alone.
    assert written == [{"uid-of-a", "uid-of-b"}]


async def test_a_list_of_a_restored_cluster_overrules_with_each_portion(
    running: Collector, says: Says
) -> None:
    says["Pod"].put_nowait(watch.Listed("Pod", [row("a", 900, status="Running")], "900"))
    await stored("a")
    says["Pod"].put_nowait(watch.Listing("Pod", [row("a", 7, status="Pending")]))
    changed = Object.objects.filter(name="a", status="Pending", resource_version=7)
    await until_stored(changed.exists)
    assert running.followers["Pod"].state == "watching"
