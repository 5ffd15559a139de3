"""Who can do what in a cluster, and why; granting and revoking."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clusters.forms import GrantForm
from clusters.models import Cluster, Namespace
from clusters.services import grants
from clusters.views import paging
from teams import access, services
from teams.access import Held
from teams.models import User
from teams.views import SignedInRequest, form_page, go

GRANT = "clusters/grant.html"
REVOKE = "clusters/revoke.html"


def people(request: SignedInRequest, held: Held, cluster: Cluster) -> dict[str, Any]:
    """The tab: all grants for who administers the scope, otherwise those of one's own teams."""
    administered = grants.administered(held, cluster)
    q = request.GET.get("q", "").strip().lower()[:150]
    shown, after = paging.by_position(request, grants.people(held, cluster, q))
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
    scopes = grants.grantable(access.holdings(request.user), cluster)
    form = GrantForm(request.POST or None, scopes=scopes)
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
        effects = grants.effects_of_granting(team, role, scope)
        form.preview()
    context = {"cluster": cluster, "form": form, "effects": effects}
    return form_page(request, GRANT, context, invalid=bool(form.errors))


@require_http_methods(["GET", "POST"])
def revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    """Who loses what is shown before it is done."""
    row, scope = grants.revocable(request.user, pk)
    cluster = scope.cluster if isinstance(scope, Namespace) else scope
    back = f"{cluster.get_absolute_url()}?tab=people"
    if request.method == "POST":
        said = _("%(grant)s is revoked.") % {"grant": row}
        services.revoke(row, by=request.user)
        messages.success(request, said)
        return go(request, back)
    context = {"grant": row, "effects": grants.effects_of_revoking(row, scope), "back": back}
    return form_page(request, REVOKE, context, invalid=False)
