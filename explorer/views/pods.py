"""Pods of the whole fleet: the list, its changed rows, one in the drawer."""

import time
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from clusters import live
from clusters.models import Environment, Freshness, Object
from explorer import store
from explorer.filters import counts, paging
from explorer.filters.criteria import ObjectFilter
from explorer.filters.cursors import BadCursor
from explorer.filters.inventory import Inventory
from explorer.filters.words import HEALTH
from explorer.views.rows import pod_rows
from teams import access
from teams.models import User
from teams.views import SignedInRequest, fragment

LIST = "explorer/pods.html"
DETAIL = "explorer/pod.html"
PAGE = 100
# More rows than this are not kept on one page by a live update.
MOST_SHOWN = 500
# So many clusters that are behind are named one by one.
MOST_BEHIND = 5
# A page that searches more clusters looks at every change.
MOST_HEARD = 50


@require_GET
def pods(request: SignedInRequest) -> HttpResponse:
    """The pods that match the address, a page of them; the rest is asked for by key.

    Counting what the tallies do not know takes longer than finding a page of it: the page then
    comes without, and asks for the counts by itself.
    """
    began = time.perf_counter()
    asked, address = request.GET, _tidy(request.GET)
    if asked != address and not request.htmx:
        return redirect(f"{request.path}?{address.urlencode()}" if address else request.path)
    request.GET = address  # type: ignore[assignment]  # what the links of the page build on
    inventory = Inventory(request.user, ObjectFilter.of(address, kind="Pod"))
    more = request.htmx.target == "tr#more"
    counted = None
    if not more and (inventory.wanted.tallied or "X-MCM-Shown" in request.headers):
        counted = counts.count(inventory)
    found = _page(inventory, _size(request), counted)
    shown = inventory.rows(found.keys)
    context = _around(inventory) | {
        "pods": shown,
        "rows": pod_rows(shown),
        "after": found.next,
        "counts": counted,
        "path": f"{request.path}?{address.urlencode()}" if address else request.path,
    }
    context["facets"] = _facets(inventory, counted)
    context["milliseconds"] = round((time.perf_counter() - began) * 1000)
    response = fragment(request, LIST, "rows" if more else "table", context)
    if request.htmx and not more:
        response["HX-Push-Url"] = context["path"]
    return response


class PodRows(live.RowsView):
    @staticmethod
    def find(user: User, query: QueryDict, keys: Collection[str]) -> dict[str, str]:
        wanted = [int(key) for key in keys if key.isdecimal() and len(key) < 19]
        found = Inventory(user, ObjectFilter.of(query, kind="Pod")).named(wanted)
        return {str(seen.object.pk): row for seen, row in zip(found, pod_rows(found), strict=True)}


@require_GET
def pod(request: SignedInRequest, pk: int) -> HttpResponse:
    found = access.get_or_404(request.user, Object, pk)
    if found.kind != "Pod":
        raise Http404
    part = "body" if request.htmx.target == "div#pod-drawer" else "drawer"
    seen = store.seen([found], {found.cluster_id: found.cluster})[0]
    context = {"pod": found, "seen": seen, "labels": sorted(found.labels.items())}
    return fragment(request, DETAIL, part, context)


def _tidy(query: QueryDict) -> QueryDict:
    """The address without parameters that ask for nothing."""
    tidy = QueryDict(mutable=True)
    for name, values in query.lists():
        kept = [value for value in values if value and (name, value) != ("sort", "name")]
        if kept:
            tidy.setlist(name, kept)
    return tidy


def _page(inventory: Inventory, size: int, counted: counts.Counts | None) -> paging.Page:
    try:
        return paging.page(inventory, size, counted)
    except BadCursor:
        # A cursor of another sort order does not fit this column: begin at the top.
        inventory.wanted = replace(inventory.wanted, cursor="")
        return paging.page(inventory, size, counted)


def _size(request: SignedInRequest) -> int:
    """How many rows: a live update of a page that has loaded more keeps what it shows."""
    shown = request.headers.get("X-MCM-Shown", "")
    return max(PAGE, min(int(shown[:9]), MOST_SHOWN)) if shown.isdecimal() else PAGE


def _around(inventory: Inventory) -> dict[str, Any]:
    """What stands around the rows: the filter, and which clusters' rows are old."""
    searched = inventory.searched
    standing = store.behind(searched, ["Pod"])
    late = []
    for cluster in searched:
        lost = standing.get((cluster.pk, "Pod"))
        freshness, observed_at = store.freshness(cluster, lost)
        if freshness != Freshness.LIVE:
            reason = cluster.reason or (lost.reason if lost else "")
            late.append((cluster, freshness, observed_at, reason))
    return {
        "filter": inventory.wanted,
        "problems": [text for texts in inventory.wanted.problems.values() for text in texts],
        "clusters": inventory.clusters,
        "searched": len(searched),
        "hears": _hears(inventory),
        "behind": late[:MOST_BEHIND],
        "behind_too": len(late[MOST_BEHIND:]),
        "behind_in_all": len(late),
        "cut_off": bool(late) and len(late) == len(searched),
        "registers": access.is_platform_admin(inventory.user),
    }


def _hears(inventory: Inventory) -> str:
    """The clusters whose changes can concern the page, "" for any: all others are not asked for."""
    searched = inventory.searched
    few = len(searched) < min(len(inventory.clusters), MOST_HEARD)
    return " ".join(str(cluster.pk) for cluster in searched) if few else ""


def _facets(inventory: Inventory, counted: counts.Counts | None) -> list[dict[str, Any]]:
    """The drop-downs of the filter: name, labels, and for each value its label and count."""
    known = counted.facets if counted else {}
    health = {str(word): str(label) for word, label in HEALTH.items()}
    environments = {str(value): str(label) for value, label in Environment.choices}
    clusters = {cluster.name: cluster.name for cluster in inventory.clusters.values()}
    texts: list[tuple[str, str, str, dict[str, str]]] = [
        ("health", _("Health"), _("Any health"), health),
        ("status", _("Status"), _("Any status"), {}),
        ("cluster", _("Cluster"), _("All clusters"), clusters),
        ("namespace", _("Namespace"), _("All namespaces"), {}),
        ("environment", _("Environment"), _("All environments"), environments),
    ]
    facets = []
    for name, label, every, labels in texts:
        given, numbers = inventory.wanted.given.get(name, ()), known.get(name, {})
        values = dict.fromkeys([*labels, *given, *numbers])
        options = [
            {"value": value, "label": labels.get(value, value), "n": numbers.get(value)}
            for value in values
        ]
        facets.append(
            {"name": name, "label": label, "every": every, "given": given, "options": options}
        )
    return facets
