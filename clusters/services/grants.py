"""Who can do what in a cluster and why, as one person may know it, and what granting changes."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import Http404

from clusters.models import Cluster, Namespace
from teams import access, store
from teams.access import Who
from teams.models import Grant, Team, User
from teams.roles import Action, Denied, Role, actions_of, in_order
from teams.store import Effect

Scope = Cluster | Namespace


@dataclass(frozen=True)
class Row:
    """A person on a scope of a cluster; `namespace` is empty for the whole of it."""

    user: User
    namespace: str
    actions: list[Action]
    grants: list[Grant]
    # Whether the reader may revoke them.
    may_revoke: bool


def administered(who: Who, cluster: Cluster) -> list[Scope]:
    """Where in the cluster the person may grant and revoke."""
    spaces = access.visible(who, Namespace, Action.ADMIN).filter(cluster=cluster)
    whole = [cluster] if access.may(who, Action.ADMIN, cluster) else []
    return [*whole, *spaces.select_related("cluster").order_by("name")]


def grantable(who: Who, cluster: Cluster) -> list[Scope]:
    """Where a role can be granted: not in namespaces that are gone. Raises PermissionDenied."""
    scopes = administered(who, cluster)
    if not scopes:
        raise Denied(Action.ADMIN, cluster)
    there = Namespace.objects.filter(Namespace.existing(), cluster=cluster)
    keys = set(there.values_list("pk", flat=True))
    return [scope for scope in scopes if isinstance(scope, Cluster) or scope.pk in keys]


def people(who: Who, cluster: Cluster, words: str = "") -> list[Row]:
    """All holdings for who administers the scope, otherwise those by one's own teams."""
    spaces = access.visible(who, Namespace).filter(cluster=cluster).select_related("cluster")
    rows = _rows(who, [cluster, *spaces.order_by("name")], administered(who, cluster))
    return [row for row in rows if words in _words(row)]


def grants(who: Who, cluster: Cluster) -> list[tuple[Grant, Scope]]:
    """The grants behind `people`, and those of teams without members."""
    spaces = access.visible(who, Namespace).filter(cluster=cluster).select_related("cluster")
    scopes: list[Scope] = [cluster, *spaces]
    places = {store.place(scope): scope for scope in scopes}
    mine = {store.place(scope) for scope in administered(who, cluster)}
    teams = set(access.visible(who, Team).values_list("pk", flat=True))
    rows = store.on(places.values()).order_by("team__name", "pk")
    placed = [(row, (row.scope_type_id, row.scope_id)) for row in rows]
    return [(row, places[where]) for row, where in placed if where in mine or row.team_id in teams]


def revocable(user: User, pk: int) -> tuple[Grant, Scope]:
    """A grant with its scope. Raises Http404, and PermissionDenied for a grant that is only seen:
    of one's own team, on what one does not administer.
    """
    row = Grant.objects.filter(pk=pk).select_related("team").first()
    scope = row.scope if row else None
    if row is None or not isinstance(scope, Scope):
        raise Http404
    if not access.may(user, Action.ADMIN, scope):
        if access.visible(user, Team).filter(pk=row.team_id).exists():
            raise Denied(Action.ADMIN, row)
        raise Http404
    return row, scope


def effects_of_granting(team: Team, role: Role, scope: Scope) -> list[Effect]:
    held = Grant.on(scope).filter(team=team).values_list("role", flat=True)
    return store.effects(scope, team, [*held, role], _wider(scope))


def effects_of_revoking(row: Grant, scope: Scope) -> list[Effect]:
    rest = Grant.on(scope).filter(team=row.team).exclude(pk=row.pk).values_list("role", flat=True)
    return store.effects(scope, row.team, rest, _wider(scope))


def _wider(scope: Scope) -> list[Cluster]:
    return [scope.cluster] if isinstance(scope, Namespace) else []


def _rows(who: Who, scopes: Iterable[Scope], administered: list[Scope]) -> list[Row]:
    places = {store.place(scope): scope for scope in scopes}
    mine = {store.place(scope) for scope in administered}
    teams = set(access.visible(who, Team).values_list("pk", flat=True))
    rows = []
    for holding in store.holdings(store.on(places.values())):
        scope, may_revoke = places[holding.place], holding.place in mine
        seen = [each for each in holding.grants if may_revoke or each.team_id in teams]
        if seen:
            actions = in_order(actions_of(each.role for each in seen))
            namespace = scope.name if isinstance(scope, Namespace) else ""
            rows.append(Row(holding.user, namespace, actions, seen, may_revoke))
    return rows


def _words(row: Row) -> str:
    teams = " ".join(grant.team.name for grant in row.grants)
    roles = " ".join(str(Role(grant.role).label) for grant in row.grants)
    return f"{row.user.get_username()} {row.namespace} {teams} {roles}".lower()
