"""Who may change who is in a team."""

from django.core.exceptions import PermissionDenied
from django.http import Http404

from teams import access
from teams.models import Membership, Team, User
from teams.roles import Action


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
