"""Registering a cluster and forgetting it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clusters.forms import DeleteForm, RegisterForm
from clusters.models import Cluster
from clusters.services import registration
from teams import access
from teams.roles import Action
from teams.views import SignedInRequest, form_page, go

REGISTER = "clusters/register.html"
DELETE = "clusters/delete.html"


@require_http_methods(["GET", "POST"])
def register(request: SignedInRequest) -> HttpResponse:
    """The form; a failing step comes back in the form with what was filled in."""
    access.require_platform_admin(request.user)
    form = RegisterForm(request.POST or None, request.FILES or None)
    failed = None
    if form.is_valid():
        try:
            cluster = registration.register(form.registration, by=request.user)
        except registration.RegistrationFailed as error:
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
        registration.delete(cluster, by=request.user)
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


def _steps(failed: registration.RegistrationFailed | None) -> list[dict[str, object]]:
    """The steps with their result, as far as the registration came."""
    steps: list[dict[str, object]] = []
    state = "done" if failed else "waiting"
    for key, label in registration.STEPS.items():
        if failed and key == failed.step:
            steps.append({"label": label, "state": "failed", "detail": str(failed)})
            state = "waiting"
        else:
            steps.append({"label": label, "state": state})
    return steps
