"""The parts of an object's page: what each shows at once, before the cluster is asked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clusters.models import Object, Scope
from clusters.store import family
from clusters.store.capacity import Full, Share
from clusters.views.pictures import SPANS, Series, pictures
from explorer.filters import columns
from explorer.filters.relations import lists
from explorer.store import Seen
from explorer.views import by_kubectl
from teams import access
from teams.views import SignedInRequest

Context = dict[str, Any]
# What the page tells in lines of its own.
_TOLD = frozenset({"name", "cluster", "namespace", "status", "owner", "image", "labels", "age"})
# Of what use is measured.
MEASURED: dict[str, Scope] = {"Pod": "pod", "Node": "node", "Namespace": "namespace"}


@dataclass(frozen=True)
class Part:
    """`key` is what `?tab=` names and the letter that opens it by keyboard is `letter`."""

    key: str
    label: Promise
    context: Callable[[SignedInRequest, Seen], Context]
    letter: str = ""
    of: Callable[[Object], bool] = lambda _row: True

    @property
    def template(self) -> str:
        return f"explorer/object/{self.key}.html"


def _overview(request: SignedInRequest, seen: Seen) -> Context:
    row = _row(seen)
    return {
        "labels": sorted(row.labels.items()),
        "owners": family.above(request.user, row),
        "facts": [
            (column, column.value(seen))
            for column in columns.possible(row.kind)
            if column.key not in _TOLD and column.value(seen) not in ("", 0)
        ],
        "commands": by_kubectl.commands(row) if row.kind == "Pod" else (),
    }


def _events(request: SignedInRequest, seen: Seen) -> Context:
    row = _row(seen)
    made = family.below(request.user, row)
    return {"events": family.events(request.user, row, made.rows), "most": family.MOST_BELOW}


def _related(request: SignedInRequest, seen: Seen) -> Context:
    return {"lists": lists(request.user, _row(seen))}


def _yaml(_request: SignedInRequest, _seen: Seen) -> Context:
    return {}


def _metrics(request: SignedInRequest, seen: Seen) -> Context:
    row = _row(seen)
    scope = MEASURED[row.kind]
    # What pods use is kept for a day.
    spans = SPANS[:1] if scope == "pod" else SPANS
    hours = 720 if len(spans) > 1 and request.GET.get("hours") == "720" else 24
    name = "" if scope == "namespace" else row.name
    namespace = row.name if scope == "namespace" else row.namespace
    series = Series(row.cluster, scope, name, namespace)
    return {
        "cluster": row.cluster,
        "spans": spans,
        "hours": hours,
        "of_what": row.name,
        **pictures(series, _full(request, row), hours),
    }


def _full(request: SignedInRequest, row: Object) -> Full:
    """What is requested now, and of a node what it can give."""
    if row.kind == "Pod":
        return Full(Share(None, row.cpu, 0), Share(None, row.memory, 0))
    pods = access.visible(request.user, Object).filter(cluster=row.cluster_id, kind="Pod")
    mine = pods.filter(node=row.name) if row.kind == "Node" else pods.filter(namespace=row.name)
    asked = mine.exclude(health="idle").aggregate(cpu=Sum("cpu"), memory=Sum("memory"))
    cpu, memory = int(asked["cpu"] or 0), int(asked["memory"] or 0)
    given = (row.cpu, row.memory) if row.kind == "Node" else (0, 0)
    return Full(Share(None, cpu, given[0]), Share(None, memory, given[1]))


def _row(seen: Seen) -> Object:
    if not isinstance(seen.object, Object):
        raise TypeError("a page is of a whole row")
    return seen.object


def counted_events(request: SignedInRequest, row: Object) -> int:
    """How many warnings the cluster told of the object itself."""
    mine = family.of_object(request.user, row).filter(health="degraded")
    return int(mine.aggregate(n=Count("pk"))["n"])


PARTS = (
    Part("overview", _("Overview"), _overview),
    Part("events", _("Events"), _events, of=lambda row: row.kind != "Event"),
    Part("related", _("Related"), _related),
    Part("metrics", _("Metrics"), _metrics, of=lambda row: row.kind in MEASURED),
    Part("yaml", _("YAML"), _yaml, letter="y"),
)
