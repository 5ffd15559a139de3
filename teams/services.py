"""Changes of teams, members and grants; each tells the open sockets that rights have changed."""

from datetime import datetime, timedelta

from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _
from knox.models import AuthToken

from teams import audit
from teams.executor import announce_rights_changed as announce_rights_changed
from teams.executor import apply
from teams.executor import revoke as revoke
from teams.models import Grant, Membership, Team, User
from teams.roles import Role


@transaction.atomic
def save_user(user: User, *, by: User | None) -> User:
    created = user.pk is None
    user.save()
    audit.record(by, "user.create" if created else "user.change", user)
    announce_rights_changed()
    return user


@transaction.atomic
def set_active(user: User, is_active: bool, *, by: User) -> None:
    """Lets the person in or not. Nobody locks himself out: ValidationError."""
    if user == by:
        raise ValidationError(_("You cannot do this to yourself."))
    if user.is_active == is_active:
        return
    user.is_active = is_active
    user.save(update_fields=["is_active"])
    audit.record(by, "user.enable" if is_active else "user.disable", user)
    announce_rights_changed()


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
    announce_rights_changed()
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
def grant(
    team: Team, role: Role, scope: models.Model, *, by: User | None, ends: datetime | None = None
) -> Grant:
    """Gives the team the role on the scope until it `ends`; giving it again changes the end."""
    row, created = Grant.objects.get_or_create(
        team=team,
        role=role,
        scope_type=ContentType.objects.get_for_model(scope),
        scope_id=str(scope.pk),
        defaults={"ends": ends},
    )
    before, row.ends = row.ends, ends
    row.save(update_fields=["ends"])
    apply(team, scope)
    if created or before != ends:
        action = "grant.create" if created else "grant.change"
        audit.record(by, action, row, role=role, ends=ends.isoformat() if ends else None)
        announce_rights_changed()
    return row


@transaction.atomic
def forget_scope(scope: models.Model) -> None:
    """Removes every grant on a scope that is about to be deleted."""
    for row in Grant.on(scope).select_related("team"):
        row.delete()
        apply(row.team, scope)
    announce_rights_changed()


@transaction.atomic
def create_token(user: User, lasts: timedelta, *, by: User | None) -> str:
    """A new API token; what is returned is stored nowhere but as a hash."""
    row, token = AuthToken.objects.create(user=user, expiry=lasts)
    audit.record(by, "token.create", user, expires=row.expiry.isoformat())
    return str(token)


@transaction.atomic
def revoke_token(token: AuthToken, *, by: User | None) -> None:
    """The token opens nothing from now on."""
    audit.record(by, "token.revoke", token.user, created=token.created.isoformat())
    token.delete()
    announce_rights_changed()
