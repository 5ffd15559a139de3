"""Rows of the inventory with what they are worth: how fresh each is, and until when it was seen."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from clusters.models import Cluster, Freshness, KindState, Object
from clusters.models.among import among

Standing = dict[tuple[UUID, str], KindState]


@dataclass(frozen=True)
class Seen:
    """An object with its cluster, and until when both were known to be so."""

    object: Object
    cluster: Cluster
    freshness: Freshness
    observed_at: datetime | None

    @property
    def shown_health(self) -> str:
        """The colour word of the badge: what was seen long ago is no present health."""
        return self.object.health if self.freshness == Freshness.LIVE else "stale"


def behind(clusters: Iterable[Cluster], kinds: Iterable[str]) -> Standing:
    """The kinds of these clusters whose watch does not stand, by cluster and kind."""
    keys = among("cluster", (cluster.pk for cluster in clusters))
    rows = KindState.objects.filter(keys, kind__in=list(kinds))
    lost = rows.exclude(state=KindState.State.WATCHING)
    return {(state.cluster_id, state.kind): state for state in lost}


def freshness(cluster: Cluster, state: KindState | None) -> tuple[Freshness, datetime | None]:
    """How fresh a kind of a cluster is; `state` is given where its watch does not stand."""
    if state is None or cluster.freshness == Freshness.UNREACHABLE:
        return cluster.freshness, cluster.observed_at
    return Freshness.STALE, state.observed_at


def seen(rows: Iterable[Object], clusters: dict[UUID, Cluster]) -> list[Seen]:
    """The rows with their clusters, in the order given. Costs one query."""
    found = list(rows)
    used = {row.cluster_id: clusters[row.cluster_id] for row in found}
    standing = behind(used.values(), {row.kind for row in found})
    known = {
        key: freshness(used[key[0]], standing.get(key))
        for key in {(row.cluster_id, row.kind) for row in found}
    }
    return [Seen(row, used[row.cluster_id], *known[(row.cluster_id, row.kind)]) for row in found]
