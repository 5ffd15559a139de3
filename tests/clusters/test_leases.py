"""Leases: one watcher a cluster, moved when it dies, fenced by the epoch."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from clusters.models import Cluster, Lease
from clusters.store import leases
from clusters.store.rows import Fence

# The clock that counts is that of each transaction.
pytestmark = pytest.mark.django_db(transaction=True)


def expire() -> None:
    """As if the time had run out, by the database's clock."""
    Lease.objects.update(expires=Now() - timedelta(seconds=1))


def test_a_free_cluster_is_taken(prod: Cluster) -> None:
    assert leases.renew_and_take("a") == {prod.pk: (Fence(prod.pk, "a", 1), 1)}


def test_what_one_holds_no_other_gets(prod: Cluster, other: Cluster) -> None:
    assert set(leases.renew_and_take("a")) == {prod.pk, other.pk}
    assert leases.renew_and_take("b") == {}


def test_renewing_keeps_the_epoch_and_gives_time(prod: Cluster) -> None:
    leases.renew_and_take("a")
    Lease.objects.update(expires=Now() + timedelta(seconds=1))
    assert leases.renew_and_take("a")[prod.pk][0].epoch == 1
    assert Lease.objects.filter(expires__gt=Now() + timedelta(seconds=8)).exists()


def test_the_lease_of_a_dead_watcher_moves_with_a_new_epoch(prod: Cluster) -> None:
    leases.renew_and_take("a")
    expire()
    assert leases.renew_and_take("b") == {prod.pk: (Fence(prod.pk, "b", 2), 1)}
    assert leases.renew_and_take("a") == {}


def test_who_comes_back_late_takes_it_as_a_stranger(prod: Cluster) -> None:
    leases.renew_and_take("a")
    expire()
    assert leases.renew_and_take("a")[prod.pk][0].epoch == 2


def test_an_orderly_stop_gives_all_back_at_once(prod: Cluster, other: Cluster) -> None:
    leases.renew_and_take("a")
    leases.release("a")
    taken = leases.renew_and_take("b")
    assert {fence.epoch for fence, _version in taken.values()} == {3}
    assert set(taken) == {prod.pk, other.pk}


def test_a_new_connection_is_told_with_the_lease(prod: Cluster) -> None:
    leases.renew_and_take("a")
    Cluster.objects.update(connection_version=2)
    assert leases.renew_and_take("a")[prod.pk][1] == 2
