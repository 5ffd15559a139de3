"""Teams and their members."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from teams import access, services, store
from teams.forms import DeleteTeamForm, MemberForm, TeamForm
from teams.models import Team
from teams.roles import Action
from teams.services import members
from teams.views import SignedInRequest, form_page, fragment, go

LIST = "teams/list.html"
DETAIL = "teams/detail.html"
EDIT = "teams/edit.html"
MEMBER = "teams/member.html"
DELETE = "teams/delete.html"


@require_GET
def teams(request: SignedInRequest) -> HttpResponse:
    """One's own teams; all of them for platform admins."""
    context = {
        "rows": members.listed(request.user, access.visible(request.user, Team)),
        "may_create": access.is_platform_admin(request.user),
    }
    return fragment(request, LIST, "table", context)


@require_GET
def team(request: SignedInRequest, pk: int) -> HttpResponse:
    found = access.get_or_404(request.user, Team, pk)
    grants = found.grants.order_by("scope_type", "scope_id", "role")
    scopes = store.scopes(grants)
    people = found.membership_set.filter(user__robot_of=None).select_related("user")
    context = {
        "team": found,
        "members": people.order_by("user__username"),
        "grants": [(grant, scopes.get((grant.scope_type_id, grant.scope_id))) for grant in grants],
        "may_manage": access.may(request.user, Action.ADMIN, found),
        "may_admin": access.is_platform_admin(request.user),
    }
    return fragment(request, DETAIL, "page", context)


@require_http_methods(["GET", "POST"])
def create(request: SignedInRequest) -> HttpResponse:
    access.require_platform_admin(request.user)
    form = TeamForm(request.POST or None)
    if form.is_valid():
        made = services.save_team(form.save(commit=False), by=request.user)
        messages.success(request, _("The team %(name)s is made.") % {"name": made})
        return go(request, reverse("team-detail", args=[made.pk]))
    return form_page(request, EDIT, {"form": form, "team": None}, invalid=bool(form.errors))


@require_http_methods(["GET", "POST"])
def edit(request: SignedInRequest, pk: int) -> HttpResponse:
    found = access.get_or_404(request.user, Team, pk)
    access.require_platform_admin(request.user)
    name = found.name  # validating the form writes what was typed into the object
    form = TeamForm(request.POST or None, instance=found)
    if form.is_valid():
        changed = services.save_team(form.save(commit=False), by=request.user)
        messages.success(request, _("The team is called %(name)s now.") % {"name": changed})
        return go(request, reverse("team-detail", args=[pk]))
    context = {"form": form, "team": found, "name": name}
    return form_page(request, EDIT, context, invalid=bool(form.errors))


@require_http_methods(["GET", "POST"])
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    found = access.get_or_404(request.user, Team, pk)
    access.require_platform_admin(request.user)
    form = DeleteTeamForm(request.POST or None, team=found)
    if form.is_valid():
        services.delete_team(found, by=request.user)
        messages.success(request, _("The team %(name)s is deleted.") % {"name": found.name})
        return go(request, reverse("teams"))
    context = {"form": form, "team": found, "grants": found.grants.count()}
    return form_page(request, DELETE, context, invalid=bool(form.errors))


@require_http_methods(["GET", "POST"])
def add_member(request: SignedInRequest, pk: int) -> HttpResponse:
    """Who manages a team adds people; only platform admins make managers."""
    found = access.get_or_404(request.user, Team, pk, Action.ADMIN)
    may_promote = access.is_platform_admin(request.user)
    form = MemberForm(request.POST or None, team=found, may_promote=may_promote)
    if form.is_valid():
        services.save_membership(form.membership, by=request.user)
        who = form.cleaned_data["username"]
        messages.success(request, _("%(who)s is in %(team)s now.") % {"who": who, "team": found})
        return go(request, reverse("team-detail", args=[pk]))
    return form_page(request, MEMBER, {"form": form, "team": found}, invalid=bool(form.errors))


@require_POST
def set_manager(request: SignedInRequest, pk: int) -> HttpResponse:
    """`manager` is "true" or "false"."""
    found = members.member(request.user, pk=pk)
    access.require_platform_admin(request.user)
    found.is_manager = request.POST.get("manager") == "true"
    services.save_membership(found, by=request.user)
    return redirect("team-detail", found.team_id)


@require_POST
def remove_member(request: SignedInRequest, pk: int) -> HttpResponse:
    found = members.member(request.user, pk=pk)
    members.require_removal(found, by=request.user)
    services.delete_membership(found, by=request.user)
    text = _("%(who)s is no longer in %(team)s.") % {"who": found.user, "team": found.team}
    messages.success(request, text)
    stays = access.visible(request.user, Team).filter(pk=found.team_id).exists()
    return redirect("team-detail", found.team_id) if stays else redirect("teams")
