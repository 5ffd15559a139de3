"""The clusters as rows of a table: what the fleet page and the list both show of each."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from clusters.models import Cluster, Environment
from clusters.store import capacity, queries, usage
from clusters.store.capacity import Full, Share
from teams.access import Who

ENVIRONMENTS = list(reversed(Environment.values))
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    """One cluster as a person sees it; `full` and `line` are None for what is not theirs."""

    cluster: Cluster
    whole: bool
    pods: Counter[str]
    full: Full | None
    line: list[float | None] | None

    @property
    def cpu(self) -> Share | None:
        return self.full.cpu if self.full else None

    @property
    def memory(self) -> Share | None:
        return self.full.memory if self.full else None

    @property
    def pod_total(self) -> int:
        return self.pods.total()

    @property
    def failing(self) -> int:
        return self.pods["failing"]


def rows(who: Who, clusters: list[Cluster], pods: dict[UUID, Counter[str]]) -> list[Row]:
    """A row for each of the clusters, in their order."""
    whole = queries.wholly_seen(who, clusters)
    full = capacity.by_cluster(whole)
    lines = usage.day_lines(full)
    return [
        Row(
            cluster=cluster,
            whole=cluster.pk in whole,
            pods=pods.get(cluster.pk, Counter()),
            full=full.get(cluster.pk),
            line=lines.get(cluster.pk),
        )
        for cluster in clusters
    ]


def _order(share: Share | None) -> tuple[int, int]:
    return share.order if share else (-1, -1)


SORTS: dict[str, Callable[[Row], Any]] = {
    "name": lambda row: row.cluster.name,
    "env": lambda row: ENVIRONMENTS.index(row.cluster.environment),
    "status": lambda row: (row.cluster.health, row.cluster.status),
    "nodes": lambda row: row.cluster.node_count,
    "pods": lambda row: row.pod_total,
    "failing": lambda row: row.failing,
    "cpu": lambda row: _order(row.cpu),
    "memory": lambda row: _order(row.memory),
    "version": lambda row: [int(n) for n in re.findall(r"\d{1,9}", row.cluster.version)],
    "expires": lambda row: (row.whole and row.cluster.credential_expires) or NEVER,
}


def in_order(found: Iterable[Row], sort: str) -> list[Row]:
    """By the column that `sort` names, "-" before it turns it round; equals stand by name."""
    by_name = sorted(found, key=SORTS["name"])
    return sorted(by_name, key=SORTS[sort.removeprefix("-")], reverse=sort.startswith("-"))
