"""The tabs of a cluster's page: what each of them needs, and which changes it follows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from clusters.models import Cluster, CredentialKind
from clusters.store import attention, capacity, inside, queries
from clusters.views import grants, paging, rights, statistics
from clusters.views.addresses import mended
from teams.access import Held
from teams.views import SignedInRequest

Context = dict[str, Any]


@dataclass(frozen=True)
class Tab:
    """`kinds` are those whose rows it shows: where one is not watched, it says so."""

    key: str
    label: Promise
    topics: str
    kinds: tuple[str, ...]
    context: Callable[[SignedInRequest, Held, Cluster], Context]
    # Only for who sees the whole cluster.
    inner: bool = False

    @property
    def template(self) -> str:
        return f"clusters/tabs/{self.key}.html"


def _overview(request: SignedInRequest, held: Held, cluster: Cluster) -> Context:
    whole = queries.wholly_seen(held, [cluster])
    needs = attention.attention(held, [cluster], whole)
    stats = queries.stats(held, cluster)
    lease = getattr(cluster, "lease", None) if whole else None
    return {
        "stats": stats,
        "summary": stats,
        "attention": needs,
        "entries": [(entry, mended(entry, request.user)) for entry in needs.entries],
        "full": capacity.by_cluster(whole).get(cluster.pk),
        "kinds": inside.kind_counts(held, cluster, inside.WORKLOADS),
        "watcher": lease.owner if lease else "",
        "credential": dict(CredentialKind.choices).get(cluster.credential_kind, ""),
    }


def _or_least(amount: int | None) -> int:
    """What is not known stands below the smallest amount."""
    return -1 if amount is None else amount


NODE_SORTS: dict[str, Callable[[inside.NodeRow], Any]] = {
    "name": lambda row: row.node.name,
    "status": lambda row: (row.node.health, row.node.status),
    "zone": lambda row: str(row.node.facts.get("zone", "")),
    "version": lambda row: str(row.node.facts.get("version", "")),
    "pods": lambda row: row.pods,
    "cpu": lambda row: row.full.cpu.order,
    "memory": lambda row: row.full.memory.order,
    "age": lambda row: row.node.created,
}


NAMESPACE_SORTS: dict[str, Callable[[inside.NamespaceRow], Any]] = {
    "name": lambda row: row.name,
    "pods": lambda row: row.total,
    "failing": lambda row: row.states["failing"],
    "pending": lambda row: row.states["pending"],
    "cpu": lambda row: row.asked.cpu,
    "memory": lambda row: row.asked.memory,
    "cpu-used": lambda row: _or_least(row.cpu_used),
    "memory-used": lambda row: _or_least(row.memory_used),
}


def _sorted(
    request: SignedInRequest, rows: list[Any], sorts: dict[str, Callable[[Any], Any]]
) -> Context:
    """The rows in the order of `?sort=`, those only whose name holds `?q=`, a page of them."""
    sort = request.GET.get("sort", "")
    sort = sort if sort.removeprefix("-") in sorts else "name"
    q = request.GET.get("q", "").strip()[:253]
    found = [row for row in rows if q.lower() in sorts["name"](row).lower()]
    found.sort(key=sorts["name"])
    found.sort(key=sorts[sort.removeprefix("-")], reverse=sort.startswith("-"))
    shown, after = paging.by_position(request, found)
    return {"rows": shown, "after": after, "sort": sort, "q": q, "total": len(found)}


def _nodes(request: SignedInRequest, held: Held, cluster: Cluster) -> Context:
    context = _sorted(request, inside.nodes(held, cluster), NODE_SORTS)
    n = context["total"]
    return context | {"count": ngettext("%(n)s node", "%(n)s nodes", n) % {"n": intcomma(n)}}


def _namespaces(request: SignedInRequest, held: Held, cluster: Cluster) -> Context:
    context = _sorted(request, inside.namespaces(held, cluster), NAMESPACE_SORTS)
    n = context["total"]
    said = ngettext("%(n)s namespace", "%(n)s namespaces", n) % {"n": intcomma(n)}
    return context | {"count": said}


def _workloads(request: SignedInRequest, held: Held, cluster: Cluster) -> Context:
    kind, namespace, q = (request.GET.get(key, "").strip() for key in ("kind", "namespace", "q"))
    kind = kind if kind in inside.WORKLOADS else ""
    asked = {"kind": kind, "namespace": namespace[:63], "name__icontains": q[:253]}
    wanted = {key: value for key, value in asked.items() if value and "\0" not in value}
    rows, after = paging.by_position(request, inside.workloads(held, cluster, wanted))
    return {
        "rows": rows,
        "after": after,
        "kinds": inside.kind_counts(held, cluster, inside.WORKLOADS),
        "namespaces": inside.namespace_names(held, cluster),
        "kind": kind,
        "namespace": namespace,
        "q": q,
        "narrows": bool(wanted),
    }


def _events(request: SignedInRequest, held: Held, cluster: Cluster) -> Context:
    type_, namespace, q = (request.GET.get(key, "").strip() for key in ("type", "namespace", "q"))
    asked = {
        "health": "degraded" if type_ == "warning" else "",
        "namespace": namespace[:63],
        "owner_name__icontains": q[:253],
    }
    wanted = {key: value for key, value in asked.items() if value and "\0" not in value}
    rows, after = paging.newest_first(request, inside.events(held, cluster, wanted))
    [count] = inside.kind_counts(held, cluster, ("Event",))
    return {
        "rows": rows,
        "after": after,
        "total": count.total,
        "warnings": count.troubled,
        "namespaces": inside.namespace_names(held, cluster),
        "type": type_,
        "namespace": namespace,
        "q": q,
        "narrows": bool(wanted),
    }


TABS = (
    Tab(
        "overview", _("Overview"),
        "clusters pods nodes deployments statefulsets daemonsets jobs persistentvolumeclaims usage",
        ("Node", "Pod", "Namespace"), _overview,
    ),
    Tab("nodes", _("Nodes"), "clusters nodes pods usage", ("Node", "Pod"), _nodes, inner=True),
    Tab(
        "namespaces", _("Namespaces"), "clusters namespaces pods usage", ("Namespace", "Pod"),
        _namespaces,
    ),
    Tab(
        "workloads", _("Workloads"), "clusters deployments statefulsets daemonsets jobs cronjobs",
        inside.WORKLOADS, _workloads,
    ),
    Tab("events", _("Events"), "clusters events", ("Event",), _events),
    Tab("statistics", _("Statistics"), "clusters usage", (), statistics.context),
    Tab("people", _("People"), "clusters grants", (), grants.people),
    Tab("access", _("Access"), "clusters", (), rights.context, inner=True),
)  # fmt: skip
