"""The page of one cluster, a tab of it at a time."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from clusters.models import Cluster, Freshness
from clusters.store import queries
from clusters.views import tabs
from teams import access
from teams.roles import Action
from teams.views import SignedInRequest, fragment

DETAIL = "clusters/detail.html"


@require_GET
def detail(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The tab that `?tab=` names; asked for more rows of a list, just these."""
    cluster = access.get_or_404(request.user, Cluster, pk)
    held = access.holdings(request.user)
    whole = bool(queries.wholly_seen(held, [cluster]))
    offered = [tab for tab in tabs.TABS if whole or not tab.inner]
    tab = next((tab for tab in offered if tab.key == request.GET.get("tab")), offered[0])
    context = {"cluster": cluster, "whole": whole, **tab.context(request, held, cluster)}
    if request.htmx.target == "tr#more":
        return render(request, f"{tab.template}#rows", context)
    context |= {
        "tab": tab,
        "tabs": offered,
        "live": cluster.freshness == Freshness.LIVE,
        "not_watched": queries.not_watched(cluster, tab.kinds),
        "may_register": access.is_platform_admin(request.user),
        "may_admin": access.may(request.user, Action.ADMIN, cluster),
    }
    return fragment(request, DETAIL, "page", context)
