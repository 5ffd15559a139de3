"""Who can do what where, and why: the grants behind each person's actions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet

from teams.models import Grant, Membership, Team, User
from teams.roles import Action, actions_of, in_order

# The keys of a scope among all scopes: its content type and its key as text.
Place = tuple[int, str]


@dataclass
class Holding:
    """What one person holds on one scope, by which grants on the scope itself."""

    user: User
    place: Place
    grants: list[Grant] = field(default_factory=list)

    @property
    def actions(self) -> list[Action]:
        return in_order(actions_of(grant.role for grant in self.grants))


@dataclass(frozen=True)
class Effect:
    """What a change of grants does to one person on a scope."""

    user: User
    before: frozenset[Action]
    after: frozenset[Action]

    @property
    def held(self) -> list[Action]:
        return in_order(self.after)

    @property
    def gained(self) -> list[Action]:
        return in_order(self.after - self.before)

    @property
    def lost(self) -> list[Action]:
        return in_order(self.before - self.after)


def place(scope: Model) -> Place:
    return ContentType.objects.get_for_model(scope).pk, str(scope.pk)


def on(scopes: Iterable[Model]) -> QuerySet[Grant]:
    """The grants on any of these scopes themselves."""
    keys: dict[int, list[str]] = defaultdict(list)
    for kind, key in map(place, scopes):
        keys[kind].append(key)
    wanted = Q(pk__in=[])
    for kind, some in keys.items():
        wanted |= Q(scope_type=kind, scope_id__in=some)
    return Grant.objects.filter(wanted).select_related("team")


def scopes(grants: Iterable[Grant]) -> dict[Place, Model]:
    """The scopes of these grants; those that are gone are left out."""
    keys: dict[int, set[str]] = defaultdict(set)
    for grant in grants:
        keys[grant.scope_type_id].add(grant.scope_id)
    found: dict[Place, Model] = {}
    for kind, some in keys.items():
        model = ContentType.objects.get_for_id(kind).model_class()
        if model is not None:
            # With what they stand in, which their names begin with.
            rows = model._default_manager.select_related().filter(pk__in=some)
            found |= {(kind, str(row.pk)): row for row in rows}
    return found


def holdings(grants: QuerySet[Grant]) -> list[Holding]:
    """Who holds something by these grants: a row for each person and scope, by name."""
    found: dict[tuple[int, Place], Holding] = {}
    members = _members(grants.order_by().values("team"))
    for grant in grants:
        where = grant.scope_type_id, grant.scope_id
        for user in members[grant.team_id]:
            holding = found.setdefault((user.pk, where), Holding(user, where))
            holding.grants.append(grant)
    return sorted(found.values(), key=lambda each: (each.user.get_username(), each.place))


def effects(
    scope: Model, team: Team, roles: Iterable[str], wider: Iterable[Model] = ()
) -> list[Effect]:
    """What changes for the team's members on the scope when its roles there become these.

    `wider` scopes around it (a namespace's cluster) give their actions as before.
    """
    members = _members([team.pk])[team.pk]
    around = [scope, *wider]
    others: dict[int, list[str]] = defaultdict(list)
    now: dict[int, list[str]] = defaultdict(list)
    for holding in holdings(on(around)):
        for grant in holding.grants:
            is_changed = grant.team_id == team.pk and holding.place == place(scope)
            now[holding.user.pk].append(grant.role)
            if not is_changed:
                others[holding.user.pk].append(grant.role)
    roles = list(roles)
    return [
        Effect(user, actions_of(now[user.pk]), actions_of([*others[user.pk], *roles]))
        for user in members
    ]


def _members(teams: Any) -> Mapping[int, list[User]]:
    """The people of these teams, by their keys or a query for them, who may sign in."""
    rows = Membership.objects.filter(team__in=teams, user__is_active=True)
    found: dict[int, list[User]] = defaultdict(list)
    for row in rows.select_related("user").order_by("user__username"):
        found[row.team_id].append(row.user)
    return found
