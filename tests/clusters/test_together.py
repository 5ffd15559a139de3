"""Changes of several clusters, written in one transaction: nobody waits for another's locks."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from django.db import OperationalError

from clusters.collector.together import MOST, Together
from clusters.models import Cluster, Namespace, Object, Tally
from clusters.store import leases, rows
from clusters.store.rows import Fence, Pending
from tests.clusters.sockets import in_database
from tests.clusters.test_isolation import elsewhere
from tests.factories import row

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fences(prod: Cluster, other: Cluster) -> tuple[Fence, Fence]:
    """The leases of this watcher on both clusters."""
    held = leases.renew_and_take("me")
    return held[prod.pk].fence, held[other.pk].fence


def changes(*seen: Any, deleted: tuple[str, ...] = ()) -> Pending:
    pending = Pending()
    pending.change(seen, deleted)
    return pending


def pods(*seen: Any, deleted: tuple[str, ...] = ()) -> dict[str, Pending]:
    return {"Pod": changes(*seen, deleted=deleted)}


def stored() -> set[tuple[str, str]]:
    return set(Object.objects.values_list("cluster__name", "name"))


def test_each_cluster_has_its_own_rows(fences: tuple[Fence, Fence]) -> None:
    ours, theirs = fences
    rows.flush_together([(ours, pods(row("web"), row("old"))), (theirs, pods(row("web")))])
    wanted = pods(row("web", 2, status="Failed"), deleted=("uid-of-old",))
    told = rows.flush_together([(ours, wanted), (theirs, pods(row("web", 1, status="Failed")))])
    assert stored() == {("prod", "web"), ("other", "web")}
    keys = {key: (pk, "shop") for key, pk in Object.objects.values_list("cluster_id", "pk")}
    assert keys[ours.cluster_id] in told[ours.cluster_id]["Pod"]
    assert len(told[ours.cluster_id]["Pod"]) == 2
    assert told[theirs.cluster_id] == {}, "no newer version, no change"
    assert Object.objects.get(cluster=ours.cluster_id).status == "Failed"
    assert {*Tally.objects.filter(n__gt=0).values_list("cluster__name", "status", "n")} == {
        ("prod", "Failed", 1), ("other", "Running", 1),
    }  # fmt: skip


def test_a_namespace_made_again_is_another_one_in_its_cluster_only(
    fences: tuple[Fence, Fence],
) -> None:
    def shop(uid: str, version: int = 1) -> dict[str, Pending]:
        seen = row("shop", version, kind="Namespace", namespace="", uid=uid)
        return {"Namespace": changes(seen)}

    rows.flush_together([(fence, shop("one")) for fence in fences])
    rows.flush_together([(fences[0], shop("two", 2)), (fences[1], pods(row("web")))])
    found = Namespace.objects.filter(name="shop").values_list("cluster__name", "uid")
    assert set(found) == {("prod", "two"), ("other", "one")}


def test_who_lost_the_lease_is_left_out(fences: tuple[Fence, Fence]) -> None:
    ours, theirs = fences
    lost = replace(theirs, epoch=9)
    told = rows.flush_together([(ours, pods(row("a"))), (lost, pods(row("b")))])
    assert set(told) == {ours.cluster_id}
    assert stored() == {("prod", "a")}


def test_nobody_waits_for_the_locks_of_another(fences: tuple[Fence, Fence]) -> None:
    ours, theirs = fences
    with elsewhere(lambda: rows.flush(theirs, pods(row("theirs", images=())))):
        began = time.monotonic()
        told = rows.flush_together([(ours, pods(row("a"))), (theirs, pods(row("b")))])
        assert time.monotonic() - began < 2
    assert set(told) == {ours.cluster_id}
    assert stored() == {("prod", "a"), ("other", "theirs")}


def test_nor_long_for_rows_that_are_being_deleted(fences: tuple[Fence, Fence]) -> None:
    ours, theirs = fences
    rows.flush(theirs, pods(row("b")))
    with elsewhere(lambda: Object.objects.filter(cluster=theirs.cluster_id).delete()):
        began = time.monotonic()
        with pytest.raises(OperationalError, match="lock timeout"):
            rows.flush_together([(ours, pods(row("a"))), (theirs, pods(row("b", 2)))])
        assert time.monotonic() - began < 3
    assert stored() == set()


TOPICS = {"Pod": "pods"}


async def together(*many: tuple[Fence, dict[str, Pending]]) -> list[bool]:
    """What each is told that hands over its changes at the same moment."""
    with ThreadPoolExecutor(1) as threads:
        writer = Together(threads)
        return await asyncio.gather(*(writer.write(fence, seen, TOPICS) for fence, seen in many))


async def test_who_comes_at_the_same_moment_is_written_and_told_together(
    fences: tuple[Fence, Fence], told: Any
) -> None:
    ours, theirs = fences
    with told() as messages:
        both = (ours, pods(row("a"))), (theirs, pods(row("b")))
        assert await together(*both) == [True, True]
    assert await in_database(stored)() == {("prod", "a"), ("other", "b")}
    assert {(message["topic"], message["cluster"]) for message in messages} == {
        ("pods", str(fence.cluster_id)) for fence in fences
    }


async def test_what_must_be_written_for_itself_is_left_to_who_saw_it(
    fences: tuple[Fence, Fence],
) -> None:
    ours, theirs = fences
    whole = Pending()
    whole.list([row("a")])
    many = pods(*(row(f"pod-{n}") for n in range(MOST + 1)))
    assert await together((ours, pods(row("alone")))) == [False]
    assert await together((ours, {"Pod": whole}), (theirs, pods(row("b")))) == [False, False]
    assert await together((ours, many), (theirs, pods(row("b")))) == [False, False]
    odd = pods(row("odd", facts={"x": "\x00"}))
    assert await together((ours, odd), (theirs, pods(row("b")))) == [False, False]
    assert await in_database(stored)() == set()
