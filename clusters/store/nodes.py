"""How full nodes are: what their pods request and what is used, of what they can give."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, Sum

from clusters.models import Cluster, Object
from clusters.models.among import among
from clusters.store import usage
from clusters.store.capacity import Share
from teams import access
from teams.access import Who

TROUBLED = ("failing", "degraded")

# By cluster and name.
Place = tuple[UUID, str]


@dataclass(frozen=True)
class Node:
    """What a node says of itself: millicores, MiB and pods that it can take, and its kubelet."""

    cluster: UUID
    name: str
    cpu: int
    memory: int
    most_pods: int
    version: str = ""


@dataclass(frozen=True)
class Load:
    """What is on a node: its pods that are not over, those of them in trouble. `behind` is the API
    server's version where the kubelet's is an older one, else "".
    """

    cpu: Share
    memory: Share
    pods: int
    most_pods: int
    troubled: int
    behind: str
    # Whether the metrics API answers, None: nobody asked yet.
    metrics: bool | None

    @property
    def pods_width(self) -> int:
        return min(100, round(100 * self.pods / self.most_pods)) if self.most_pods else 0


def of_row(row: Any) -> Node:
    """Of an object that is a node, whole or as lists have it."""
    most = str(row.facts.get("pods", ""))
    return Node(
        row.cluster_id, row.name, row.cpu, row.memory,
        int(most) if most.isdecimal() else 0, str(row.facts.get("version", "")),
    )  # fmt: skip


def loads(
    who: Who, nodes: Iterable[Node], at: datetime | None = None, *, every: bool = False
) -> dict[Place, Load]:
    """Of each of the nodes, in three questions; `every`: they are nearly all of their clusters."""
    found = list(nodes)
    keys = {node.cluster for node in found}
    if not keys:
        return {}
    named = Q() if every else Q(node__in={node.name for node in found})
    pods = access.visible(who, Object).filter(named, among("cluster", keys), kind="Pod")
    sums = (
        pods.exclude(health="idle").exclude(node="").order_by().values_list("cluster_id", "node")
        .annotate(Sum("cpu"), Sum("memory"), Count("pk"), bad=Count("pk", Q(health__in=TROUBLED)))
    )  # fmt: skip
    asked = {(cluster, node): tuple(map(int, rest)) for cluster, node, *rest in sums}
    used = usage.latest_of(keys, "node", at)
    rows = Cluster.objects.filter(among("pk", keys)).values_list("pk", "version", "has_metrics")
    clusters = {pk: (version, metrics) for pk, version, metrics in rows}
    return {
        (node.cluster, node.name): _load(
            node, asked.get((node.cluster, node.name), (0, 0, 0, 0)),
            used.get((node.cluster, node.name)), clusters.get(node.cluster, ("", None)),
        )
        for node in found
    }  # fmt: skip


def _load(
    node: Node,
    asked: tuple[int, ...],
    used: tuple[int, int] | None,
    cluster: tuple[str, bool | None],
) -> Load:
    cpu, memory, pods, troubled = asked
    cpu_used, memory_used = used or (None, None)
    server, metrics = cluster
    return Load(
        Share(cpu_used, cpu, node.cpu),
        Share(memory_used, memory, node.memory),
        pods,
        node.most_pods,
        troubled,
        server if is_behind(node.version, server) else "",
        metrics,
    )


def is_behind(kubelet: str, server: str) -> bool:
    """Whether a version is of an older minor than another; False for what cannot be read."""
    mine, theirs = _minor(kubelet), _minor(server)
    return mine is not None and theirs is not None and mine < theirs


def _minor(version: str) -> tuple[int, int] | None:
    """ "v1.33.2-gke.1" is (1, 33)."""
    parts = version.removeprefix("v").split(".")
    numbers: Collection[str] = parts[:2]
    if len(parts) < 2 or not all(each.isascii() and each.isdecimal() for each in numbers):
        return None
    return int(parts[0]), int(parts[1])
