"""What is wrong with a cluster as a whole: how it answers, and what will soon run out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clusters.models import Cluster, Freshness, IdentityState, KindState, Status
from clusters.store.changes import Change, Place

# A cluster that was registered just now may be unseen for a moment.
FIRST_LOOK = timedelta(minutes=1)
# Credentials that end so soon are told; so soon it is urgent.
SOON = timedelta(days=30)
URGENT = timedelta(days=1)
# Without these MCM shows nothing of a cluster.
ESSENTIAL = ("Namespace", "Node", "Pod")


@dataclass
class Entry:
    """One thing that needs a person; `leads_to` names the place where it is mended."""

    bad: bool
    cluster: Cluster
    kind: str
    name: str
    words: str
    since: datetime | None
    leads_to: str
    namespace: str = ""
    health: str = ""
    # The only pod of it that is meant.
    pod: int | None = None
    reason: str = ""
    change: Change | None = None
    owner_created: datetime | None = None

    @property
    def place(self) -> Place:
        return Place(self.cluster.pk, self.kind, self.namespace, self.name)


def entries(clusters: list[Cluster], whole: set[UUID]) -> Iterator[Entry]:
    """Of these clusters; what only concerns who holds one whole is left out for others."""
    kinds = _missed_kinds([cluster for cluster in clusters if cluster.pk in whole])
    for cluster in clusters:
        yield from _answers(cluster)
        if cluster.pk in whole:
            yield from _expiries(cluster)
            yield from _identity(cluster)
            yield from (_not_shown(cluster, kind) for kind in kinds.get(cluster.pk, []))


def _answers(cluster: Cluster) -> Iterator[Entry]:
    if cluster.freshness == Freshness.UNREACHABLE or cluster.status == Status.DEGRADED:
        yield _about(
            cluster,
            str(cluster.get_status_display()),
            bad=cluster.freshness == Freshness.UNREACHABLE,
            since=cluster.status_since,
            reason=cluster.reason,
            leads_to="credentials" if cluster.status == Status.UNAUTHORIZED else "cluster",
        )
    elif cluster.freshness == Freshness.STALE:
        yield _about(cluster, _("Not seen any more"), since=cluster.observed_at)
    elif cluster.freshness == Freshness.UNKNOWN and _waited(cluster):
        yield _about(cluster, _("Not seen yet"), since=cluster.created)


def _waited(cluster: Cluster) -> bool:
    return timezone.now() - cluster.created > FIRST_LOOK


def _about(
    cluster: Cluster,
    words: str,
    *,
    since: datetime | None,
    bad: bool = False,
    reason: str = "",
    leads_to: str = "cluster",
) -> Entry:
    return Entry(bad, cluster, "Cluster", cluster.name, words, since, leads_to, reason=reason)


def _expiries(cluster: Cluster) -> Iterator[Entry]:
    for ends, what, leads_to in (
        (cluster.credential_expires, _("credentials"), "credentials"),
        (cluster.certificate_expires, _("certificate of the API server"), "cluster"),
    ):
        if ends and ends - timezone.now() < SOON:
            bad = ends - timezone.now() < URGENT
            yield Entry(bad, cluster, "Credentials", what, until(ends), None, leads_to)


def until(ends: datetime) -> str:
    """When something ends, in days or hours from now: "expires in 9 days"."""
    left = ends - timezone.now()
    hours = int(left.total_seconds() // 3600)
    if left <= timedelta():
        return _("has expired")
    if left < timedelta(days=2):
        return ngettext("expires within %(n)d hour", "expires within %(n)d hours", hours + 1) % {
            "n": hours + 1
        }
    return ngettext("expires in %(n)d day", "expires in %(n)d days", left.days) % {"n": left.days}


def _identity(cluster: Cluster) -> Iterator[Entry]:
    words = {
        IdentityState.UNCHECKED: _("Nobody has checked whether it knows the people who act there"),
        IdentityState.CHANGED: _("Who may act there has changed since the cluster was told"),
        IdentityState.WRONG: _("It does not know just those who may act there"),
    }
    if cluster.impersonates and cluster.identity_state in words:
        since = cluster.identity_changed_at
        yield _about(cluster, words[cluster.identity_state], since=since, leads_to="access")


def _missed_kinds(clusters: list[Cluster]) -> dict[UUID, list[KindState]]:
    """What the clusters do not show of the essential, and of the custom that somebody turned on."""
    rows = KindState.objects.filter(
        Q(kind__in=ESSENTIAL) | Q(kind__contains="."),
        cluster__in=clusters,
        state__in=[KindState.State.FORBIDDEN, KindState.State.ABSENT],
    )
    kinds: dict[UUID, list[KindState]] = {}
    for row in rows.order_by("kind"):
        kinds.setdefault(row.cluster_id, []).append(row)
    return kinds


def _not_shown(cluster: Cluster, kind: KindState) -> Entry:
    words = _("MCM may not read %(kind)s there")
    if kind.state == KindState.State.ABSENT:
        words = _("The cluster does not have %(kind)s")
    return _about(cluster, words % {"kind": kind.kind}, since=kind.observed_at, leads_to="access")
