"""The roles a grant gives and the actions each role may do, and how far a token reaches."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import models
from django.utils.translation import gettext_lazy as _


class Action(models.TextChoices):
    """What a person does with a cluster or a namespace; each is a permission of both models."""

    VIEW = "view", _("see")
    OPERATE = "operate", _("operate")
    ADMIN = "admin", _("administer")


class Denied(PermissionDenied):
    """The person sees the object and lacks the action on it; the trail tells of both."""

    def __init__(self, action: Action, found: models.Model) -> None:
        super().__init__()
        self.action = action
        self.found = found


class Role(models.TextChoices):
    VIEWER = "viewer", _("Viewer")
    OPERATOR = "operator", _("Operator")
    ADMIN = "admin", _("Admin")

    @property
    def actions(self) -> tuple[Action, ...]:
        return _ACTIONS[self]


_ACTIONS = {
    Role.VIEWER: (Action.VIEW,),
    Role.OPERATOR: (Action.VIEW, Action.OPERATE),
    Role.ADMIN: (Action.VIEW, Action.OPERATE, Action.ADMIN),
}


def actions_of(roles: Iterable[str]) -> frozenset[Action]:
    """All that these roles allow together."""
    return frozenset(action for role in roles for action in Role(role).actions)


def in_order(actions: Collection[Action]) -> list[Action]:
    """From the least to the most."""
    return [action for action in Action if action in actions]


class Level(models.TextChoices):
    """The most that a token may be used for."""

    READ = "read", _("Read")
    OPERATE = "operate", _("Operate")
    ADMIN = "admin", _("Admin")

    @property
    def actions(self) -> tuple[Action, ...]:
        return _LEVELS[self]


_LEVELS = {
    Level.READ: Role.VIEWER.actions,
    Level.OPERATE: Role.OPERATOR.actions,
    Level.ADMIN: Role.ADMIN.actions,
}


@dataclass(frozen=True)
class Reach:
    """How far a token reaches: it takes away from what its owner holds, and gives nothing."""

    level: Level = Level.ADMIN
    # Keys of clusters; None: all.
    only: frozenset[UUID] | None = None

    def allows(self, action: Action) -> bool:
        return action in self.level.actions

    def lies_within(self, other: "Reach") -> bool:
        """Whether it reaches no further than another one."""
        narrower = set(self.level.actions) <= set(other.level.actions)
        if other.only is None:
            return narrower
        return narrower and self.only is not None and self.only <= other.only
