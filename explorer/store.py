"""Rows of the inventory with what they are worth: how fresh each is, and until when it was seen."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from clusters.models import Cluster, Freshness, KindState, Object

# By plain SQL: every list asks it, and Django would need longer to write it than to run it.
_LOST = f"""
SELECT cluster_id, kind, reason, observed_at FROM {KindState._meta.db_table}
WHERE cluster_id = ANY(%s) AND kind = ANY(%s) AND state <> %s
"""  # noqa: S608 - the name of a table


class Lost(NamedTuple):
    """Why the watch of a kind does not stand, and until when it did."""

    reason: str
    observed_at: datetime | None


# By cluster and kind.
Standing = dict[tuple[UUID, str], Lost]


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
    """The kinds of these clusters whose watch does not stand."""
    keys = [cluster.pk for cluster in clusters]
    with connection.cursor() as cursor:
        cursor.execute(_LOST, [keys, list(kinds), KindState.State.WATCHING])
        return {(cluster, kind): Lost(*rest) for cluster, kind, *rest in cursor}


def freshness(cluster: Cluster, lost: Lost | None) -> tuple[Freshness, datetime | None]:
    """How fresh a kind of a cluster is; `lost` is given where its watch does not stand."""
    if lost is None or cluster.freshness == Freshness.UNREACHABLE:
        return cluster.freshness, cluster.observed_at
    return Freshness.STALE, lost.observed_at


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
