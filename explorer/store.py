"""Rows of the inventory with what they are worth: how fresh each is, and until when it was seen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from clusters.models import AsSeen, Cluster, Freshness, KindState, Object
from clusters.store import plain
from clusters.store.queries import Named

_LOST = f"""
SELECT cluster_id, kind, reason, observed_at FROM {KindState._meta.db_table}
WHERE cluster_id = ANY(%s) AND kind = ANY(%s) AND state <> %s
"""  # noqa: S608 - the name of a table


class Lost(NamedTuple):
    """Why the watch of a kind does not stand, and until when it did."""

    reason: str
    observed_at: datetime | None


class Listed(NamedTuple):
    """What a list shows of an object. To make a model of it took Django three times as long."""

    pk: int
    cluster_id: UUID
    kind: str
    namespace: str
    name: str
    uid: str
    labels: dict[str, str]
    owner_kind: str
    owner_name: str
    images: list[str]
    status: str
    health: str
    ready: int
    wanted: int
    restarts: int
    node: str
    cpu: int
    memory: int
    created: datetime
    since: datetime
    facts: dict[str, Any]


_LISTED = f"""
SELECT id, {", ".join(Listed._fields[1:])} FROM {Object._meta.db_table} WHERE id = ANY(%s)
"""  # noqa: S608 - names of columns and of a table

# By cluster and kind.
Standing = dict[tuple[UUID, str], Lost]


@dataclass(frozen=True)
class Seen:
    """An object with its cluster, and until when both were known to be so."""

    object: Object | Listed
    cluster: Cluster | Named
    freshness: Freshness
    observed_at: datetime | None

    @property
    def shown_health(self) -> str:
        """The colour word of the badge: what was seen long ago is no present health."""
        return self.object.health if self.freshness == Freshness.LIVE else "stale"


def listed(keys: list[int]) -> dict[int, Listed]:
    """The objects with these keys, by key; those that are gone are left out."""
    rows: list[Any] = [Listed(*row) for row in plain.rows(_LISTED, [keys])]
    read = msgspec.json.decode
    return {row.pk: row._replace(labels=read(row.labels), facts=read(row.facts)) for row in rows}


def behind(clusters: Iterable[Cluster | Named], kinds: Iterable[str]) -> Standing:
    """The kinds of these clusters whose watch does not stand."""
    keys = [cluster.pk for cluster in clusters]
    found = plain.rows(_LOST, [keys, list(kinds), KindState.State.WATCHING])
    return {(cluster, kind): Lost(*rest) for cluster, kind, *rest in found}


def freshness(cluster: AsSeen, lost: Lost | None) -> tuple[Freshness, datetime | None]:
    """How fresh a kind of a cluster is; `lost` is given where its watch does not stand."""
    if lost is None or cluster.freshness == Freshness.UNREACHABLE:
        return cluster.freshness, cluster.observed_at
    return Freshness.STALE, lost.observed_at


def seen(rows: Iterable[Object | Listed], clusters: Mapping[UUID, Cluster | Named]) -> list[Seen]:
    """The rows with their clusters, in the order given. Costs one query."""
    found = list(rows)
    used = {row.cluster_id: clusters[row.cluster_id] for row in found}
    standing = behind(used.values(), {row.kind for row in found})
    known = {
        key: freshness(used[key[0]], standing.get(key))
        for key in {(row.cluster_id, row.kind) for row in found}
    }
    return [Seen(row, used[row.cluster_id], *known[(row.cluster_id, row.kind)]) for row in found]
