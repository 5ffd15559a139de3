"""As whom people act in a cluster: the manifest by which it knows them, and whether it does."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clusters import vault
from clusters.kube.errors import KubeError
from clusters.kube.identity_check import PLURALS
from clusters.kube.identity_manifest import APPLY
from clusters.kube.roster import Roster
from clusters.models import Cluster, Environment, IdentityMode, IdentityState
from clusters.services import identity as services
from clusters.services.checks import explain
from clusters.store import identity as store
from teams import access
from teams.models import User
from teams.roles import Action, Role
from teams.views import SignedInRequest, form_page, fragment, go

PAGE = "clusters/identity.html"
MODE = "clusters/identity_mode.html"
HEALTH = {
    IdentityState.RIGHT: "healthy",
    IdentityState.CHANGED: "degraded",
    IdentityState.WRONG: "degraded",
    IdentityState.UNCHECKED: "unknown",
}


@dataclass(frozen=True)
class Told:
    """One finding in words, and what mends it where one command does."""

    words: str
    name: str
    command: str = ""


class Modes(forms.RadioSelect):
    """The choices, of which some are off for this person; each of those says why."""

    withheld: dict[str, str] = {}

    def create_option(
        self, name: str, value: Any, label: Any, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        why = self.withheld.get(str(value))
        option = super().create_option(
            name, value, f"{label} ({why})" if why else label, *args, **kwargs
        )
        if why:
            option["attrs"] |= {"disabled": True, "title": why}
        return option


class IdentityForm(forms.ModelForm):  # type: ignore[type-arg]  # takes none at run time
    """As whom people act in a cluster; in production it asks for the name before it widens that."""

    confirm_name = forms.CharField(
        label=gettext_lazy("Name of the cluster"),
        required=False,
        max_length=63,
        help_text=gettext_lazy(
            "Typed to confirm that people act as MCM's own account in production."
        ),
    )

    class Meta:
        model = Cluster
        fields = ("identity_mode", "binds_platform_admins")
        widgets = {"identity_mode": Modes()}
        labels = {
            "identity_mode": gettext_lazy("People act there"),
            "binds_platform_admins": gettext_lazy(
                "The manifest lets platform admins do everything (cluster-admin)"
            ),
        }

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_prod = self.instance.environment == Environment.PROD
        may_widen = access.is_platform_admin(by)
        if self.instance.impersonates and not may_widen:
            why = _("Only platform admins let people act as MCM's own account.")
            self.fields["identity_mode"].widget.withheld = {IdentityMode.SERVICE_ACCOUNT: why}
        if not (is_prod and self.instance.impersonates and may_widen):
            del self.fields["confirm_name"]
        self._name = self.instance.name

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        widens = data.get("identity_mode") == IdentityMode.SERVICE_ACCOUNT
        if widens and "confirm_name" in self.fields and data.get("confirm_name") != self._name:
            self.add_error("confirm_name", _("This is not the cluster's name."))
        return data

    @property
    def mode(self) -> IdentityMode:
        return IdentityMode(self.cleaned_data["identity_mode"])


@require_GET
def identity(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The manifest and how the cluster stands to it; `?download` gives it as a file."""
    cluster = access.get_or_404(request.user, Cluster, pk, Action.ADMIN)
    if "download" in request.GET:
        headers = {"Content-Disposition": 'attachment; filename="mcm-identity.yaml"'}
        text = store.manifest(cluster)
        return HttpResponse(text, content_type="text/yaml; charset=utf-8", headers=headers)
    return fragment(request, PAGE, "identity", _context(cluster))


@require_POST
def check(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Asks the cluster; the page then shows what it said."""
    cluster = access.get_or_404(request.user, Cluster, pk, Action.ADMIN)
    failure = ""
    try:
        services.check(cluster, by=request.user)
    except KubeError as error:
        failure = explain(error)
    except vault.CannotOpen:
        failure = _("The stored credentials of the cluster cannot be opened.")
    if not failure and not request.htmx:
        return redirect("cluster-identity", cluster.pk)
    cluster.refresh_from_db()
    return fragment(request, PAGE, "identity", _context(cluster) | {"failure": failure})


@require_http_methods(["GET", "POST"])
def mode(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Chooses as whom people act there, after saying what each choice means."""
    cluster = access.get_or_404(request.user, Cluster, pk, Action.ADMIN)
    form = IdentityForm(request.POST or None, instance=cluster, by=request.user)
    if form.is_valid():
        services.choose(
            cluster,
            mode=form.mode,
            binds_platform_admins=form.cleaned_data["binds_platform_admins"],
            by=request.user,
        )
        said = _("The identity of people on %(name)s is changed.") % {"name": cluster.name}
        messages.success(request, said)
        return go(request, cluster.get_absolute_url() + "identity/")
    context = {"cluster": cluster, "form": form}
    return form_page(request, MODE, context, invalid=bool(form.errors))


def summary(cluster: Cluster, people: Roster | None = None) -> dict[str, Any]:
    """How the cluster stands to the people who may act there now."""
    state = store.state(cluster, people)
    return {
        "identity_state": state,
        "identity_health": HEALTH[state],
        "identity_checked": parse_datetime(cluster.identity_report.get("at", "")),
    }


def _context(cluster: Cluster) -> dict[str, Any]:
    report, people = cluster.identity_report, store.roster(cluster)
    return {
        "cluster": cluster,
        "manifest": store.manifest(cluster, people),
        "apply": APPLY,
        "named_users": people.users,
        "named_groups": people.groups,
        "account": report.get("account", ""),
        "missing": [_told(each, too_much=False) for each in report.get("missing", ())],
        "excess": [_told(each, too_much=True) for each in report.get("excess", ())],
        "complete": report.get("complete", True),
        **summary(cluster, people),
    }


def _told(finding: dict[str, str], *, too_much: bool) -> Told:
    what, kind, name = finding["what"], finding["kind"], finding["name"]
    namespace = finding["namespace"]
    if what == "impersonate" and not name:
        return Told(_("MCM's account may act as anybody (%(kind)s).") % {"kind": kind}, "")
    if what == "impersonate" and too_much:
        words = _("MCM's account may act as this %(kind)s, who has nothing to do there.")
        return Told(words % {"kind": kind}, name)
    if what == "impersonate":
        return Told(_("MCM's account may not act as this %(kind)s.") % {"kind": kind}, name)
    if what == "refused":
        facts = {"role": Role(kind).label, "place": namespace or _("the whole cluster")}
        return Told(_("This group does not hold %(role)s in %(place)s.") % facts, name)
    place = f" --namespace {namespace}" if namespace else ""
    command = f"kubectl delete {PLURALS[kind]} {name}{place}" if what == "left" else ""
    words = {
        "absent": _("This %(kind)s is not there."),
        "differs": _("This %(kind)s says something else."),
        "left": _("This %(kind)s is left from before: what it gives is not granted any more."),
    }[what]
    where = f"{namespace}/{name}" if namespace else name
    return Told(words % {"kind": kind}, where, command)
