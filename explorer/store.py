"""Rows of the inventory with what they are worth: how fresh each is, and until when it was seen."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db.models import Q, QuerySet, Sum

from clusters.models import (
    AsSeen,
    Cluster,
    CustomResource,
    Freshness,
    KindState,
    Object,
    Tally,
)
from clusters.models.among import among
from clusters.store import nodes, plain
from clusters.store.nodes import Load
from clusters.store.queries import Named
from explorer.models import ColumnChoice, SavedView
from teams import access
from teams.access import AnyUser, Who
from teams.models import User

_LOST = f"""
SELECT cluster_id, kind, reason, observed_at, state FROM {KindState._meta.db_table}
WHERE cluster_id = ANY(%s) AND kind = ANY(%s) AND state <> %s
"""  # noqa: S608 - the name of a table


class Lost(NamedTuple):
    """Why the watch of a kind does not stand, and until when it did."""

    reason: str
    observed_at: datetime | None
    state: str = KindState.State.LOST


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
    # What is on it, of a node.
    load: Load | None = None

    @property
    def shown_health(self) -> str:
        """The colour word of the badge: what was seen long ago is no present health."""
        return self.object.health if self.freshness == Freshness.LIVE else "stale"


def kinds(user: AnyUser) -> dict[str, Counter[str]]:
    """The kinds of which the person sees rows, and how many there are of each health."""
    rows = access.visible(user, Tally).filter(n__gt=0).order_by()
    found: dict[str, Counter[str]] = {}
    for kind, health, n in rows.values_list("kind", "health").annotate(sum=Sum("n")):
        found.setdefault(kind, Counter())[health] = n
    return found


def plurals(kind: str, clusters: Iterable[Cluster | Named]) -> set[str]:
    """What a custom kind, named with its group, is called where its changes are told."""
    name, _dot, group = kind.partition(".")
    found = CustomResource.objects.filter(kind=name, group=group)
    keys = [cluster.pk for cluster in clusters]
    return set(found.filter(among("cluster_id", keys)).values_list("plural", flat=True))


def liked(user: User, kind: str) -> tuple[str, ...]:
    """The columns that the person chose for lists of the kind; none for the usual ones."""
    found = ColumnChoice.objects.filter(user=user, kind=kind).values_list("columns", flat=True)
    return tuple(found.first() or ())


def views(user: User, kind: str = "") -> QuerySet[SavedView]:
    """A person's own views and those of his teams; the views of all others are not listed."""
    mine = Q(owner=user) | Q(team__members=user)
    rows = access.visible(user, SavedView).filter(mine).select_related("team", "owner")
    return rows.filter(kind=kind) if kind else rows


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


def worst(found: Iterable[Lost | None]) -> Lost | None:
    """Of the kinds of one list: what is least as it should be, None where nothing is.

    A kind that a cluster has not is as it should be beside others that it has.
    """
    each = list(found)
    lost = [one for one in each if one is not None]
    broken = [one for one in lost if one.state != KindState.State.ABSENT]
    if broken:
        never = datetime.min.replace(tzinfo=UTC)
        return min(broken, key=lambda one: one.observed_at or never)
    return lost[0] if lost and len(lost) == len(each) else None


def freshness(cluster: AsSeen, lost: Lost | None) -> tuple[Freshness, datetime | None]:
    """How fresh a kind of a cluster is; `lost` is given where its watch does not stand."""
    if lost is None or cluster.freshness == Freshness.UNREACHABLE:
        return cluster.freshness, cluster.observed_at
    return Freshness.STALE, lost.observed_at


def loaded(who: Who, found: list[Seen]) -> list[Seen]:
    """The same, the nodes among them with what is on them."""
    nodes_of = {
        (each.object.cluster_id, each.object.name): nodes.of_row(each.object)
        for each in found
        if each.object.kind == "Node"
    }
    if not nodes_of:
        return found
    known = nodes.loads(who, nodes_of.values())
    return [
        replace(each, load=known.get((each.object.cluster_id, each.object.name)))
        if each.object.kind == "Node"
        else each
        for each in found
    ]


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
