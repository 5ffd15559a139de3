"""Leases: one watcher a cluster, moved when it dies, fenced by the epoch."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from clusters.models import Cluster, CustomResource, Lease, Watcher
from clusters.store import leases
from clusters.store.leases import Custom, Held
from clusters.store.rows import Fence, hold
from tests import factories

# The clock that counts is that of each transaction.
pytestmark = pytest.mark.django_db(transaction=True)


def expire() -> None:
    """As if the time had run out, by the database's clock."""
    Lease.objects.update(expires=Now() - timedelta(seconds=1))


def test_a_free_cluster_is_taken(prod: Cluster) -> None:
    assert leases.renew_and_take("a") == {prod.pk: Held(Fence(prod.pk, "a", 1), 1)}


def test_what_one_holds_no_other_gets(prod: Cluster, other: Cluster) -> None:
    assert set(leases.renew_and_take("a")) == {prod.pk, other.pk}
    assert leases.renew_and_take("b") == {}


def test_renewing_keeps_the_epoch_and_gives_time(prod: Cluster) -> None:
    leases.renew_and_take("a")
    Lease.objects.update(expires=Now() + timedelta(seconds=1))
    assert leases.renew_and_take("a")[prod.pk].fence.epoch == 1
    assert Lease.objects.filter(expires__gt=Now() + timedelta(seconds=6)).exists()


def test_the_lease_of_a_dead_watcher_moves_with_a_new_epoch(prod: Cluster) -> None:
    leases.renew_and_take("a")
    expire()
    assert leases.renew_and_take("b") == {prod.pk: Held(Fence(prod.pk, "b", 2), 1)}
    assert leases.renew_and_take("a") == {}


def test_who_comes_back_late_takes_it_as_a_stranger(prod: Cluster) -> None:
    leases.renew_and_take("a")
    expire()
    assert leases.renew_and_take("a")[prod.pk].fence.epoch == 2


def test_an_orderly_stop_gives_all_back_at_once(prod: Cluster, other: Cluster) -> None:
    leases.renew_and_take("a")
    leases.release("a")
    taken = leases.renew_and_take("b")
    assert {held.fence.epoch for held in taken.values()} == {3}
    assert set(taken) == {prod.pk, other.pk}


def test_a_new_connection_is_told_with_the_lease(prod: Cluster) -> None:
    leases.renew_and_take("a")
    Cluster.objects.update(connection_version=2)
    assert leases.renew_and_take("a")[prod.pk].connection_version == 2


def held_by(owner: str) -> int:
    return len(leases.renew_and_take(owner))


def clusters(count: int) -> None:
    factories.ClusterFactory.create_batch(count)


def test_who_comes_later_gets_a_fair_share_a_few_at_a_time(db: None) -> None:
    clusters(17)
    assert (held_by("a"), held_by("b")) == (17, 0)
    assert (held_by("a"), held_by("b")) == (12, 5)
    assert (held_by("a"), held_by("b")) == (9, 8)
    assert (held_by("a"), held_by("b")) == (9, 8)
    assert held_by("c") == 0
    for _ in range(2):
        assert held_by("a") + held_by("b") + held_by("c") == 17
    assert sorted([held_by("a"), held_by("b"), held_by("c")]) == [5, 6, 6]


@pytest.mark.parametrize(("count", "shares"), [(1, [0, 1]), (2, [1, 1]), (3, [1, 2])])
def test_no_cluster_is_without_a_watcher_where_they_are_few(
    count: int, shares: list[int], db: None
) -> None:
    clusters(count)
    for _ in range(3):
        found = sorted([held_by("a"), held_by("b")])
    assert found == shares
    assert Lease.objects.filter(expires__gt=Now()).count() == count


def test_the_share_of_a_dead_watcher_falls_to_the_others(db: None) -> None:
    clusters(6)
    for owner in "abab":
        held_by(owner)
    Lease.objects.filter(owner="b").update(expires=Now())
    Watcher.objects.filter(owner="b").update(expires=Now())
    assert held_by("a") == 6


def test_custom_resources_that_are_turned_on_are_told(prod: Cluster, other: Cluster) -> None:
    fields = {"group": "cert-manager.io", "version": "v1", "plural": "certificates"}
    CustomResource.objects.create(cluster=prod, kind="Certificate", namespaced=True, **fields)
    held = leases.renew_and_take("a")
    custom = Custom("cert-manager.io", "v1", "certificates", "Certificate", True)
    assert held[prod.pk].customs == {custom}
    assert custom.full_kind == "Certificate.cert-manager.io"
    assert held[other.pk].customs == frozenset()


def test_a_long_write_hinders_no_renewal_but_every_move(prod: Cluster) -> None:
    fence = leases.renew_and_take("a")[prod.pk].fence
    with ThreadPoolExecutor(1) as pool, transaction.atomic(), connection.cursor() as cursor:
        hold(cursor, fence)

        def elsewhere(owner: str) -> set[str]:
            try:
                if owner == "b":
                    expire()
                return {held.fence.owner for held in leases.renew_and_take(owner).values()}
            finally:
                connection.close()

        assert pool.submit(elsewhere, "a").result(5) == {"a"}
        assert pool.submit(elsewhere, "b").result(5) == set()
    assert leases.renew_and_take("b")[prod.pk].fence.epoch == 2
