"""How a cluster is: what polls find, what its status means, how old that is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from clusters.kube import errors
from clusters.models import Cluster, Freshness, KindState, Status
from clusters.store import health, leases, polls
from clusters.store.health import Standing
from clusters.store.rows import Fence, LeaseLost

NOW = datetime(2026, 6, 1, tzinfo=UTC)
State = KindState.State


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.Unauthorized("no", 401), Status.UNAUTHORIZED),
        (errors.Forbidden("no", 403), Status.DEGRADED),
        (errors.ServerFailed("no", 500), Status.DEGRADED),
        (errors.TooManyRequests("no"), Status.DEGRADED),
        (errors.BadAnswer("no"), Status.DEGRADED),
        (errors.Unreachable("no"), Status.UNREACHABLE),
        (errors.TimedOut("no"), Status.UNREACHABLE),
        (errors.BadCertificate("no", "expired"), Status.UNREACHABLE),
    ],
    ids=lambda value: getattr(value, "code", str(value)),
)
def test_each_error_has_its_status(error: errors.KubeError, status: Status, prod: Cluster) -> None:
    assert health.status_of(error) == status
    assert polls.record_failure(prod.pk, error)
    prod.refresh_from_db()
    assert (prod.status, prod.status_reason) == (status, "no")
    assert prod.polled_at


@pytest.mark.parametrize("status", [Status.PENDING, Status.UNREACHABLE, Status.UNAUTHORIZED])
def test_a_probe_that_is_answered_makes_active(status: Status, prod: Cluster) -> None:
    health.record_status(prod.pk, status, "why")
    assert health.record_answer(prod.pk, "")
    assert not health.record_answer(prod.pk, "")
    prod.refresh_from_db()
    assert (prod.status, prod.status_reason) == ("active", "")


def test_a_probe_does_not_lift_what_a_poll_found(prod: Cluster) -> None:
    polls.record_failure(prod.pk, errors.Forbidden("nodes are forbidden", 403))
    assert not health.record_answer(prod.pk, "")
    assert not health.record_answer(prod.pk, "not ready")
    prod.refresh_from_db()
    assert (prod.status, prod.status_reason) == ("degraded", "nodes are forbidden")


def test_a_probe_lifts_what_it_complained_of_itself(prod: Cluster) -> None:
    health.record_status(prod.pk, Status.DEGRADED, "not ready")
    assert health.record_answer(prod.pk, "not ready")


def test_the_time_of_a_status_is_that_of_its_change(prod: Cluster) -> None:
    health.record_status(prod.pk, Status.UNREACHABLE, "first")
    prod.refresh_from_db()
    since = prod.status_since
    assert not health.record_status(prod.pk, Status.UNREACHABLE, "second" * 200)
    prod.refresh_from_db()
    assert (prod.status_since, prod.status_reason[:6], len(prod.status_reason)) == (
        since,
        "second",
        500,
    )


@pytest.mark.parametrize(
    ("status", "seconds", "freshness", "colour"),
    [
        (Status.ACTIVE, 0, Freshness.LIVE, "healthy"),
        (Status.ACTIVE, 14, Freshness.LIVE, "healthy"),
        (Status.ACTIVE, 16, Freshness.STALE, "unknown"),
        (Status.ACTIVE, None, Freshness.UNKNOWN, "unknown"),
        (Status.PENDING, None, Freshness.UNKNOWN, "unknown"),
        (Status.DEGRADED, 1, Freshness.LIVE, "degraded"),
        (Status.UNREACHABLE, 1, Freshness.UNREACHABLE, "failing"),
        (Status.UNAUTHORIZED, 1, Freshness.UNREACHABLE, "failing"),
    ],
)
def test_what_is_shown_says_how_far_to_trust_it(
    status: Status, seconds: Any, freshness: Freshness, colour: str
) -> None:
    seen = None if seconds is None else NOW
    cluster = Cluster(name="prod", status=status, observed_at=seen)
    with time_machine.travel(NOW + timedelta(seconds=seconds or 0), tick=False):
        assert (cluster.freshness, cluster.health) == (freshness, colour)


def test_a_sign_of_life_is_noted(prod: Cluster, other: Cluster) -> None:
    health.saw([prod.pk])
    prod.refresh_from_db()
    other.refresh_from_db()
    assert (prod.freshness, other.freshness) == ("live", "unknown")


@pytest.fixture
def fence(prod: Cluster) -> Fence:
    return leases.renew_and_take("me")[prod.pk].fence


def test_a_kind_that_is_lost_keeps_when_it_was_seen(fence: Fence) -> None:
    assert health.record_kinds(fence, {"Pod": Standing(State.WATCHING)})
    assert not health.record_kinds(fence, {"Pod": Standing(State.WATCHING)})
    lost = Standing(State.LOST, "why" * 300, NOW)
    assert health.record_kinds(fence, {"Pod": lost, "Node": Standing(State.LISTING)})
    assert health.record_kinds(fence, {"Pod": Standing(State.FORBIDDEN, "no")})
    stored = {one.kind: one for one in KindState.objects.all()}
    assert (stored["Pod"].state, stored["Pod"].observed_at) == ("forbidden", NOW)
    assert (stored["Node"].state, stored["Node"].observed_at) == ("listing", None)


def test_what_another_watcher_left_is_as_old_as_its_cluster(fence: Fence, prod: Cluster) -> None:
    health.record_kinds(fence, {"Pod": Standing(State.WATCHING)})
    Cluster.objects.update(observed_at=NOW)
    health.record_kinds(fence, {"Pod": Standing(State.LISTING)})
    assert KindState.objects.get().observed_at == NOW


def test_who_lost_the_lease_says_nothing_of_kinds(fence: Fence) -> None:
    with pytest.raises(LeaseLost):
        health.record_kinds(replace(fence, epoch=7), {"Pod": Standing(State.WATCHING)})
    assert not KindState.objects.exists()
