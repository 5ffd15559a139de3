"""Who can do what in a cluster, and why; granting and revoking."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clusters.forms import GrantForm
from clusters.models import Cluster, Namespace
from clusters.views import paging
from teams import access, services, store
from teams.access import Held
from teams.models import Grant, Team, User
from teams.roles import Action, Denied, Role, actions_of, in_order
from teams.views import SignedInRequest, form_page, go

GRANT = "clusters/grant.html"
REVOKE = "clusters/revoke.html"

Scope = Cluster | Namespace


@dataclass(frozen=True)
class Row:
    """A person on a scope of a cluster; `namespace` is empty for the whole of it."""

    user: User
    namespace: str
    actions: list[Action]
    grants: list[Grant]
    # Whether the reader may revoke them.
    may_revoke: bool


def people(request: SignedInRequest, held: Held, cluster: Cluster) -> dict[str, Any]:
    """The tab: all grants for who administers the scope, otherwise those of one's own teams."""
    administered = _administered(held, cluster)
    scopes = _scopes(held, cluster)
    q = request.GET.get("q", "").strip().lower()[:150]
    rows = [row for row in _rows(held, scopes, administered) if not q or q in _words(row)]
    shown, after = paging.by_position(request, rows)
    admins = User.objects.filter(is_superuser=True, is_active=True).order_by("username")
    return {
        "rows": shown,
        "after": after,
        "q": q,
        "may_grant": bool(administered),
        "sees_all": cluster in administered,
        "platform_admins": list(admins) if cluster in administered else [],
    }


@require_http_methods(["GET", "POST"])
def grant(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """What a grant would change is shown before it is made."""
    cluster = access.get_or_404(request.user, Cluster, pk)
    administered = _administered(access.holdings(request.user), cluster)
    if not administered:
        raise Denied(Action.ADMIN, cluster)
    form = GrantForm(request.POST or None, scopes=_existing(administered, cluster))
    effects = None
    if form.is_valid():
        team, role, scope = form.team, form.role, form.scope
        if form.was_previewed:
            services.grant(team, role, scope, ends=form.cleaned_data["ends"], by=request.user)
            messages.success(
                request,
                _("%(team)s is %(role)s on %(scope)s now.")
                % {"team": team, "role": role.label, "scope": scope},
            )
            return go(request, f"{cluster.get_absolute_url()}?tab=people")
        held = Grant.on(scope).filter(team=team).values_list("role", flat=True)
        effects = store.effects(scope, team, [*held, role], _wider(scope))
        form.preview()
    context = {"cluster": cluster, "form": form, "effects": effects}
    return form_page(request, GRANT, context, invalid=bool(form.errors))


@require_http_methods(["GET", "POST"])
def revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    """Who loses what is shown before it is done."""
    row = Grant.objects.filter(pk=pk).select_related("team").first()
    scope = row.scope if row else None
    if row is None or not isinstance(scope, Scope):
        raise Http404
    if not access.may(request.user, Action.ADMIN, scope):
        if access.visible(request.user, Team).filter(pk=row.team_id).exists():
            raise Denied(Action.ADMIN, row)
        raise Http404
    cluster = scope.cluster if isinstance(scope, Namespace) else scope
    back = f"{cluster.get_absolute_url()}?tab=people"
    if request.method == "POST":
        said = _("%(grant)s is revoked.") % {"grant": row}
        services.revoke(row, by=request.user)
        messages.success(request, said)
        return go(request, back)
    rest = Grant.on(scope).filter(team=row.team).exclude(pk=pk).values_list("role", flat=True)
    effects = store.effects(scope, row.team, rest, _wider(scope))
    context = {"grant": row, "effects": effects, "back": back}
    return form_page(request, REVOKE, context, invalid=False)


def _scopes(held: Held, cluster: Cluster) -> list[Scope]:
    """The cluster and those of its namespaces that the person sees."""
    spaces = access.visible(held, Namespace).filter(cluster=cluster).select_related("cluster")
    return [cluster, *spaces.order_by("name")]


def _administered(held: Held, cluster: Cluster) -> list[Scope]:
    """Where in the cluster the person may grant and revoke."""
    spaces = access.visible(held, Namespace, Action.ADMIN).filter(cluster=cluster)
    whole = [cluster] if access.may(held, Action.ADMIN, cluster) else []
    return [*whole, *spaces.select_related("cluster").order_by("name")]


def _existing(scopes: list[Scope], cluster: Cluster) -> list[Scope]:
    """Without the namespaces that are gone, on which nothing is granted any more."""
    there = Namespace.objects.filter(Namespace.existing(), cluster=cluster)
    keys = set(there.values_list("pk", flat=True))
    return [scope for scope in scopes if isinstance(scope, Cluster) or scope.pk in keys]


def _wider(scope: Scope) -> list[Cluster]:
    return [scope.cluster] if isinstance(scope, Namespace) else []


def _rows(held: Held, scopes: Iterable[Scope], administered: list[Scope]) -> list[Row]:
    places = {store.place(scope): scope for scope in scopes}
    grants = store.on(places.values())
    mine = {store.place(scope) for scope in administered}
    teams = set(access.visible(held, Team).values_list("pk", flat=True))
    rows = []
    for holding in store.holdings(grants):
        scope, may_revoke = places[holding.place], holding.place in mine
        seen = [each for each in holding.grants if may_revoke or each.team_id in teams]
        if seen:
            actions = in_order(actions_of(each.role for each in seen))
            namespace = scope.name if isinstance(scope, Namespace) else ""
            rows.append(Row(holding.user, namespace, actions, seen, may_revoke))
    return rows


def _words(row: Row) -> str:
    teams = " ".join(grant.team.name for grant in row.grants)
    roles = " ".join(str(Role(grant.role).label) for grant in row.grants)
    return f"{row.user.get_username()} {row.namespace} {teams} {roles}".lower()
