"""The fleet and the list of its clusters."""

from collections import Counter

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from clusters.models import Cluster, Namespace
from clusters.store import queries
from teams import access
from teams.models import User
from teams.roles import Action
from teams.views import SignedInRequest, fragment

FLEET = "clusters/fleet.html"
LIST = "clusters/list.html"


@require_GET
def fleet(request: SignedInRequest) -> HttpResponse:
    """What needs a person, and how each cluster is."""
    context = {
        "clusters": _with_pods(request.user),
        "summary": queries.summary(request.user),
        "attention": queries.attention(request.user),
        "may_register": access.is_platform_admin(request.user),
        "may_install": access.may_anywhere(request.user, Action.OPERATE, Cluster, Namespace),
    }
    return fragment(request, FLEET, "overview", context)


@require_GET
def clusters(request: SignedInRequest) -> HttpResponse:
    context = {
        "clusters": _with_pods(request.user),
        "may_register": access.is_platform_admin(request.user),
    }
    return fragment(request, LIST, "table", context)


def _with_pods(user: User) -> list[Cluster]:
    """The clusters that the person sees, each with `.pods`: how many, and how many fail."""
    counts = queries.pod_counts(queries.pods(user))
    found = list(access.visible(user, Cluster))
    for cluster in found:
        pods = counts.get(cluster.pk, Counter())
        cluster.pods = {"total": pods.total(), "failing": pods["failing"]}  # type: ignore[attr-defined]
    return found
