"""What stands inside one cluster, as the tables of its page show it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, QuerySet, Sum, Value, When

from clusters.models import Cluster, Namespace, Object, Tally
from clusters.store import capacity, queries, usage
from clusters.store.capacity import Asked, Full, Share
from teams import access
from teams.access import Who

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")
# Failing first: what needs a person stands on top of its list.
_RANK = Case(
    When(health="failing", then=Value(0)),
    When(health="degraded", then=Value(1)),
    When(health="unknown", then=Value(2)),
    When(health="progressing", then=Value(3)),
    When(health="healthy", then=Value(4)),
    default=Value(5),
)


@dataclass(frozen=True)
class NodeRow:
    """A node with how full it is; `most_pods` is 0 where it does not say."""

    node: Object
    full: Full
    pods: int
    most_pods: int

    @property
    def pods_width(self) -> int:
        return min(100, round(100 * self.pods / self.most_pods)) if self.most_pods else 0


@dataclass(frozen=True)
class NamespaceRow:
    """A namespace with its pods by health, what they request and what they use."""

    name: str
    pods: Counter[str]
    asked: Asked
    cpu_used: int | None
    memory_used: int | None

    @property
    def total(self) -> int:
        return self.pods.total()

    @property
    def states(self) -> dict[str, int]:
        return queries.pods_by_state(self.pods)


def nodes(who: Who, cluster: Cluster) -> list[NodeRow]:
    """Every node that the person may see, with the requests on it and its use."""
    found = access.visible(who, Object).filter(cluster=cluster, kind="Node").order_by("name")
    asked = capacity.asked_by(who, cluster, "node")
    used = usage.latest(cluster.pk, "node")
    rows = []
    for node in found:
        node.cluster = cluster
        rows.append(_node(node, asked.get(node.name, Asked()), used.get(("", node.name))))
    return rows


def _node(node: Object, asked: Asked, used: tuple[int, int] | None) -> NodeRow:
    cpu, memory = used or (None, None)
    most = str(node.facts.get("pods", ""))
    return NodeRow(
        node=node,
        full=Full(Share(cpu, asked.cpu, node.cpu), Share(memory, asked.memory, node.memory)),
        pods=asked.pods,
        most_pods=int(most) if most.isascii() and most.isdecimal() and len(most) < 10 else 0,
    )


def namespaces(who: Who, cluster: Cluster) -> list[NamespaceRow]:
    """The namespaces that exist and that the person may see."""
    seen = access.visible(who, Namespace).filter(Namespace.existing(), cluster=cluster)
    tallies = access.visible(who, Tally).filter(cluster=cluster, kind="Pod").order_by()
    pods: dict[str, Counter[str]] = defaultdict(Counter)
    sums = tallies.values_list("namespace", queries.COUNTED_AS).annotate(sum=Sum("n"))
    for name, health, n in sums:
        pods[name][health] += n
    asked = capacity.asked_by(who, cluster, "namespace")
    used = usage.latest(cluster.pk, "namespace")
    return [
        NamespaceRow(
            name, pods[name], asked.get(name, Asked()), *used.get((name, ""), (None, None))
        )
        for name in seen.order_by("name").values_list("name", flat=True)
    ]


def namespace_names(who: Who, cluster: Cluster) -> list[str]:
    seen = access.visible(who, Namespace).filter(Namespace.existing(), cluster=cluster)
    return list(seen.order_by("name").values_list("name", flat=True))


def workloads(who: Who, cluster: Cluster, wanted: dict[str, Any]) -> QuerySet[Object]:
    """Controllers of pods, those that fail first; `wanted` narrows by lookups of Object."""
    rows = access.visible(who, Object).filter(cluster=cluster, kind__in=WORKLOADS, **wanted)
    return rows.annotate(rank=_RANK).order_by("rank", "namespace", "name", "kind", "pk")


@dataclass(frozen=True)
class KindCount:
    """How many of a kind there are, are on their way, and fail or lack something."""

    kind: str
    total: int
    progressing: int
    troubled: int


def kind_counts(who: Who, cluster: Cluster, kinds: Sequence[str]) -> list[KindCount]:
    """Of each kind, over what the person sees."""
    rows = access.visible(who, Tally).filter(cluster=cluster, kind__in=kinds).order_by()
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for kind, health, n in rows.values_list("kind", "health").annotate(sum=Sum("n")):
        counts[kind][health] += n
    return [
        KindCount(kind, n.total(), n["progressing"], n["failing"] + n["degraded"])
        for kind, n in ((kind, counts[kind]) for kind in kinds)
    ]


def events(who: Who, cluster: Cluster, wanted: dict[str, Any]) -> QuerySet[Object]:
    """The newest first; `created` of an event is when it was seen last."""
    rows = access.visible(who, Object).filter(cluster=cluster, kind="Event", **wanted)
    return rows.order_by("-created", "-pk")


@dataclass(frozen=True)
class PodUse:
    """What one pod uses: millicores and MiB."""

    namespace: str
    name: str
    cpu: int
    memory: int


def top_pods(who: Who, cluster: Cluster, *, whole: bool, most: int) -> list[list[PodUse]]:
    """The pods that use most CPU and those that use most memory now."""
    mine = None if whole else set(namespace_names(who, cluster))
    found = [
        PodUse(namespace, name, *amounts)
        for (namespace, name), amounts in usage.latest(cluster.pk, "pod").items()
        if mine is None or namespace in mine
    ]
    return [
        sorted(found, key=lambda pod: (-pod.cpu, pod.namespace, pod.name))[:most],
        sorted(found, key=lambda pod: (-pod.memory, pod.namespace, pod.name))[:most],
    ]
