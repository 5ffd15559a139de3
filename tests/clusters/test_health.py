"""How a cluster is: what polls find, what its status means, how old that is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from clusters.kube import errors
from clusters.models import Cluster, Freshness, KindState, Status
from clusters.store import health
from clusters.store.health import Polled

NOW = datetime(2026, 6, 1, tzinfo=UTC)


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
    assert health.record_poll(prod.pk, error)
    prod.refresh_from_db()
    assert (prod.status, prod.status_reason) == (status, "no")
    assert prod.polled_at


def test_a_good_poll_brings_the_facts_and_clears_the_reason(prod: Cluster) -> None:
    health.record_poll(prod.pk, errors.Unreachable("nobody is there"))
    assert health.record_poll(prod.pk, Polled("v1.37.2", 3))
    prod.refresh_from_db()
    assert (prod.status, prod.status_reason, prod.version, prod.node_count) == (
        "active", "", "v1.37.2", 3,
    )  # fmt: skip


def test_only_what_shows_is_told(prod: Cluster) -> None:
    assert health.record_poll(prod.pk, Polled("v1.37.2", 3))
    assert not health.record_poll(prod.pk, Polled("v1.37.2", 3))
    assert health.record_poll(prod.pk, Polled("v1.37.2", 4))


@pytest.mark.parametrize("status", [Status.PENDING, Status.UNREACHABLE, Status.UNAUTHORIZED])
def test_a_probe_that_is_answered_makes_active(status: Status, prod: Cluster) -> None:
    health.record_status(prod.pk, status, "why")
    assert health.record_answer(prod.pk, "")
    assert not health.record_answer(prod.pk, "")
    prod.refresh_from_db()
    assert (prod.status, prod.status_reason) == ("active", "")


def test_a_probe_does_not_lift_what_a_poll_found(prod: Cluster) -> None:
    health.record_poll(prod.pk, errors.Forbidden("nodes are forbidden", 403))
    assert not health.record_answer(prod.pk, "")
    assert not health.record_answer(prod.pk, "not ready")
    prod.refresh_from_db()
    assert (prod.status, prod.status_reason) == ("degraded", "nodes are forbidden")
    assert health.record_poll(prod.pk, Polled("v1.37.2", 3))


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


def test_a_kind_that_is_lost_keeps_when_it_was_seen(prod: Cluster) -> None:
    health.record_kind(prod.pk, "Pod", KindState.State.WATCHING)
    seen = KindState.objects.get().observed_at
    health.record_kind(prod.pk, "Pod", KindState.State.LOST, "why" * 300)
    state = KindState.objects.get()
    assert (state.state, state.observed_at, len(state.reason)) == ("lost", seen, 500)
    assert seen
