"""Changes of teams, members and grants; each tells the open sockets that rights have changed."""

from datetime import datetime

from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from teams import audit
from teams.executor import announce_rights_changed as announce_rights_changed
from teams.executor import apply, end_sessions
from teams.executor import revoke as revoke
from teams.models import Grant, GroupMapping, Membership, Team, User
from teams.roles import Role
from teams.services.tokens import create_token as create_token

# What the trail tells of a change of a user; never the password.
USER_FIELDS = ("username", "email", "first_name", "last_name", "is_active", "is_staff",
    "is_superuser")  # fmt: skip


@transaction.atomic
def save_user(user: User, *, by: User | None) -> User:
    created, before = user.pk is None, audit.stored(user, *USER_FIELDS)
    user.save()
    after = audit.fields(user, *USER_FIELDS)
    audit.record(by, "user.create" if created else "user.change", user, before=before, after=after)
    if not user.is_active:
        end_sessions(user)  # letting the person in again later must not revive them
    announce_rights_changed()
    return user


@transaction.atomic
def set_active(user: User, is_active: bool, *, by: User) -> None:
    """Lets the person in or not. Nobody locks himself out: ValidationError."""
    if user == by:
        raise ValidationError(_("You cannot do this to yourself."))
    if user.is_active == is_active:
        return
    before = audit.stored(user, "is_active")
    user.is_active = is_active
    user.save(update_fields=["is_active"])
    after = audit.fields(user, "is_active")
    action = "user.enable" if is_active else "user.disable"
    audit.record(by, action, user, before=before, after=after)
    if not is_active:
        end_sessions(user)  # letting the person in again later must not revive them
    announce_rights_changed()


@transaction.atomic
def password_changed(user: User, *, by: User | None) -> None:
    audit.record(by, "user.password", user)
    announce_rights_changed()


@transaction.atomic
def delete_user(user: User, *, by: User | None) -> None:
    audit.record(by, "user.delete", user, before=audit.fields(user, *USER_FIELDS))
    user.delete()
    announce_rights_changed()


@transaction.atomic
def save_team(team: Team, *, by: User | None) -> Team:
    """Stores a new or renamed team together with its group."""
    created, before = team.pk is None, audit.stored(team, "name")
    if created:
        team.group = Group.objects.create(name=f"team:{team.name}")
    else:
        Group.objects.filter(pk=team.group_id).update(name=f"team:{team.name}")
        _rename_robots(team)
    team.save()
    after = audit.fields(team, "name")
    audit.record(by, "team.create" if created else "team.change", team, before=before, after=after)
    announce_rights_changed()
    return team


def _rename_robots(team: Team) -> None:
    for robot in team.robots.all():
        name = robot.username.rpartition(":")[2]
        User.objects.filter(pk=robot.pk).update(username=User.robot_name(team, name))


@transaction.atomic
def delete_team(team: Team, *, by: User | None) -> None:
    audit.record(by, "team.delete", team)
    group = team.group
    team.delete()
    group.delete()
    announce_rights_changed()


@transaction.atomic
def save_membership(membership: Membership, *, by: User | None) -> Membership:
    before = audit.stored(membership, "is_manager")
    if membership.pk is not None:
        _leave_group(Membership.objects.get(pk=membership.pk))
    membership.save()
    membership.user.groups.add(membership.team.group)
    after = audit.fields(membership, "is_manager")
    audit.record(by, "membership.save", membership, before=before, after=after)
    announce_rights_changed()
    return membership


@transaction.atomic
def delete_membership(membership: Membership, *, by: User | None) -> None:
    before = audit.fields(membership, "is_manager")
    audit.record(by, "membership.delete", membership, before=before)
    _leave_group(membership)
    membership.delete()
    announce_rights_changed()


def _leave_group(membership: Membership) -> None:
    membership.user.groups.remove(membership.team.group)


@transaction.atomic
def save_mapping(mapping: GroupMapping, *, by: User | None) -> GroupMapping:
    """Counts from each person's next sign-in."""
    mapping.save()
    audit.record(by, "mapping.save", mapping)
    return mapping


@transaction.atomic
def delete_mapping(mapping: GroupMapping, *, by: User | None) -> None:
    audit.record(by, "mapping.delete", mapping)
    mapping.delete()


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
    before, row.ends = audit.fields(row, "role", "ends"), ends
    row.save(update_fields=["ends"])
    apply(team, scope)
    after = audit.fields(row, "role", "ends")
    if created:
        audit.record(by, "grant.create", row, after=after)
        announce_rights_changed()
    elif before != after:
        audit.record(by, "grant.change", row, before=before, after=after)
        announce_rights_changed()
    return row


@transaction.atomic
def forget_scope(scope: models.Model, *, by: User | None = None) -> None:
    """Removes every grant on a scope that is about to be deleted."""
    for row in Grant.on(scope).select_related("team"):
        before = audit.fields(row, "role", "ends")
        audit.record(by, "grant.delete", row, before=before, reason="its scope is gone")
        row.delete()
        apply(row.team, scope)
    announce_rights_changed()
