"""Questions that pages and the API ask of the stored rows as a whole."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Case, F, Sum, Value, When

from clusters.models import AsSeen, Cluster, Freshness, KindState, Namespace, Tally
from clusters.store import plain
from teams import access
from teams.access import Who

# What lists of other things show of their cluster: its name, and how fresh they are.
SHOWN = ("name", "environment", "status", "status_reason", "observed_at")
# What no list of clusters needs, and what is long.
HEAVY = ("sealed_connection", "rights", "identity_report")
# The health by which objects are counted. A pod that ends still runs: it waits for nothing.
COUNTED_AS = Case(
    When(kind="Pod", status="Terminating", then=Value("healthy")), default=F("health")
)


@dataclass(frozen=True, slots=True)
class Named(AsSeen):
    """A cluster as lists of other things show it."""

    pk: UUID
    name: str
    environment: str
    status: str
    status_reason: str
    observed_at: datetime | None


def named(who: Who) -> dict[UUID, Named]:
    """The clusters that the person sees at all, in the order of their names."""
    query = access.visible(who, Cluster).order_by("name").values_list("pk", *SHOWN)
    return {row[0]: Named(*row) for row in plain.around("{}", query)}


@dataclass(frozen=True)
class Stats:
    """Figures of one cluster; a Succeeded pod has not failed."""

    nodes: int
    pods: int
    namespaces: int
    running: int
    pending: int
    failing: int
    succeeded: int


@dataclass(frozen=True)
class Summary:
    """The fleet in figures, over what the person may see."""

    clusters: int
    healthy_clusters: int
    # Clusters by what is wrong with them: "degraded", "unreachable", "stale", …
    troubled: dict[str, int]
    nodes: int
    ready_nodes: int
    pods: int
    running: int
    pending: int
    failing: int
    succeeded: int


def clusters(who: Who) -> list[Cluster]:
    """The clusters that the person sees at all, without their credentials."""
    return list(access.visible(who, Cluster).defer(*HEAVY))


def wholly_seen(who: Who, found: Iterable[Cluster]) -> set[UUID]:
    """Those of which the person sees everything, not just namespaces."""
    held = access.holdings(who)
    return {each.pk for each in found if held.everything or each.pk in held.ids(Cluster)}


def health_counts(who: Who, kind: str) -> dict[UUID, Counter[str]]:
    """Objects of a kind by cluster and health word, as the database keeps count of them."""
    counts: dict[UUID, Counter[str]] = {}
    rows = access.visible(who, Tally).filter(kind=kind).order_by()
    sums = rows.values_list("cluster_id", COUNTED_AS).annotate(sum=Sum("n"))
    for cluster_id, health, n in sums:
        counts.setdefault(cluster_id, Counter())[health] += n
    return counts


def pods_by_state(health: Counter[str]) -> dict[str, int]:
    """Pods counted by health, in the words of figures: the four parts add up to `pods`."""
    return {
        "pods": health.total(),
        "running": health.total() - health["progressing"] - health["failing"] - health["idle"],
        "pending": health["progressing"],
        "failing": health["failing"],
        "succeeded": health["idle"],
    }


def stats(who: Who, cluster: Cluster) -> Stats:
    """Figures of one cluster, over the rows that the person may see."""
    rows = access.visible(who, Tally).filter(cluster=cluster, kind__in=("Pod", "Node")).order_by()
    counts: dict[str, Counter[str]] = {"Pod": Counter(), "Node": Counter()}
    for kind, health, n in rows.values_list("kind", COUNTED_AS).annotate(sum=Sum("n")):
        counts[kind][health] += n
    spaces = access.visible(who, Namespace).filter(Namespace.existing(), cluster=cluster)
    return Stats(
        nodes=counts["Node"].total(),
        namespaces=spaces.count(),
        **pods_by_state(counts["Pod"]),
    )


def summary(
    found: list[Cluster], pod_counts: dict[UUID, Counter[str]], nodes: dict[UUID, Counter[str]]
) -> Summary:
    """Adds up what `clusters` and `health_counts` of pods and of nodes gave."""
    pods: Counter[str] = sum(pod_counts.values(), Counter())
    node_health: Counter[str] = sum(nodes.values(), Counter())
    return Summary(
        clusters=len(found),
        healthy_clusters=sum(cluster.health == "healthy" for cluster in found),
        troubled=_troubled(found),
        nodes=node_health.total(),
        ready_nodes=node_health["healthy"] + node_health["degraded"],
        **pods_by_state(pods),
    )


def _troubled(found: list[Cluster]) -> dict[str, int]:
    words: Counter[str] = Counter()
    for cluster in found:
        if cluster.health == "unknown":
            words[str(Freshness(cluster.freshness).label)] += 1
        elif cluster.health != "healthy":
            words[cluster.get_status_display()] += 1
    return dict(words)


@dataclass(frozen=True)
class NotWatched:
    """Kinds whose rows are not the cluster's present state, for one reason."""

    state: str
    reason: str
    kinds: list[str]
    seen: datetime | None


def not_watched(cluster: Cluster, kinds: Iterable[str]) -> list[NotWatched]:
    """Those of the kinds that are not watched, by the reason.

    While the cluster as a whole does not answer, only what is missing for ever.
    """
    rows = cluster.kinds.filter(kind__in=kinds).exclude(state=KindState.State.WATCHING)
    if cluster.freshness == Freshness.UNREACHABLE:
        rows = rows.filter(state__in=(KindState.State.FORBIDDEN, KindState.State.ABSENT))
    found: dict[tuple[str, str], NotWatched] = {}
    for row in rows.order_by("kind"):
        key = row.state, row.reason
        found.setdefault(key, NotWatched(*key, [], row.observed_at)).kinds.append(row.kind)
    return list(found.values())
