"""Changes of teams, members and grants; each tells the open sockets that rights have changed."""

from datetime import timedelta

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from guardian.shortcuts import assign_perm, remove_perm
from knox.models import AuthToken

from teams import audit
from teams.models import Grant, Membership, Team, User
from teams.roles import Action, Role

# Every live socket listens to this group of the channel layer.
RIGHTS_CHANGED = "rights"


def announce_rights_changed() -> None:
    """After the commit, every open socket looks at its person's rights again."""

    def send() -> None:
        layer = get_channel_layer()
        if layer is not None:
            async_to_sync(layer.group_send)(RIGHTS_CHANGED, {"type": "rights.changed"})

    transaction.on_commit(send, robust=True)


@transaction.atomic
def save_user(user: User, *, by: User | None) -> User:
    created = user.pk is None
    user.save()
    audit.record(by, "user.create" if created else "user.change", user)
    announce_rights_changed()
    return user


@transaction.atomic
def password_changed(user: User, *, by: User | None) -> None:
    audit.record(by, "user.password", user)
    announce_rights_changed()


@transaction.atomic
def delete_user(user: User, *, by: User | None) -> None:
    audit.record(by, "user.delete", user)
    user.delete()
    announce_rights_changed()


@transaction.atomic
def save_team(team: Team, *, by: User | None) -> Team:
    """Stores a new or renamed team together with its group."""
    created = team.pk is None
    if created:
        team.group = Group.objects.create(name=f"team:{team.name}")
    else:
        Group.objects.filter(pk=team.group_id).update(name=f"team:{team.name}")
    team.save()
    audit.record(by, "team.create" if created else "team.change", team)
    return team


@transaction.atomic
def delete_team(team: Team, *, by: User | None) -> None:
    audit.record(by, "team.delete", team)
    group = team.group
    team.delete()
    group.delete()
    announce_rights_changed()


@transaction.atomic
def save_membership(membership: Membership, *, by: User | None) -> Membership:
    if membership.pk is not None:
        _leave_group(Membership.objects.get(pk=membership.pk))
    membership.save()
    membership.user.groups.add(membership.team.group)
    audit.record(by, "membership.save", membership, manager=membership.is_manager)
    announce_rights_changed()
    return membership


@transaction.atomic
def delete_membership(membership: Membership, *, by: User | None) -> None:
    audit.record(by, "membership.delete", membership)
    _leave_group(membership)
    membership.delete()
    announce_rights_changed()


def _leave_group(membership: Membership) -> None:
    membership.user.groups.remove(membership.team.group)


@transaction.atomic
def grant(team: Team, role: Role, scope: models.Model, *, by: User | None) -> Grant:
    """Gives the team the role on the scope; giving it again changes nothing."""
    row, created = Grant.objects.get_or_create(
        team=team,
        role=role,
        scope_type=ContentType.objects.get_for_model(scope),
        scope_id=str(scope.pk),
    )
    _apply(team, scope)
    if created:
        audit.record(by, "grant.create", row, role=role)
        announce_rights_changed()
    return row


@transaction.atomic
def revoke(row: Grant, *, by: User | None) -> None:
    audit.record(by, "grant.delete", row, role=row.role)
    team, scope = row.team, row.scope
    row.delete()
    if scope is not None:
        _apply(team, scope)
    announce_rights_changed()


@transaction.atomic
def forget_scope(scope: models.Model) -> None:
    """Removes every grant on a scope that is about to be deleted."""
    for row in Grant.on(scope).select_related("team"):
        row.delete()
        _apply(row.team, scope)
    announce_rights_changed()


def _apply(team: Team, scope: models.Model) -> None:
    """Makes guardian's permissions on the scope equal to what the team's grants there say."""
    roles = Grant.on(scope).filter(team=team).values_list("role", flat=True)
    held = {action for role in roles for action in Role(role).actions}
    for action in Action:
        permission = f"{scope._meta.app_label}.{action}_{scope._meta.model_name}"
        change = assign_perm if action in held else remove_perm
        change(permission, team.group, scope)


@transaction.atomic
def create_token(user: User, lasts: timedelta, *, by: User | None) -> str:
    """A new API token; what is returned is stored nowhere but as a hash."""
    row, token = AuthToken.objects.create(user=user, expiry=lasts)
    audit.record(by, "token.create", user, expires=row.expiry.isoformat())
    return str(token)
