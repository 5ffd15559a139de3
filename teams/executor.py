"""Grants as guardian's permissions, the ends of grants and tokens, and how everybody is told that
rights changed.
"""

from collections.abc import Iterable
from datetime import timedelta

from allauth.usersessions.models import UserSession
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import models, transaction
from django.utils import timezone
from guardian.shortcuts import assign_perm, remove_perm

from teams import audit
from teams.models import Grant, Team, Token, User
from teams.roles import Action, actions_of

# Every live socket listens to this group of the channel layer.
RIGHTS_CHANGED = "rights"
# So long their owners see which tokens are over.
TOKENS_SHOWN_FOR = timedelta(days=30)


def announce_rights_changed() -> None:
    """After the commit, every open socket looks at its person's rights again."""

    def send() -> None:
        layer = get_channel_layer()
        if layer is not None:
            async_to_sync(layer.group_send)(RIGHTS_CHANGED, {"type": "rights.changed"})

    transaction.on_commit(send, robust=True)


def end_sessions(user: User) -> int:
    """Ends every sign-in of a person, with the sockets that it opened; how many there were."""
    rows = list(UserSession.objects.filter(user_id=user.pk))
    for row in rows:
        row.end()
    announce_rights_changed()
    return len(rows)


def apply(team: Team, scope: models.Model) -> None:
    """Makes guardian's permissions on the scope equal to what the team's grants there say."""
    roles = Grant.on(scope).filter(team=team).values_list("role", flat=True)
    held = actions_of(roles)
    for action in Action:
        permission = f"{scope._meta.app_label}.{action}_{scope._meta.model_name}"
        change = assign_perm if action in held else remove_perm
        change(permission, team.group, scope)


@transaction.atomic
def revoke(row: Grant, *, by: User | None) -> None:
    audit.record(by, "grant.delete", row, before=audit.fields(row, "role", "ends"))
    team, scope = row.team, row.scope
    row.delete()
    if scope is not None:
        apply(team, scope)
    announce_rights_changed()


def end_grants() -> None:
    """Revokes the grants whose time is over."""
    for row in Grant.objects.filter(ends__lte=timezone.now()).select_related("team"):
        revoke(row, by=None)


@transaction.atomic
def end_tokens(tokens: Iterable[Token]) -> None:
    """Calls with them are refused from now on, and their sockets end; their robots rest."""
    for token in tokens:
        User.objects.filter(pk=token.user_id, robot_of__isnull=False).update(is_active=False)
        token.delete()
    announce_rights_changed()


def forget_tokens() -> None:
    """Removes the tokens that are over for long."""
    end_tokens(Token.objects.filter(expiry__lte=timezone.now() - TOKENS_SHOWN_FOR))
