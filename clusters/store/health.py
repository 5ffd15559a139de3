"""What polls and probes found out about a cluster as a whole."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from clusters.kube import errors
from clusters.models import LIVE_FOR, Cluster, KindState, Object, Status
from clusters.store.rows import Fence, hold


def status_of(error: errors.KubeError) -> Status:
    """The status word of a cluster that answered with this error."""
    match error:
        case errors.Unauthorized():
            return Status.UNAUTHORIZED
        case errors.Refused() | errors.BadAnswer():
            return Status.DEGRADED
        case _:
            return Status.UNREACHABLE


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


@transaction.atomic
def saw(cluster_ids: Iterable[UUID]) -> list[UUID]:
    """Notes a sign of life on the watches of these clusters, by the database's clock.

    Returns those that were not live before.
    """
    # One that is being deleted or changed must not hold up the others.
    free = Cluster.objects.filter(pk__in=list(cluster_ids)).order_by("pk")
    free = free.select_for_update(no_key=True, skip_locked=True)
    rows = Cluster.objects.filter(pk__in=list(free.values_list("pk", flat=True)))
    live = rows.filter(observed_at__gt=Now() - LIVE_FOR)
    woken = list(rows.exclude(pk__in=live).values_list("pk", flat=True))
    rows.update(observed_at=Now())
    return woken


@dataclass(frozen=True)
class Standing:
    """How the watch of one kind stands, and since when what is stored of it may be old.

    `observed_at` None: as long as the cluster itself was observed, if the kind was watched.
    """

    state: KindState.State
    reason: str = ""
    observed_at: datetime | None = None


# What leaves WATCHING was true until then; what was not watched stays as old as it was.
_KINDS = """
INSERT INTO clusters_kindstate AS k (cluster_id, kind, state, reason, observed_at)
SELECT %(cluster)s, kind, state, reason, observed_at
FROM unnest(%(kinds)s::text[], %(states)s::text[], %(reasons)s::text[], %(times)s::timestamptz[])
  AS entered (kind, state, reason, observed_at)
ON CONFLICT (cluster_id, kind) DO UPDATE SET
  state = EXCLUDED.state, reason = EXCLUDED.reason,
  observed_at = CASE WHEN EXCLUDED.state = 'watching' THEN now()
    -- A watcher's clock that is ahead must not make old rows present.
    WHEN k.state <> 'watching' THEN k.observed_at
    WHEN EXCLUDED.observed_at < now() THEN EXCLUDED.observed_at
    WHEN EXCLUDED.observed_at IS NOT NULL THEN now()
    ELSE (SELECT observed_at FROM clusters_cluster WHERE id = k.cluster_id) END
WHERE (k.state, k.reason) <> (EXCLUDED.state, EXCLUDED.reason)
"""


@transaction.atomic
def record_kinds(fence: Fence, entered: Mapping[str, Standing]) -> bool:
    """Stores how the watches of some kinds stand; True when that is news. LeaseLost as `flush`."""
    with connection.cursor() as cursor:
        hold(cursor, fence)
        cursor.execute(_KINDS, {
            "cluster": fence.cluster_id,
            "kinds": list(entered),
            "states": [str(one.state) for one in entered.values()],
            "reasons": [one.reason[:500] for one in entered.values()],
            "times": [one.observed_at for one in entered.values()],
        })  # fmt: skip
        return bool(cursor.rowcount > 0)


def kinds_of(cluster_id: UUID) -> set[str]:
    """Every kind of which something may be stored."""
    return set(KindState.objects.filter(cluster_id=cluster_id).values_list("kind", flat=True))
