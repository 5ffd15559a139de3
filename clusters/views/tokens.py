"""One's own API tokens, and those of a team's robots."""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from clusters.models import Cluster
from clusters.services.tokens import shown
from teams import access
from teams.confirmation import confirmed
from teams.forms import RobotForm, TokenForm
from teams.models import Team, Token
from teams.roles import Action
from teams.services import tokens as services
from teams.views import SignedInRequest, form_page, fragment, go

LIST = "clusters/tokens.html"
TEAM = "clusters/team_tokens.html"
NEW = "clusters/token_new.html"
MADE = "clusters/token_made.html"
REVOKE = "clusters/token_revoke.html"
# Lists of tokens listen for this.
CHANGED = "tokens-changed"


class New(NamedTuple):
    """What differs between a token of one's own and one of a robot."""

    title: str
    back: str
    form: type[TokenForm]
    make: Callable[[services.Wanted], tuple[Token, str]]


@require_GET
def tokens(request: SignedInRequest) -> HttpResponse:
    rows = shown(request.user, Token.objects.filter(user=request.user))
    return fragment(request, LIST, "list", {"rows": rows})


@require_GET
def team_tokens(request: SignedInRequest, pk: int) -> HttpResponse:
    """The part of a team's page that is for who manages it."""
    team = access.get_or_404(request.user, Team, pk, Action.ADMIN)
    rows = shown(request.user, Token.objects.filter(user__robot_of=team))
    return fragment(request, TEAM, "list", {"rows": rows, "team": team})


@require_http_methods(["GET", "POST"])
@confirmed
def create(request: SignedInRequest) -> HttpResponse:
    user = request.user
    new = New(
        _("New token"),
        reverse("tokens"),
        TokenForm,
        lambda wanted: services.make(user, wanted, by=user),
    )
    return _create(request, new)


@require_http_methods(["GET", "POST"])
@confirmed
def create_robot(request: SignedInRequest, pk: int) -> HttpResponse:
    team = access.get_or_404(request.user, Team, pk, Action.ADMIN)
    new = New(
        _("New robot token of %(team)s") % {"team": team},
        reverse("team-detail", args=[pk]),
        RobotForm,
        lambda wanted: services.make_robot(team, wanted, by=request.user),
    )
    return _create(request, new)


def _create(request: SignedInRequest, new: New) -> HttpResponse:
    """The token is in the answer to the form and nowhere else."""
    clusters = access.visible(request.user, Cluster).order_by("name").values_list("pk", "name")
    form = new.form(request.POST or None, clusters=list(clusters))
    context: dict[str, Any] = {"form": form, "title": new.title, "back": new.back}
    if form.is_valid():
        try:
            _row, context["secret"] = new.make(form.wanted)
        except services.Refused as error:
            form.add_error(error.field, str(error))
        else:
            answer = form_page(request, MADE, context, invalid=False)
            answer.headers["HX-Trigger"] = CHANGED
            return answer
    return form_page(request, NEW, context, invalid=bool(form.errors))


@require_http_methods(["GET", "POST"])
def revoke(request: SignedInRequest, pk: UUID) -> HttpResponse:
    token = access.get_or_404(request.user, Token, pk, Action.ADMIN)
    team = token.user.robot_of
    back = reverse("tokens") if team is None else reverse("team-detail", args=[team.pk])
    if request.method == "POST":
        services.revoke(token, by=request.user)
        messages.success(request, _("The token %(name)s is revoked.") % {"name": token.name})
        return go(request, back)
    return form_page(request, REVOKE, {"token": token, "back": back}, invalid=False)
