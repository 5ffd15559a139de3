"""The page of one cluster."""

from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from clusters.models import Cluster
from clusters.store import queries
from teams import access
from teams.roles import Action
from teams.views import SignedInRequest, fragment

DETAIL = "clusters/detail.html"


@require_GET
def detail(request: SignedInRequest, pk: UUID) -> HttpResponse:
    cluster = access.get_or_404(request.user, Cluster, pk)
    context = {
        "cluster": cluster,
        "stats": queries.stats(request.user, cluster),
        "nodes": queries.nodes(request.user, cluster),
        "kinds": cluster.kinds.order_by("kind"),
        "whole": access.holds(request.user, Action.VIEW, cluster),
        "may_delete": access.may(request.user, Action.ADMIN, cluster),
    }
    return fragment(request, DETAIL, "overview", context)
