"""Pages of the fleet and its clusters."""

from collections import Counter
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from clusters import services
from clusters.forms import DeleteForm, RegisterForm
from clusters.models import Cluster, Namespace
from clusters.store import queries
from teams import access
from teams.models import User
from teams.roles import Action
from teams.views import SignedInRequest, form_page, fragment, go

FLEET = "clusters/fleet.html"
LIST = "clusters/list.html"
DETAIL = "clusters/detail.html"
REGISTER = "clusters/register.html"
DELETE = "clusters/delete.html"


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


@require_http_methods(["GET", "POST"])
def register(request: SignedInRequest) -> HttpResponse:
    """The form; a failing step comes back in the form with what was filled in."""
    access.require_platform_admin(request.user)
    form = RegisterForm(request.POST or None, request.FILES or None)
    failed = None
    if form.is_valid():
        try:
            cluster = services.register(form.registration, by=request.user)
        except services.RegistrationFailed as error:
            failed = error
            form.add_error(error.field, str(error))
        else:
            messages.success(request, _("%(name)s is registered.") % {"name": cluster.name})
            return go(request, reverse("cluster-detail", args=[cluster.pk]))
    context = {"form": form, "steps": _steps(failed)}
    return form_page(request, REGISTER, context, invalid=bool(form.errors))


@require_http_methods(["GET", "POST"])
def delete(request: SignedInRequest, pk: UUID) -> HttpResponse:
    cluster = access.get_or_404(request.user, Cluster, pk, Action.ADMIN)
    form = DeleteForm(request.POST or None, cluster=cluster)
    if form.is_valid():
        services.delete(cluster, by=request.user)
        messages.success(request, _("%(name)s is no longer registered.") % {"name": cluster.name})
        return go(request, reverse("clusters"))
    harmed = {
        "kind": _("Cluster"),
        "name": cluster.name,
        "cluster": cluster.name,
        "environment": cluster.environment,
        "environment_label": cluster.get_environment_display(),
    }
    context = {"cluster": cluster, "form": form, "objects": [harmed]}
    return form_page(request, DELETE, context, invalid=bool(form.errors))


def _with_pods(user: User) -> list[Cluster]:
    """The clusters that the person sees, each with `.pods`: how many, and how many fail."""
    counts = queries.pod_counts(queries.pods(user))
    found = list(access.visible(user, Cluster))
    for cluster in found:
        pods = counts.get(cluster.pk, Counter())
        cluster.pods = {"total": pods.total(), "failing": pods["failing"]}  # type: ignore[attr-defined]
    return found


def _steps(failed: services.RegistrationFailed | None) -> list[dict[str, object]]:
    """The steps with their result, as far as the registration came."""
    steps: list[dict[str, object]] = []
    state = "done" if failed else "waiting"
    for key, label in services.STEPS.items():
        if failed and key == failed.step:
            steps.append({"label": label, "state": "failed", "detail": str(failed)})
            state = "waiting"
        else:
            steps.append({"label": label, "state": state})
    return steps
