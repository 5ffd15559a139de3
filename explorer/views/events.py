"""What happened in the fleet lately: events in groups, over time, and those of one group."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from clusters.models import Environment, Object
from clusters.store.queries import Named
from explorer.filters import happened
from explorer.filters.cursors import BadCursor
from explorer.filters.happened import EventsAsked, Group, Happened
from explorer.filters.happened.asked import type_of
from explorer.filters.happened.over_time import FACETS
from explorer.filters.happened.written import answer
from explorer.filters.paths import object_path
from explorer.views import around
from teams.throttles import too_costly
from teams.views import SignedInRequest, fragment, too_many_files

PAGE = 50
EVENTS = "explorer/events.html"
NEWER = "explorer/events_newer.html"
SINGLE = "explorer/events_single.html"


@dataclass(frozen=True)
class Row:
    """A group with its cluster, and where what it tells of is looked at."""

    group: Group
    cluster: Named
    freshness: str
    url: str
    owner_url: str

    @property
    def shown_health(self) -> str:
        return self.group.health if self.freshness == "live" else "stale"

    @property
    def is_of_owner(self) -> bool:
        """Whether it tells of something that belongs to another."""
        return self.group.owner_name != self.group.newest


@require_GET
def events(request: SignedInRequest) -> HttpResponse:
    """Groups of events; counts, bars and groups are each one look at the same events."""
    began = time.perf_counter()
    asked = EventsAsked.of(request.GET)
    found = Happened(request.user, asked)
    page = _page(found)
    more = request.htmx.target == "tr#more"
    told = None if more else happened.told(found)
    context: dict[str, Any] = around.context(found.inventory, "Event") | {
        "asked": asked,
        "narrows": asked.narrows,
        "rows": _rows(found, page.rows),
        "page": page,
        "after": page.next,
        "most": happened.groups.MOST,
        "environments": Environment.choices,
        "windows": _windows(asked.window),
        "loaded": asked.now.isoformat(),
        "milliseconds": round((time.perf_counter() - began) * 1000),
    }
    if told is not None:
        context |= {"facets": _facets(found, told.facets), **_picture(told.bars)}
        context |= {"query": request.GET.urlencode()}
    response = fragment(request, EVENTS, "rows" if more else "table", context)
    if request.htmx and not more:
        response["HX-Push-Url"] = request.get_full_path()
    return response


@require_GET
def newer(request: SignedInRequest) -> HttpResponse:
    """How much came since the page was loaded, which the page shows without moving its rows."""
    since = _moment(request.GET.get("loaded", ""))
    found = Happened(request.user, EventsAsked.of(request.GET))
    new, grown = found.newer(since)
    query = request.GET.copy()
    for name in ("loaded", "after", "cursor"):
        query.pop(name, None)
    context = {"new": new, "grown": grown - new, "query": query.urlencode()}
    return render(request, NEWER, context)


@require_GET
def single(request: SignedInRequest) -> HttpResponse:
    """The newest events of one group."""
    found = Happened(request.user, EventsAsked.of(request.GET))
    rows = found.single(request.GET.get("group", "")[:32])
    context = {"events": rows, "most": happened.groups.SINGLE}
    return render(request, SINGLE, context)


@require_GET
def as_csv(request: SignedInRequest) -> HttpResponseBase:
    asked = EventsAsked.of(request.GET)
    if asked.wanted.problems:
        raise Http404
    if (wait := too_costly(request)) is not None:
        return too_many_files(request, wait)
    return answer(request.user, asked)


def _page(found: Happened) -> happened.Groups:
    try:
        return found.page(PAGE)
    except BadCursor:
        found.asked = replace(found.asked, cursor="")
        return found.page(PAGE)


def _rows(found: Happened, groups: Iterable[Group]) -> list[Row]:
    rows = [row for row in groups if row.cluster_id in found.inventory.clusters]
    clusters = {row.cluster_id: found.inventory.clusters[row.cluster_id] for row in rows}
    known, fresh = found.objects(rows), found.standing(clusters.values())
    return [
        Row(
            row, clusters[row.cluster_id], fresh[row.cluster_id],
            _url(known, row, row.kind, row.newest),
            _url(known, row, row.owner_kind, row.owner_name),
        )
        for row in rows
    ]  # fmt: skip


def _url(known: dict[tuple[Any, ...], Object], row: Group, kind: str, name: str) -> str:
    """The page of an object, "" where it is gone or was never stored."""
    for namespace in (row.namespace, ""):
        if found := known.get((row.cluster_id, kind, namespace, name)):
            return object_path(found.kind, found.pk)
    return ""


def _windows(chosen: str) -> list[tuple[str, str, bool]]:
    words = {
        "15m": _("Last 15 minutes"),
        "1h": _("Last hour"),
        "6h": _("Last 6 hours"),
        "all": _("As long as they are kept"),
    }
    return [(value, words[value], value == chosen) for value in happened.WINDOWS]


def _facets(found: Happened, counted: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    """As those of other lists: name, labels, and the options as HTML."""
    every = {
        "type": (_("Type"), _("Warning and normal")),
        "about": (_("Kind"), _("Any kind")),
        "reason": (_("Reason"), _("Any reason")),
        "cluster": (_("Cluster"), _("All clusters")),
        "namespace": (_("Namespace"), _("All namespaces")),
        "environment": (_("Environment"), _("All environments")),
    }
    labels = {
        "type": {"Warning": _("Warning"), "Normal": _("Normal")},
        "environment": {str(value): str(label) for value, label in Environment.choices},
        "cluster": {each.name: each.name for each in found.inventory.clusters.values()},
    }
    facets = []
    for name, (label, any_of) in every.items():
        given = _given(found.asked, name)
        options = around.options(labels.get(name, {}), given, counted.get(name, {}))
        facets.append(
            {"name": name, "label": label, "every": any_of, "given": given, "options": options}
        )
    return facets


def _given(asked: EventsAsked, facet: str) -> tuple[str, ...]:
    if facet == "about":
        return asked.about
    values = asked.wanted.given.get(FACETS[facet][1], ())
    if facet == "type":
        return tuple(map(type_of, values))
    return values


def _picture(bars: list[happened.Bar]) -> dict[str, Any]:
    """The bars as shares of the highest, each 20 wide in a picture that is 60 high."""
    top = max((bar.total for bar in bars), default=0)
    drawn = []
    for n, bar in enumerate(bars):
        high, warned = (round(60 * part / top) if top else 0 for part in (bar.total, bar.warnings))
        if bar.total:
            high = max(high, 2)
        if bar.warnings:
            warned = max(warned, 2)
        drawn.append(
            {"bar": bar, "x": 20 * n, "y": 60 - high, "high": high, "warned": warned,
             "warned_y": 60 - warned}
        )  # fmt: skip
    fullest = max(bars, key=lambda bar: bar.total, default=None)
    return {
        "bars": drawn,
        "fullest": fullest if top else None,
        "warnings": sum(bar.warnings for bar in bars),
        "normal": sum(bar.normal for bar in bars),
    }


def _moment(text: str) -> datetime:
    try:
        found = parse_datetime(text)
    except ValueError as error:
        raise Http404 from error
    if found is None or found.tzinfo is None:
        raise Http404
    return found
