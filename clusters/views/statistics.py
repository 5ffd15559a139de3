"""Use over time of a cluster, a node or a namespace: figures here, drawn by static/charts.js."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from clusters.models import Cluster, Object, Scope
from clusters.store import capacity, inside, queries
from clusters.store.capacity import Asked, Full, Share
from clusters.views.pictures import SPANS, Series, pictures
from teams import access
from teams.access import Held
from teams.views import SignedInRequest

MOST_PODS = 10


@dataclass(frozen=True)
class Subject:
    """Of what the pictures are; `name` is that of a node or a namespace."""

    scope: Scope
    name: str = ""

    @classmethod
    def of(cls, text: str) -> "Subject":
        """What `?of=` names: "node:NAME", "namespace:NAME", all else is the cluster."""
        scope, _colon, name = text.partition(":")
        if scope == "node":
            return cls("node", name)
        return cls("namespace", name) if scope == "namespace" else cls("cluster")

    @property
    def key(self) -> str:
        return f"{self.scope}:{self.name}" if self.name else self.scope

    @property
    def node(self) -> str:
        return self.name if self.scope == "node" else ""

    @property
    def namespace(self) -> str:
        return self.name if self.scope == "namespace" else ""


def context(request: SignedInRequest, held: Held, cluster: Cluster) -> dict[str, Any]:
    whole = bool(queries.wholly_seen(held, [cluster]))
    names = inside.namespace_names(held, cluster)
    nodes = _node_names(held, cluster)
    subjects = [
        *([(_("Whole cluster"), [Subject("cluster")])] if whole else []),
        *([(_("Nodes"), [Subject("node", name) for name in nodes])] if nodes else []),
        *([(_("Namespaces"), [Subject("namespace", name) for name in names])] if names else []),
    ]
    offered = [subject for _label, group in subjects for subject in group]
    asked = Subject.of(request.GET.get("of", ""))
    chosen = asked if asked in offered else next(iter(offered), None)
    hours = 720 if request.GET.get("hours") == "720" else 24
    by_cpu, by_memory = inside.top_pods(held, cluster, whole=whole, most=MOST_PODS)
    return {
        "subjects": subjects,
        "chosen": chosen,
        "hours": hours,
        "spans": SPANS,
        "by_cpu": by_cpu,
        "by_memory": by_memory,
        **(_pictures(held, cluster, chosen, hours) if chosen else {}),
    }


def _node_names(held: Held, cluster: Cluster) -> list[str]:
    rows = access.visible(held, Object).filter(cluster=cluster, kind="Node")
    return list(rows.order_by("name").values_list("name", flat=True))


def _pictures(held: Held, cluster: Cluster, subject: Subject, hours: int) -> dict[str, Any]:
    series = Series(cluster, subject.scope, subject.node, subject.namespace)
    return pictures(series, _full(held, cluster, subject), hours)


def _full(held: Held, cluster: Cluster, subject: Subject) -> Full:
    """What is requested and allocatable now; a namespace has nothing of its own to give."""
    if subject.scope == "cluster":
        nothing = Full(Share(None, 0, 0), Share(None, 0, 0))
        return capacity.by_cluster([cluster.pk]).get(cluster.pk, nothing)
    if subject.scope == "node":
        rows = inside.nodes(held, cluster)
        return next(row.full for row in rows if row.node.name == subject.name)
    asked = capacity.asked_by(held, cluster, "namespace").get(subject.name, Asked())
    return Full(Share(None, asked.cpu, 0), Share(None, asked.memory, 0))
