"""Figures of one cluster for a person: what it uses now, and how old what is stored of it is."""

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.http import Http404

from clusters.kube import metrics
from clusters.kube.client import Client
from clusters.kube.types import SERVICE_ACCOUNT
from clusters.models import Capacity, Cluster, Freshness, KindState, Namespace, Object, Scope
from clusters.services.waiting import let_others_query
from clusters.store import identity
from teams import access
from teams.access import AnyUser
from teams.models import User
from teams.roles import Action

# Somebody waits for the answer.
DEADLINE = 5.0


@dataclass(frozen=True)
class Resources:
    """What the nodes and pods that the person may see use right now."""

    nodes: list[metrics.Usage]
    pods: list[metrics.PodUsage]


def resources(user: User, cluster: Cluster) -> Resources:
    """Asks the cluster's metrics API; KubeError, NotFound where there is none, and CannotOpen.

    Nodes are for those who see the whole cluster. Asked as the person, the cluster tells of each
    namespace by itself.
    """
    whole = access.holds(user, Action.VIEW, cluster)
    seen = access.visible(user, Namespace).filter(cluster=cluster)
    names = set(seen.values_list("name", flat=True))
    who = identity.for_reading(user, cluster)
    connection = cluster.connection
    let_others_query()
    with Client(connection, who, deadline=DEADLINE, budget=DEADLINE) as client:
        nodes = metrics.node_usage(client) if whole else []
        if whole or who == SERVICE_ACCOUNT:
            found = metrics.pod_usage(client)
            pods = [pod for pod in found if whole or pod.namespace in names]
        else:
            pods = [pod for name in sorted(names) for pod in metrics.pod_usage(client, name)]
    return Resources(nodes, pods)


def require_scope(user: AnyUser, cluster: Cluster, scope: Scope, namespace: str) -> None:
    """The right to see the use of a cluster as a whole, or of one namespace and its pods.

    Http404 for a namespace that the person does not see, PermissionDenied for the whole.
    """
    if access.holds(user, Action.VIEW, cluster):
        return
    if scope in {"cluster", "node"}:
        raise PermissionDenied
    seen = access.visible(user, Namespace).filter(cluster=cluster, name=namespace)
    if not seen.exists():
        raise Http404


def allocatable(cluster: Cluster, scope: Scope, name: str) -> tuple[int, int] | None:
    """The millicores and MiB that a cluster or a node can give; None where nothing bounds use."""
    if scope == "cluster":
        rows = Capacity.objects.filter(cluster=cluster)
        return rows.values_list("cpu_allocatable", "memory_allocatable").first()
    if scope == "node":
        nodes = Object.objects.filter(cluster=cluster, kind="Node", name=name)
        return nodes.values_list("cpu", "memory").first()
    return None


def observed(cluster: Cluster, *kinds: str) -> tuple[Freshness, datetime | None]:
    """How far rows of these kinds are the cluster's present state, and until when they were."""
    states = list(KindState.objects.filter(cluster=cluster, kind__in=kinds))
    behind = [each for each in states if each.state != KindState.State.WATCHING]
    if not behind or cluster.observed_at is None:
        return cluster.freshness, cluster.observed_at
    times = [each.observed_at for each in behind if each.observed_at is not None]
    freshness = cluster.freshness
    return (
        Freshness.STALE if freshness == Freshness.LIVE else freshness,
        min([cluster.observed_at, *times]) if len(times) == len(behind) else None,
    )
