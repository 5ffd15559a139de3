"""Pods of the whole fleet: the list, its changed rows, one in the drawer."""

import time
from dataclasses import replace

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from clusters.models import Cluster, Environment, Freshness, Namespace, Object
from clusters.store import queries
from explorer import filters
from explorer.filters import PodFilter
from teams import access
from teams.views import SignedInRequest, fragment

LIST = "explorer/pods.html"
DETAIL = "explorer/pod.html"
MOST_ROWS = 100


@require_GET
def pods(request: SignedInRequest) -> HttpResponse:
    """The pods that match the address, a page of them; the rest is asked for by key."""
    began = time.perf_counter()
    wanted = PodFilter.of(request.GET)
    rows = wanted.apply(queries.pods(request.user))
    try:
        found, after = wanted.page(rows, _size(request))
    except (ValueError, ValidationError):
        # A cursor of another sort order does not fit this column: begin at the top.
        found, after = replace(wanted, after="").page(rows)
    total, more = filters.counted(rows)
    clusters = list(access.visible(request.user, Cluster))
    context = {
        "pods": found,
        "after": after,
        "total": total,
        "more": more,
        "filter": wanted,
        "clusters": clusters,
        "searched": len(wanted.clusters) or len(clusters),
        "behind": [cluster for cluster in clusters if cluster.freshness != Freshness.LIVE],
        "environments": Environment.choices,
        "healths": filters.HEALTH.items(),
        "namespaces": _namespaces(request),
        "milliseconds": round((time.perf_counter() - began) * 1000),
    }
    part = "rows" if request.htmx.target == "tr#more" else "table"
    return fragment(request, LIST, part, context)


@require_GET
def rows(request: SignedInRequest) -> HttpResponse:
    """Just the rows that `?rows=` names, as they are now; those that are gone are left out."""
    named = request.GET.get("rows", "").split(",")[:MOST_ROWS]
    keys = [key for key in named if key.isdecimal() and len(key) < 19]
    wanted = PodFilter.of(request.GET)
    found = wanted.apply(queries.pods(request.user)).filter(pk__in=keys)
    return render(request, f"{LIST}#rows", {"pods": found})


@require_GET
def pod(request: SignedInRequest, pk: int) -> HttpResponse:
    found = access.get_or_404(request.user, Object, pk)
    if found.kind != "Pod":
        raise Http404
    part = "body" if request.htmx.target == "div#pod-drawer" else "drawer"
    context = {"pod": found, "labels": sorted(found.labels.items())}
    return fragment(request, DETAIL, part, context)


def _size(request: SignedInRequest) -> int:
    """How many rows: a live update of a page that has loaded more keeps what it shows."""
    shown = request.headers.get("X-MCM-Shown", "")
    return (
        max(filters.PAGE, min(int(shown), filters.MOST_SHOWN))
        if shown.isdecimal()
        else filters.PAGE
    )


def _namespaces(request: SignedInRequest) -> list[str]:
    rows = access.visible(request.user, Namespace).filter(Namespace.existing())
    return list(rows.order_by("name").values_list("name", flat=True).distinct())
