"""Above the list of nodes: which are in trouble, and how their load is spread in each cluster."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from clusters.models import Freshness, Tally
from clusters.store import nodes
from clusters.store.nodes import Load, Node
from clusters.store.queries import Named
from explorer import store
from explorer.filters.asked import Asked, tidy
from explorer.filters.inventory import Inventory
from explorer.filters.paths import object_path
from teams import access
from teams.views import SignedInRequest

SPREAD = "explorer/nodes_spread.html"
# So many nodes, and clusters with so many pods together, are added up at once.
MOST_NODES = 2_000
MOST_PODS = 100_000
# So many clusters are shown, those whose load is spread worst.
MOST_SHOWN = 12
# A node has far more than its peers when it is this much above the middle one, in per cent of
# what it can give and as a multiple.
FAR, TIMES = 25, 1.5
# Below so many nodes nothing can be said of peers.
PEERS = 3


@dataclass(frozen=True)
class Ranked:
    """A node with how much of its CPU, or of its memory, is asked for: the larger of both."""

    name: str
    url: str
    percent: int
    of_memory: bool


@dataclass(frozen=True)
class Spread:
    """How the load of one cluster lies: the fullest node, the emptiest, the middle in per cent."""

    cluster: Named
    freshness: str
    n: int
    fullest: Ranked
    emptiest: Ranked
    middle: int

    @property
    def is_far(self) -> bool:
        """Whether one node has far more than its peers."""
        above = self.fullest.percent - self.middle
        return self.n >= PEERS and above >= FAR and self.fullest.percent >= TIMES * self.middle


@require_GET
def spread(request: SignedInRequest) -> HttpResponse:
    """Of the nodes that the list's address asks for."""
    query = tidy(request.GET, "Node", ("after", "cursor", "columns", "sort"))
    inventory = Inventory(request.user, Asked("Node", query).wanted)
    clusters, left_out = _bounded(request, inventory)
    rows = list(
        inventory.objects()
        .filter(cluster__in=clusters)
        .only("cluster_id", "name", "status", "health", "cpu", "memory", "facts")
        .order_by("cluster_id", "name")[: MOST_NODES + 1]
    )
    found = [(row, nodes.of_row(row)) for row in rows[:MOST_NODES]]
    loads = nodes.loads(request.user, [node for _row, node in found], every=True)
    placed: dict[UUID, list[tuple[Any, Node, Load]]] = defaultdict(list)
    for row, node in found:
        placed[row.cluster_id].append((row, node, loads[node.cluster, node.name]))
    standing = store.behind([inventory.clusters[key] for key in placed], ["Node"])
    spreads = []
    for key, some in placed.items():
        cluster = inventory.clusters[key]
        freshness, _seen = store.freshness(cluster, standing.get((key, "Node")))
        if (made := _spread(cluster, freshness, some)) is not None:
            spreads.append(made)
    spreads.sort(key=lambda each: (not each.is_far, each.middle - each.fullest.percent))
    here = query.urlencode()
    return render(
        request, SPREAD,
        {
            "troubles": _troubles(found, loads, query),
            "spreads": spreads[:MOST_SHOWN],
            "more": len(spreads[MOST_SHOWN:]),
            "left_out": left_out,
            "cut": len(rows) > MOST_NODES,
            "most": MOST_NODES,
            "url": f"{request.path}?{here}" if here else request.path,
        },
    )  # fmt: skip


def _bounded(request: SignedInRequest, inventory: Inventory) -> tuple[list[UUID], int]:
    """The searched clusters whose pods can be added up now, and how many cannot."""
    keys = [cluster.pk for cluster in inventory.searched]
    tallies = access.visible(request.user, Tally).filter(cluster__in=keys, kind="Pod")
    sums = tallies.order_by().values_list("cluster_id").annotate(n=Sum("n"))
    sizes = {key: int(n) for key, n in sums}
    chosen, pods = list[UUID](), 0
    for key in keys:
        pods += sizes.get(key, 0)
        if pods <= MOST_PODS or not chosen:
            chosen.append(key)
    return chosen, len(keys) - len(chosen)


def _spread(
    cluster: Named, freshness: Freshness, some: Sequence[tuple[Any, Node, Load]]
) -> Spread | None:
    """None where fewer than two nodes are ready and say what they can give."""
    ranked = sorted(
        (
            _ranked(row, load)
            for row, node, load in some
            if row.health != "failing" and node.cpu > 0 and node.memory > 0
        ),
        key=lambda each: (each.percent, each.name),
    )
    if len(ranked) < 2:
        return None
    middle = round(median(each.percent for each in ranked[:-1]))
    return Spread(cluster, freshness, len(ranked), ranked[-1], ranked[0], middle)


def _ranked(row: Any, load: Load) -> Ranked:
    cpu, memory = load.cpu.requested_percent or 0, load.memory.requested_percent or 0
    return Ranked(row.name, object_path("Node", row.pk), max(cpu, memory), memory > cpu)


def _troubles(
    found: Sequence[tuple[Any, Node]], loads: dict[Any, Load], query: Any
) -> list[tuple[str, int, str, str]]:
    """What is wrong with how many nodes: words, number, where they are listed, how bad it is."""
    counted: Counter[str] = Counter()
    for row, node in found:
        counted["failing"] += row.health == "failing"
        counted["unknown"] += row.health == "unknown"
        counted["cordoned"] += "SchedulingDisabled" in row.status
        counted["pressure"] += row.health == "degraded" and bool(row.facts.get("reason"))
        counted["behind"] += bool(loads[node.cluster, node.name].behind)
    words = {
        "failing": (_("not ready"), "failing", {"health": "failing"}),
        "unknown": (_("unknown"), "unknown", {"health": "unknown"}),
        "pressure": (_("short of memory, disk or processes"), "degraded", {"health": "degraded"}),
        "cordoned": (_("cordoned"), "degraded", {"q": "status:*SchedulingDisabled"}),
        "behind": (_("behind their API server"), "degraded", None),
    }
    told = []
    for key, (text, health, asked) in words.items():
        if counted[key]:
            kept = {"cluster": query.getlist("cluster")} | (asked or {})
            url = f"{reverse('nodes')}?{urlencode(kept, doseq=True)}" if asked else ""
            told.append((text, counted[key], url, health))
    return told
