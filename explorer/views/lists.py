"""A kind over the whole fleet: its list, and the rows of it that changed."""

import time
from collections.abc import Collection
from dataclasses import replace

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_GET

from clusters import live
from explorer import store
from explorer.filters import columns, counts, paging, sortable
from explorer.filters.asked import Asked, tidy
from explorer.filters.cursors import BadCursor
from explorer.filters.inventory import Inventory
from explorer.filters.paths import list_path
from explorer.filters.words import kind_named
from explorer.views import around
from explorer.views.rows import rows_of
from teams.models import User
from teams.views import SignedInRequest, fragment

LIST = "explorer/list.html"
PAGE = 100
# More rows than this are not kept on one page by a live update.
MOST_SHOWN = 500


@require_GET
def pods(request: SignedInRequest) -> HttpResponse:
    return _list(request, "Pod")


@require_GET
def workloads(request: SignedInRequest) -> HttpResponse:
    return _list(request, "Workload")


@require_GET
def nodes(request: SignedInRequest) -> HttpResponse:
    return _list(request, "Node")


@require_GET
def objects(request: SignedInRequest, kind: str) -> HttpResponse:
    """Of any kind, by each of its names; each list has just one address."""
    found = kind_named(kind)
    if found is None:
        raise Http404
    path = list_path(found)
    if path != request.path:
        query = request.GET.urlencode()
        return redirect(f"{path}?{query}" if query else path)
    return _list(request, found)


def _rows_url(asked: Asked) -> str:
    """Where single rows are asked for, which says all that decides what stands in them."""
    query, path = asked.whole, reverse("pod-rows")
    if asked.kind != "Pod":
        query["of"], path = asked.kind, reverse("object-rows")
    return f"{path}?{query.urlencode()}"


def _dom(kind: str) -> str:
    """The id of the list in its page."""
    return "pods" if kind == "Pod" else "objects"


def _list(request: SignedInRequest, kind: str) -> HttpResponse:
    """The objects that match the address, a page of them; the rest is asked for by key.

    Counting what the tallies do not know takes longer than finding a page of it: the page then
    comes without, and asks for the counts by itself.
    """
    began = time.perf_counter()
    given, address = request.GET, tidy(request.GET, kind)
    path = f"{request.path}?{address.urlencode()}" if address else request.path
    if given != address and not request.htmx:
        return redirect(path)
    request.GET = address  # type: ignore[assignment]  # what the links of the page build on
    asked = Asked(kind, address, store.liked(request.user, kind))
    inventory = Inventory(request.user, asked.wanted)
    more = request.htmx.target == "tr#more"
    counted = None
    if not more and (inventory.wanted.tallied or "X-MCM-Shown" in request.headers):
        counted = counts.count(inventory)
    sortable.settle(inventory, columns.beginning(kind), counted)
    found = _page(inventory, _size(request), counted)
    shown = inventory.rows(found.keys)
    context = around.context(inventory, kind) | {
        "objects": shown,
        "rows": rows_of(shown, asked.columns),
        "after": found.next,
        "counts": counted,
        "path": path,
        "columns": asked.columns,
        "dom": _dom(kind),
        "target": f"#{_dom(kind)}",
        "list_path": request.path,
        "rows_url": _rows_url(asked),
        "tools": SimpleLazyObject(lambda: around.tools(request.user, asked)),
        "facets": around.facets(inventory, counted, asked.columns),
    }
    if kind == "Node":
        query = address.urlencode()
        context["spread_url"] = (
            f"{reverse('nodes-spread')}?{query}" if query else reverse("nodes-spread")
        )
    context["milliseconds"] = round((time.perf_counter() - began) * 1000)
    response = fragment(request, LIST, "rows" if more else "table", context)
    if request.htmx and not more:
        response["HX-Push-Url"] = path
    return response


class ObjectRows(live.RowsView):
    """Of the list whose kind `of` names."""

    @staticmethod
    def find(user: User, query: QueryDict, keys: Collection[str]) -> dict[str, str]:
        kind = kind_named(query.get("of", ""))
        return rows_by_key(user, Asked(kind, query), keys) if kind else {}


class PodRows(live.RowsView):
    @staticmethod
    def find(user: User, query: QueryDict, keys: Collection[str]) -> dict[str, str]:
        return rows_by_key(user, Asked("Pod", query), keys)


def rows_by_key(user: User, asked: Asked, keys: Collection[str]) -> dict[str, str]:
    """Those of the rows that the person may see and that match, as HTML."""
    wanted = [int(key) for key in keys if key.isdecimal() and len(key) < 19]
    found = Inventory(user, asked.wanted).named(wanted, columns.fields(asked.columns))
    rendered = rows_of(found, asked.columns)
    return {str(seen.object.pk): row for seen, row in zip(found, rendered, strict=True)}


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
