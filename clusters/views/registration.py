"""Registering a cluster, changing what is registered, and forgetting it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clusters import vault
from clusters.forms import DeleteForm, EditForm, KubeconfigForm, RegisterForm
from clusters.kube import credentials as credentials_of
from clusters.models import Cluster
from clusters.services import editing, registration
from clusters.services.checks import RegistrationFailed
from clusters.views import steps
from teams import access
from teams.confirmation import confirmed
from teams.models import User
from teams.roles import Action
from teams.views import SignedInRequest, form_page, go

REGISTER = "clusters/register.html"
EDIT = "clusters/edit.html"
CREDENTIALS = "clusters/credentials.html"
DELETE = "clusters/delete.html"


@require_http_methods(["GET", "POST"])
def register(request: SignedInRequest) -> HttpResponse:
    """The form, then its steps; a failing one comes back in the form with what was filled in."""
    access.require_platform_admin(request.user)
    form = RegisterForm(request.POST or None, request.FILES or None)
    progress = steps.Progress()
    if form.is_valid() and not form.must_choose:
        progress, cluster = steps.take(
            form,
            lambda: registration.register(form.registration, by=request.user),
            stepwise=bool(request.htmx),
        )
        if cluster is not None:
            messages.success(request, _("%(name)s is registered.") % {"name": cluster.name})
            return go(request, reverse("cluster-detail", args=[cluster.pk]))
        if progress.failed and progress.failed.field == "allow_duplicate":
            form.offer_duplicate()
    return _stepwise(request, REGISTER, form, progress, {})


@require_http_methods(["GET", "POST"])
@confirmed
def credentials(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """What the present credentials are, and the steps to others; the secrets are never shown."""
    cluster = access.get_or_404(request.user, Cluster, pk)
    access.require_platform_admin(request.user)
    form = KubeconfigForm(request.POST or None, request.FILES or None)
    progress = steps.Progress()
    if form.is_valid() and not form.must_choose:
        progress, replaced = steps.take(
            form,
            lambda: _replace(cluster, form, request.user),
            stepwise=bool(request.htmx),
        )
        if replaced is not None:
            messages.success(request, _("%(name)s has new credentials.") % {"name": cluster.name})
            return go(request, reverse("cluster-detail", args=[cluster.pk]))
    context: dict[str, object] = {"cluster": cluster, "subject": _subject(cluster)}
    return _stepwise(request, CREDENTIALS, form, progress, context)


@require_http_methods(["GET", "POST"])
def edit(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Name, environment and region."""
    cluster = access.get_or_404(request.user, Cluster, pk, Action.ADMIN)
    name = cluster.name  # validating the form writes what was typed into the object
    form = EditForm(request.POST or None, instance=cluster)
    if form.is_valid():
        try:
            changed = editing.change(cluster, form.changes, by=request.user)
        except RegistrationFailed as failed:
            form.add_error(failed.field, str(failed))
        else:
            messages.success(request, _("%(name)s is changed.") % {"name": changed.name})
            return go(request, reverse("cluster-detail", args=[cluster.pk]))
    context = {"cluster": cluster, "name": name, "form": form}
    return form_page(request, EDIT, context, invalid=bool(form.errors))


@require_http_methods(["GET", "POST"])
@confirmed
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


def _replace(cluster: Cluster, form: KubeconfigForm, by: User) -> Cluster:
    look = editing.check_credentials(form.text, form.context_name, by=by)
    return editing.replace_credentials(cluster, look, by=by)


def _subject(cluster: Cluster) -> str:
    """As whom the stored credentials sign in, where that is known."""
    try:
        return credentials_of.subject(cluster.connection)
    except vault.CannotOpen:
        return ""


def _stepwise(
    request: SignedInRequest,
    page: str,
    form: KubeconfigForm,
    progress: steps.Progress,
    context: dict[str, object],
) -> HttpResponse:
    context |= {"form": form, "progress": progress, "steps": progress.steps()}
    invalid = form.is_bound and not progress.running
    return form_page(request, page, context, invalid=invalid)
