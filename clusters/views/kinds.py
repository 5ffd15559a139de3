"""Which custom resources of a cluster are watched."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clusters import vault
from clusters.kube.errors import KubeError
from clusters.models import Cluster
from clusters.services import kinds as services
from clusters.services.checks import explain
from teams import access
from teams.models import User
from teams.roles import Action
from teams.views import SignedInRequest, fragment

KINDS = "clusters/kinds.html"
# From so many on they are searched rather than looked through.
MANY = 12


@require_http_methods(["GET", "POST"])
def kinds(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The custom resources that the cluster has, each with a switch; POST turns one on or off."""
    cluster = access.get_or_404(request.user, Cluster, pk, Action.ADMIN)
    refusal = ""
    if request.method == "POST":
        refusal = _switch(request, cluster)
        if not refusal and not request.htmx:
            return redirect(request.get_full_path())
    found, failure = _found(cluster, request.user)
    typed = request.GET.get("q", "").strip().lower()
    context = {
        "cluster": cluster,
        "resources": [each for each in found if typed in each["name"]],
        "total": len(found),
        "searchable": len(found) > MANY,
        "query": typed,
        "failure": refusal or failure,
    }
    answer = fragment(request, KINDS, "resources", context)
    if refusal:
        answer.status_code = 422
    return answer


def _switch(request: SignedInRequest, cluster: Cluster) -> str:
    """Turns what was posted on or off; why that failed, or nothing."""
    name = request.POST.get("name", "")
    now = {services.full_name(row) for row in cluster.custom_resources.all()}
    wanted = now | {name} if request.POST.get("on") == "true" else now - {name}
    try:
        added = services.wanted(cluster, wanted, by=request.user)
        services.watch_only(cluster, wanted, added, by=request.user)
    except services.UnknownResource as error:
        return str(error)
    except KubeError as error:
        return explain(error)
    except vault.CannotOpen:
        return _("The stored credentials of the cluster cannot be opened.")
    return ""


def _found(cluster: Cluster, user: User) -> tuple[list[dict[str, Any]], str]:
    """What the cluster has and what is on, by name; and why the cluster could not be asked."""
    states = {row.kind: row for row in cluster.kinds.all()}
    rows = {
        services.full_name(row): {
            "name": services.full_name(row),
            "kind": row.kind,
            "version": row.version,
            "namespaced": row.namespaced,
            "on": True,
            "state": states.get(row.full_kind),
        }
        for row in cluster.custom_resources.all()
    }
    failure = ""
    try:
        for each in services.available(cluster, by=user):
            rows.setdefault(
                services.full_name(each),
                {
                    "name": services.full_name(each),
                    "kind": each.kind,
                    "version": each.version,
                    "namespaced": each.namespaced,
                    "on": False,
                },
            )
    except KubeError as error:
        failure = explain(error)
    except vault.CannotOpen:
        failure = _("The stored credentials of the cluster cannot be opened.")
    return [rows[name] for name in sorted(rows)], failure
