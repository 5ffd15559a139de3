"""Questions that pages and the API ask of the stored rows."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min, QuerySet
from django.db.models.fields.json import KeyTextTransform

from clusters.models import Cluster, Environment, Freshness, Namespace, Object
from teams import access
from teams.access import AnyUser

# Pods by what they do, in the words of `kubectl get pods`; a Succeeded pod has not failed.
_PENDING = {"progressing"}


@dataclass(frozen=True)
class Stats:
    nodes: int
    pods: int
    namespaces: int
    running: int
    pending: int
    failing: int
    succeeded: int


def pods(user: AnyUser) -> QuerySet[Object]:
    """Every pod that the person may see, over all clusters."""
    return access.visible(user, Object).filter(kind="Pod").select_related("cluster")


def nodes(user: AnyUser, cluster: Cluster) -> QuerySet[Object]:
    """The nodes of a cluster, each with the `zone` of its labels."""
    rows = access.visible(user, Object).filter(cluster=cluster, kind="Node")
    zone = KeyTextTransform("topology.kubernetes.io/zone", "labels")
    return rows.select_related("cluster").annotate(zone=zone).order_by("name")


def pod_counts(rows: QuerySet[Object]) -> dict[UUID, Counter[str]]:
    """Pods by cluster and health word, for the rows given, in one query."""
    counts: dict[UUID, Counter[str]] = {}
    grouped = rows.order_by().values_list("cluster_id", "health").annotate(n=Count("pk"))
    for cluster_id, health, n in grouped:
        counts.setdefault(cluster_id, Counter())[health] += n
    return counts


def stats(user: AnyUser, cluster: Cluster) -> Stats:
    """Figures of one cluster, over the rows that the person may see."""
    rows = access.visible(user, Object).filter(cluster=cluster)
    health = pod_counts(rows.filter(kind="Pod")).get(cluster.pk, Counter())
    return Stats(
        nodes=rows.filter(kind="Node").count(),
        pods=health.total(),
        namespaces=access.visible(user, Namespace)
        .filter(Namespace.existing(), cluster=cluster)
        .count(),
        running=health["healthy"] + health["degraded"],
        pending=sum(health[word] for word in _PENDING),
        failing=health["failing"],
        succeeded=health["idle"],
    )


@dataclass(frozen=True)
class Summary:
    """The fleet in figures, over what the person may see."""

    clusters: int
    healthy_clusters: int
    nodes: int
    pods: int
    running: int
    pending: int
    failing: int


def summary(user: AnyUser) -> Summary:
    clusters = list(access.visible(user, Cluster))
    health: Counter[str] = sum(pod_counts(pods(user)).values(), Counter())
    return Summary(
        clusters=len(clusters),
        healthy_clusters=sum(cluster.health == "healthy" for cluster in clusters),
        nodes=access.visible(user, Object).filter(kind="Node").count(),
        pods=health.total(),
        running=health["healthy"] + health["degraded"],
        pending=health["progressing"],
        failing=health["failing"],
    )


MOST_ATTENTION = 12


@dataclass(frozen=True)
class Attention:
    """What needs a person: clusters that nobody sees, nodes and owners of pods that fail."""

    clusters: list[Cluster]
    nodes: list[Object]
    pods: list[dict[str, Any]]
    total: int


def attention(user: AnyUser) -> Attention:
    clusters = [
        cluster
        for cluster in access.visible(user, Cluster)
        if cluster.freshness != Freshness.LIVE or cluster.health == "degraded"
    ]
    rows = access.visible(user, Object).filter(health="failing")
    nodes = list(rows.filter(kind="Node").select_related("cluster")[:MOST_ATTENTION])
    groups = (
        rows.filter(kind="Pod")
        .values("cluster_id", "cluster__name", "cluster__environment", "namespace", "owner_kind",
                "owner_name", "status")
        .annotate(pods=Count("pk"), restarts=Max("restarts"), name=Min("name"))
        .order_by("-pods", "cluster__name", "namespace", "name")
    )  # fmt: skip
    failing = [
        {**group, "environment_label": Environment(group["cluster__environment"]).label}
        for group in groups[: MOST_ATTENTION + 1]
    ]
    total = len(clusters) + len(nodes) + len(failing)
    return Attention(clusters, nodes, failing[:MOST_ATTENTION], total)
