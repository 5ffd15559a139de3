"""The one door for permission: what may be seen is 404 otherwise, what may be done is 403.

A model says which of its rows lie within a person's grants by a class method
`within(held) -> Q`; this module knows neither clusters nor namespaces.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from typing import Any, Protocol, TypeVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.http import Http404
from guardian.models import GroupObjectPermission

from teams.models import Grant, Team, User
from teams.roles import Action, Denied, Level, Role
from teams.trail import scope_key


class Scoped(Protocol):
    @classmethod
    def within(cls, held: "Held") -> Q: ...


class Scope(Protocol):
    """What is granted: a model that says which of its rows lie in some clusters."""

    @classmethod
    def inside(cls, clusters: Collection[UUID]) -> Q: ...


M = TypeVar("M", bound=Model)
T = TypeVar("T")
AnyUser = User | AnonymousUser
# The group as which clusters know platform admins.
PLATFORM_ADMINS = "mcm:platform-admins"


# What guardian keeps for the groups of a person, of all scope models at once. Each request asks
# this; guardian's `get_objects_for_user` takes six times as long, and asks for one model.
_GRANTED = f"""
SELECT granted.content_type_id, granted.object_pk
FROM {GroupObjectPermission._meta.db_table} granted
JOIN {User.groups.through._meta.db_table} member ON member.group_id = granted.group_id
JOIN {Permission._meta.db_table} permission ON permission.id = granted.permission_id
WHERE member.user_id = %s AND starts_with(permission.codename, %s)
"""  # noqa: S608 - names of tables


class Held:
    """The scopes on which a person holds an action, looked up once.

    Who came in by a token holds no more than it is for: here and nowhere else it is narrowed.
    """

    def __init__(self, user: AnyUser, action: Action) -> None:
        self.user = user
        self.action = action
        reach = user.reach if isinstance(user, User) else None
        # Keys of the only clusters that the token is for; None: there is no such limit.
        self.only = reach.only if reach else None
        self._allowed = reach is None or reach.allows(action)
        self._ids: dict[type[Model], frozenset[Any]] = {}
        self._found: dict[Callable[[Held], Any], Any] = {}

    def once(self, look_up: "Callable[[Held], T]") -> T:
        """What a function finds out of this; asked again, the same."""
        if look_up not in self._found:
            self._found[look_up] = look_up(self)
        found: T = self._found[look_up]
        return found

    def ids(self, model: type[Model]) -> frozenset[Any]:
        """Keys of the rows of a scope model granted directly (not by a wider scope)."""
        if model not in self._ids:
            texts = self._granted.get(ContentType.objects.get_for_model(model).pk, ())
            keys = frozenset(map(model._meta.pk.to_python, texts))
            self._ids[model] = keys if self.only is None else self._reached(model, keys)
        return self._ids[model]

    def _reached(self, model: type[Model], granted: frozenset[Any]) -> frozenset[Any]:
        """Those of the granted rows that a token for certain clusters is for."""
        if self.nothing:
            return frozenset()
        scope: type[Scope] = model  # type: ignore[assignment]  # what is granted has inside()
        rows = model._default_manager.filter(scope.inside(self.only or ()))
        if not self._is_platform_admin:
            rows = rows.filter(pk__in=granted)
        return frozenset(rows.values_list("pk", flat=True))

    @cached_property
    def _granted(self) -> dict[int, list[str]]:
        """The granted keys by content type."""
        found: dict[int, list[str]] = defaultdict(list)
        if not self.nothing:
            with connection.cursor() as cursor:
                cursor.execute(_GRANTED, [self.user.pk, f"{self.action}_"])
                for kind, key in cursor:
                    found[kind].append(key)
        return found

    @cached_property
    def governed(self) -> list[str]:
        """The keys of the scopes that the person administers and of the teams that he manages."""
        if self.action is not Action.ADMIN:
            return Held(self.user, Action.ADMIN).governed
        kinds = map(ContentType.objects.get_for_id, self._granted)
        models = [model for kind in kinds if (model := kind.model_class())]
        keys = [scope_key(model, key) for model in models for key in self.ids(model)]
        teams = visible(self.user, Team, Action.ADMIN).values_list("pk", flat=True)
        return sorted([*keys, *(scope_key(Team, key) for key in teams)])

    @cached_property
    def everything(self) -> bool:
        return self._is_platform_admin and self._allowed and self.only is None

    @cached_property
    def nothing(self) -> bool:
        return not (isinstance(self.user, User) and self.user.is_active and self._allowed)

    @property
    def _is_platform_admin(self) -> bool:
        return isinstance(self.user, User) and self.user.is_platform_admin


# A person, or what was looked up of him: who asks often about one person looks that up once.
Who = AnyUser | Held


def holdings(who: Who, action: Action = Action.VIEW) -> Held:
    """What the person holds of an action; looked up before if `who` is that already."""
    if not isinstance(who, Held):
        return Held(who, action)
    return who if who.action is action else Held(who.user, action)


def visible(who: Who, model: type[M], action: Action = Action.VIEW) -> QuerySet[M]:
    """The rows of a model on which the person may do the action."""
    rows = model._default_manager.all()
    held = holdings(who, action)
    if held.everything:
        return rows
    if held.nothing:
        return rows.none()
    scoped: type[Scoped] = model  # type: ignore[assignment]  # every governed model has within()
    return rows.filter(scoped.within(held))


def get_or_404(who: Who, model: type[M], key: Any, action: Action = Action.VIEW) -> M:
    """The row with this primary key. Raises Http404 when unseen, PermissionDenied when only seen.

    A malformed key and a foreign one give the same answer.
    """
    held = holdings(who)
    try:
        found = visible(held, model).filter(pk=key).first()
    except (ValueError, ValidationError) as error:
        raise Http404 from error
    if found is None:
        raise Http404
    if action is not Action.VIEW and not may(held, action, found):
        raise Denied(action, found)
    return found


def person_or_404(user: User, pk: int) -> User:
    """Oneself, and everybody for who sees everything. Raises Http404."""
    if user.pk == pk:
        return user
    found = User.objects.filter(pk=pk).first() if sees_everything(user) else None
    if found is None:
        raise Http404
    return found


def holds(user: AnyUser, action: Action, scope: Model) -> bool:
    """The action on the whole of a scope: granted on itself, not on something within it."""
    held = Held(user, action)
    return held.everything or (not held.nothing and scope.pk in held.ids(type(scope)))


def may(who: Who, action: Action, found: Model) -> bool:
    return visible(who, type(found), action).filter(pk=found.pk).exists()


def require(user: AnyUser, action: Action, wider: Model, narrower: Iterable[Model]) -> None:
    """The action on `wider` or on one of the `narrower` scopes in it, or PermissionDenied."""
    if not (may(user, action, wider) or any(may(user, action, scope) for scope in narrower)):
        raise Denied(action, wider)


def cluster_groups(
    user: User, places: Mapping[Model, str], level: Level = Level.ADMIN
) -> tuple[str, ...]:
    """The groups as which a cluster knows the person: one for each grant on one of these scopes.

    `places` gives the scopes with the namespace that each is, empty for the whole cluster. A grant
    whose time is over counts no more, even before it is revoked.
    """
    if not user.is_active:
        return ()
    on_one, names = Q(pk__in=[]), {}
    for scope, name in places.items():
        key = (ContentType.objects.get_for_model(scope).pk, str(scope.pk))
        on_one |= Q(scope_type=key[0], scope_id=key[1])
        names[key] = name
    grants = Grant.running().filter(on_one, team__members=user)
    lines = grants.values_list("team__name", "role", "scope_type", "scope_id")
    allowed = set(level.actions)
    mine = [PLATFORM_ADMINS] if user.is_platform_admin and level is Level.ADMIN else []
    return (
        *mine,
        *sorted(
            team_group(team, role, names[kind, key])
            for team, role, kind, key in lines
            if set(Role(role).actions) <= allowed
        ),
    )


def team_group(team: str, role: str, namespace: str = "") -> str:
    """The group as which clusters know a team in a role.

    That of a namespace names it: who loses one of two namespaces is no longer in the group that is
    bound there, whatever is left of bindings in the cluster.
    """
    return f"mcm:team:{team}:{role}{':' * bool(namespace)}{namespace}"


def is_platform_admin(user: AnyUser) -> bool:
    """Whether the person does everything, also as far as the token says by which he came in."""
    return Held(user, Action.ADMIN).everything


def sees_everything(user: AnyUser) -> bool:
    return Held(user, Action.VIEW).everything


def require_platform_admin(user: AnyUser) -> None:
    if not is_platform_admin(user):
        raise PermissionDenied


def may_read_trail(user: AnyUser) -> bool:
    """Whether some of the audit trail may be this person's to read."""
    held = Held(user, Action.ADMIN)
    return held.everything or bool(held.governed)


def require_trail(user: AnyUser) -> None:
    if not may_read_trail(user):
        raise PermissionDenied


def require_token_for(user: AnyUser, action: Action) -> None:
    """That the token by which the person came in is for this, or PermissionDenied; a session is for
    everything.
    """
    reach = user.reach if isinstance(user, User) else None
    if reach is not None and not reach.allows(action):
        raise PermissionDenied


def may_anywhere(user: AnyUser, action: Action, *models: type[Model]) -> bool:
    """The action on at least one row of the models, such as clusters and namespaces."""
    return any(visible(user, model, action).exists() for model in models)


def require_anywhere(user: AnyUser, action: Action, *models: type[Model]) -> None:
    """The action on at least one row of the models, or PermissionDenied."""
    if not may_anywhere(user, action, *models):
        raise PermissionDenied
