"""What polls and probes found out about a cluster as a whole."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from clusters.kube import errors
from clusters.models import LIVE_FOR, Cluster, KindState, Object, Status


@dataclass(frozen=True)
class Polled:
    """The answer of a cluster that was asked for its version and nodes."""

    version: str
    node_count: int


def status_of(error: errors.KubeError) -> Status:
    """The status word of a cluster that answered with this error."""
    match error:
        case errors.Unauthorized():
            return Status.UNAUTHORIZED
        case errors.Refused() | errors.BadAnswer():
            return Status.DEGRADED
        case _:
            return Status.UNREACHABLE


def record_poll(cluster_id: UUID, outcome: Polled | errors.KubeError) -> bool:
    """Stores what a poll found; True when something that pages show has changed."""
    if isinstance(outcome, errors.KubeError):
        Cluster.objects.filter(pk=cluster_id).update(polled_at=Now())
        return record_status(cluster_id, status_of(outcome), str(outcome))
    facts = {"version": outcome.version, "node_count": outcome.node_count}
    rows = Cluster.objects.filter(pk=cluster_id)
    changed = rows.exclude(**facts).exists()
    rows.update(polled_at=Now(), **facts)
    return record_status(cluster_id, Status.ACTIVE, "") or changed


def record_status(cluster_id: UUID, status: Status, reason: str) -> bool:
    """Stores the status; True when it differs from the one before."""
    other = Cluster.objects.filter(pk=cluster_id).exclude(status=status)
    if other.update(status=status, status_reason=reason[:500], status_since=timezone.now()):
        return True
    Cluster.objects.filter(pk=cluster_id).exclude(status_reason=reason[:500]).update(
        status_reason=reason[:500]
    )
    return False


def record_answer(cluster_id: UUID, complaint: str) -> bool:
    """Stores that a probe was answered; True when the status differs from the one before.

    A probe asks less than a poll: it lifts no degradation but the one of its own `complaint`.
    """
    lifted = Q(status__in=[Status.PENDING, Status.UNREACHABLE, Status.UNAUTHORIZED])
    if complaint:
        lifted |= Q(status=Status.DEGRADED, status_reason=complaint[:500])
    rows = Cluster.objects.filter(lifted, pk=cluster_id)
    values = {"status": Status.ACTIVE, "status_reason": "", "status_since": timezone.now()}
    return bool(rows.update(**values))


def has_rows(cluster_id: UUID, kind: str) -> bool:
    """Whether objects of the kind are stored, from whichever time."""
    return Object.objects.filter(cluster_id=cluster_id, kind=kind).exists()


def saw(cluster_ids: Iterable[UUID]) -> list[UUID]:
    """Notes a sign of life on the watches of these clusters, by the database's clock.

    Returns those that were not live before.
    """
    rows = Cluster.objects.filter(pk__in=list(cluster_ids))
    live = rows.filter(observed_at__gt=Now() - LIVE_FOR)
    woken = list(rows.exclude(pk__in=live).values_list("pk", flat=True))
    rows.update(observed_at=Now())
    return woken


def record_kind(cluster_id: UUID, kind: str, state: KindState.State, reason: str = "") -> None:
    values = {"state": state, "reason": reason[:500]}
    if state == KindState.State.WATCHING:
        values["observed_at"] = timezone.now()  # type: ignore[assignment]
    KindState.objects.update_or_create(cluster_id=cluster_id, kind=kind, defaults=values)
