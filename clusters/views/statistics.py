"""Use over time of a cluster, a node or a namespace: figures here, drawn by static/charts.js."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from clusters.models import Cluster, Object, Scope
from clusters.store import capacity, inside, queries, usage
from clusters.store.capacity import Asked, Full, Share
from teams import access
from teams.access import Held
from teams.views import SignedInRequest

HOURS = (24, 720)
MOST_PODS = 10
# Of so many points the newest one is the present: five minutes, or this hour and the one before.
PRESENT = {24: 5, 720: 2}


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


@dataclass(frozen=True)
class Line:
    """What one picture tells, in words; `now` is None where nothing was measured lately."""

    share: Share
    now: int | None
    mean: int | None
    highest: int | None


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
        "spans": ((24, _("24 hours")), (720, _("30 days"))),
        "by_cpu": by_cpu,
        "by_memory": by_memory,
        **(_pictures(held, cluster, chosen, hours) if chosen else {}),
    }


def _node_names(held: Held, cluster: Cluster) -> list[str]:
    rows = access.visible(held, Object).filter(cluster=cluster, kind="Node")
    return list(rows.order_by("name").values_list("name", flat=True))


def _pictures(held: Held, cluster: Cluster, subject: Subject, hours: int) -> dict[str, Any]:
    """`pictures`: a name, a unit and a Line for each; `usage_url`: where their points are."""
    series = usage.series(
        cluster.pk, subject.scope, name=subject.node, namespace=subject.namespace, hours=hours
    )
    full = _full(held, cluster, subject)
    query = {"scope": subject.scope, "hours": str(hours)}
    query |= {"name": subject.node, "namespace": subject.namespace}
    asked = urlencode({key: value for key, value in query.items() if value})
    return {
        "pictures": (
            ("cpu", _("CPU"), _line(full.cpu, series.cpu, hours)),
            ("memory", _("Memory"), _line(full.memory, series.memory, hours)),
        ),
        "sampled": any(point is not None for point in series.cpu),
        "usage_url": f"{reverse('api-usage', args=[cluster.pk])}?{asked}",
    }


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


def _line(share: Share, points: list[int | None], hours: int) -> Line:
    known = [point for point in points if point is not None]
    if not known:
        return Line(share, None, None, None)
    present = [point for point in points[-PRESENT[hours] :] if point is not None]
    return Line(share, present[-1] if present else None, round(sum(known) / len(known)), max(known))
