"""Who is in which team, and who may change that."""

from collections.abc import Iterable
from typing import NamedTuple

from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404

from teams import access
from teams.models import Grant, Membership, Team, User
from teams.roles import Action


class Listed(NamedTuple):
    """A team in a list: how many people and grants it has, and whether the reader manages it."""

    team: Team
    members: int
    grants: int
    managed: bool


def listed(by: User, teams: Iterable[Team]) -> list[Listed]:
    found = list(teams)
    keys = [team.pk for team in found]
    # Counted apart: two joins would multiply each other.
    people = Membership.objects.filter(team__in=keys, user__robot_of=None)
    sizes = dict(people.values_list("team").annotate(n=Count("pk")))
    grants = dict(Grant.objects.filter(team__in=keys).values_list("team").annotate(n=Count("pk")))
    managed = set(access.visible(by, Team, Action.ADMIN).values_list("pk", flat=True))
    return [
        Listed(team, sizes.get(team.pk, 0), grants.get(team.pk, 0), team.pk in managed)
        for team in found
    ]


def member(by: User, /, **key: int) -> Membership:
    """A person in a team that one sees, or Http404. Robots come and go with their tokens."""
    people = Membership.objects.filter(user__robot_of=None, team__in=access.visible(by, Team))
    found = people.filter(**key).select_related("user", "team").first()
    if found is None:
        raise Http404
    return found


def require_removal(found: Membership, *, by: User) -> None:
    """A manager does not remove other managers; everybody may leave. Raises PermissionDenied."""
    if found.user_id == by.pk:
        access.require_token_for(by, Action.ADMIN)
        return
    if not access.may(by, Action.ADMIN, found.team):
        raise PermissionDenied
    if found.is_manager:
        access.require_platform_admin(by)
