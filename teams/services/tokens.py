"""API tokens of people and of teams' robots: made and revoked."""

from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from knox.models import get_digest_token
from knox.settings import CONSTANTS

from teams import access, audit, executor
from teams.models import Membership, Team, Token, User
from teams.roles import Action, Reach

# Of one person or one team: more are a script that never stops.
MOST = 100
# What is chosen where nobody chooses.
USUAL_DAYS = min(90, settings.TOKEN_DAYS)


class Refused(Exception):
    """There can be no such token; `field` is what is wrong with it."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True)
class Wanted:
    """What is asked for."""

    lasts: timedelta
    name: str = ""
    reach: Reach = field(default_factory=Reach)


def create_token(user: User, lasts: timedelta, *, by: User | None) -> str:
    """A token that reaches as far as its owner."""
    return make(user, Wanted(lasts), by=by)[1]


@transaction.atomic
def make(user: User, wanted: Wanted, *, by: User | None) -> tuple[Token, str]:
    """A token of a person; the text is stored nowhere but as a hash.

    `by` is that person, or None at the machine itself. Raises PermissionDenied, and Refused.
    """
    if by is not None and (by.pk != user.pk or user.robot_of_id is not None):
        raise PermissionDenied
    _refuse_too_many(Token.objects.filter(user=user).count())
    return _make(user, wanted, by)


@transaction.atomic
def make_robot(team: Team, wanted: Wanted, *, by: User) -> tuple[Token, str]:
    """A token of the team: who uses it is the robot of its name, which holds what the team holds.

    Raises PermissionDenied, and Refused.
    """
    access.get_or_404(by, Team, team.pk, Action.ADMIN)
    team = Team.objects.select_for_update().get(pk=team.pk)
    _refuse_too_many(Token.objects.filter(user__robot_of=team).count())
    username = User.robot_name(team, wanted.name)
    usual = {"robot_of": team, "password": make_password(None)}
    robot, _created = User.objects.get_or_create(username=username, defaults=usual)
    if Token.objects.filter(user=robot).exists():
        raise Refused("name", _("The team has a token of this name. Revoke that one first."))
    # The robot of a token that was revoked comes back: what it did stays under its name.
    robot.is_active = True
    robot.save()
    Membership.objects.get_or_create(team=team, user=robot)
    robot.groups.add(team.group)
    made = _make(robot, wanted, by)
    executor.announce_rights_changed()
    return made


def _refuse_too_many(there: int) -> None:
    if there >= MOST:
        text = _("There are %(most)d tokens already. Revoke one that nobody uses.")
        raise Refused("name", text % {"most": MOST})


def _make(user: User, wanted: Wanted, by: User | None) -> tuple[Token, str]:
    expiry = timezone.now() + wanted.lasts
    if wanted.lasts > timedelta(days=settings.TOKEN_DAYS):
        text = ngettext(
            "A token lasts %(most)d day at most.",
            "A token lasts %(most)d days at most.",
            settings.TOKEN_DAYS,
        )
        raise Refused("days", text % {"most": settings.TOKEN_DAYS})
    if by is not None and by.token is not None:
        _refuse_wider(wanted.reach, by.token)
        # It ends with the one that made it: else one that was stolen would never end.
        expiry = min(expiry, by.token.expiry or expiry)
    digest, text = get_digest_token()
    reach = wanted.reach
    row = Token.objects.create(
        digest=digest,
        token_key=text[: CONSTANTS.TOKEN_KEY_LENGTH],
        user=user,
        made_by=by.token if by is not None else None,
        name=wanted.name,
        level=reach.level,
        only=None if reach.only is None else sorted(reach.only),
        expiry=expiry,
    )
    only = None if reach.only is None else sorted(map(str, reach.only))
    expires = expiry.isoformat()
    audit.record(by, "token.create", row, scope=reach.level, clusters=only, expires=expires)
    return row, text


def _refuse_wider(reach: Reach, token: Token) -> None:
    """No token makes one that may do more; only those that administer make any."""
    if not token.reach.allows(Action.ADMIN):
        raise PermissionDenied
    if not reach.lies_within(token.reach):
        raise Refused("clusters", _("A token makes no token that reaches further than itself."))


@transaction.atomic
def revoke(token: Token, *, by: User | None) -> None:
    """Calls with it are refused from now on, and its sockets end."""
    audit.record(by, "token.revoke", token)
    executor.end_tokens([token])
