"""As whom a cluster sees each person: the roster, and the identity of one of its people."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q
from django.db.models.functions import Now

from clusters.kube import identity_manifest
from clusters.kube.identity_manifest import USUAL_ACCOUNT, Registration
from clusters.kube.roles import Custom
from clusters.kube.roster import Held, Outside, Roster
from clusters.kube.types import SERVICE_ACCOUNT, Identity
from clusters.models import Cluster, IdentityMode, IdentityState, Namespace, Object
from teams import access
from teams.models import Grant, Membership, User
from teams.roles import Action, Level


def name_of(username: str) -> str:
    """The name by which clusters know a person: what is no ASCII is written in per cent."""
    return f"mcm:{quote(username, safe='@+')}"


def person(user: User, cluster: Cluster, level: Level = Level.ADMIN) -> Identity:
    """The person under his own name, with a group for each grant of his teams in the cluster, but
    for those that allow more than `level`.

    PermissionDenied for who holds nothing there: MCM's own account is never used instead.
    """
    granted = Grant.running().filter(team__members=user, scope_type=_type(Namespace))
    keys = [int(key) for key in granted.values_list("scope_id", flat=True)]
    spaces = Namespace.objects.filter(pk__in=keys, cluster=cluster)
    places: dict[Model, str] = {cluster: "", **{space: space.name for space in spaces}}
    groups = access.cluster_groups(user, places, level)
    name = name_of(user.username)
    try:
        return Roster({name: groups}).identity(name)
    except Outside as error:
        raise PermissionDenied from error


def for_work(user: User, cluster: Cluster, level: Level = Level.ADMIN) -> Identity:
    """As whom work that changes something is done; `level` is that of the token by which it was
    asked for. A chart may hold anything, and the cluster knows groups, not tokens.

    In service account mode MCM's own account does it for who operates the whole cluster. Who
    holds a namespace only is impersonated even there: a chart may hold anything, and only the
    cluster itself can keep it inside the namespace.
    """
    if not cluster.impersonates and access.may(user, Action.OPERATE, cluster):
        return SERVICE_ACCOUNT
    return person(user, cluster, level)


def for_reading(user: User, cluster: Cluster) -> Identity:
    """As whom something is read for a person; what is his is chosen from it by his grants."""
    return person(user, cluster) if cluster.impersonates else SERVICE_ACCOUNT


def roster(cluster: Cluster) -> Roster:
    """Everybody who may act in the cluster, and what each team holds there."""
    return _roster(cluster, _grants([cluster])[cluster.pk], _admins(), _members())


def registration(cluster: Cluster) -> Registration:
    """What else the manifest is made of."""
    custom = [
        Custom(group, plural, namespaced)
        for group, plural, namespaced in cluster.custom_resources.order_by(
            "group", "plural"
        ).values_list("group", "plural", "namespaced")
    ]
    account = cluster.identity_report.get("account") or cluster.rights.get("account")
    return Registration(str(cluster.pk), account or USUAL_ACCOUNT, custom)


def manifest(cluster: Cluster, people: Roster | None = None) -> str:
    """The YAML by which the cluster knows the people who may act there now.

    `people` is the roster where it was looked up already; so with `state`.
    """
    return identity_manifest.text(people or roster(cluster), registration(cluster))


def state(cluster: Cluster, people: Roster | None = None) -> IdentityState:
    """How the cluster stands to the people of now: what the schedule notes a little later."""
    if cluster.identity_fits is not None:
        now = identity_manifest.digest(people or roster(cluster), registration(cluster))
        if now != cluster.identity_digest:
            return IdentityState.CHANGED
    return cluster.identity_state


def compare(clusters: Iterable[Cluster]) -> list[UUID]:
    """Notes which of these have another roster than was checked; the keys of those that changed.

    Reads all grants and members once, however many clusters there are.
    """
    found = list(clusters)
    grants, admins, members = _grants(found), _admins(), _members()
    news = []
    for cluster in found:
        people = _roster(cluster, grants[cluster.pk], admins, members)
        now = identity_manifest.digest(people, registration(cluster))
        rows = Cluster.objects.filter(pk=cluster.pk, identity_digest=cluster.identity_digest)
        if now == cluster.identity_digest:
            changed = rows.filter(identity_changed_at__isnull=False)
            noted = changed.update(identity_changed_at=None)
        else:
            noted = rows.filter(identity_changed_at=None).update(identity_changed_at=Now())
        if noted:
            news.append(cluster.pk)
    return news


def checked() -> list[Cluster]:
    """The clusters whose manifest was checked, and matters."""
    wanted = Cluster.objects.filter(identity_mode=IdentityMode.IMPERSONATION)
    return list(wanted.exclude(identity_digest=""))


# A grant as (team, role, namespace): all of it that the roster needs.
_Line = tuple[str, str, str]


def _roster(
    cluster: Cluster, lines: list[_Line], admins: list[str], members: dict[str, list[str]]
) -> Roster:
    people: dict[str, set[str]] = defaultdict(set)
    held = []
    for team, role, namespace in sorted(set(lines)):
        group = access.team_group(team, role, namespace)
        held.append(Held(team, role, group, namespace))  # type: ignore[arg-type]  # a Role's value
        for member in members.get(team, ()):
            people[name_of(member)].add(group)
    for admin in admins:
        people[name_of(admin)].add(access.PLATFORM_ADMINS)
    return Roster(
        people={name: tuple(sorted(groups)) for name, groups in sorted(people.items())},
        held=tuple(held),
        admins_group=access.PLATFORM_ADMINS if cluster.binds_platform_admins else "",
    )


def _grants(clusters: list[Cluster]) -> dict[UUID, list[_Line]]:
    """The grants that hold, by cluster; not those on namespaces that are gone."""
    keys = [cluster.pk for cluster in clusters]
    found: dict[UUID, list[_Line]] = defaultdict(list)
    lines = Grant.running().values_list("team__name", "role", "scope_id")
    wholes = lines.filter(scope_type=_type(Cluster), scope_id__in=map(str, keys))
    for team, role, scope in wholes:
        found[UUID(scope)].append((team, role, ""))
    spaces = _namespaces(keys)
    on_spaces = lines.filter(scope_type=_type(Namespace), scope_id__in=spaces.keys())
    for team, role, scope in on_spaces:
        cluster, name = spaces[scope]
        found[cluster].append((team, role, name))
    return found


def _namespaces(clusters: list[UUID]) -> dict[str, tuple[UUID, str]]:
    """Those with grants, by their keys as text, that exist as far as was ever seen."""
    granted = [
        int(key)
        for key in Grant.running()
        .filter(scope_type=_type(Namespace))
        .values_list("scope_id", flat=True)
        .distinct()
    ]
    seen = Object.objects.filter(kind="Namespace", cluster__in=clusters)
    watched = set(seen.values_list("cluster", flat=True).distinct())
    rows = Namespace.objects.filter(pk__in=granted, cluster__in=clusters)
    rows = rows.filter(Namespace.existing() | ~Q(cluster__in=watched))
    return {
        str(pk): (cluster, name) for pk, cluster, name in rows.values_list("pk", "cluster", "name")
    }


def _members() -> dict[str, list[str]]:
    """The usernames of those who may sign in, by the names of their teams."""
    found: dict[str, list[str]] = defaultdict(list)
    rows = Membership.objects.filter(user__is_active=True)
    for team, user in rows.values_list("team__name", "user__username"):
        found[team].append(user)
    return found


def _admins() -> list[str]:
    rows = User.objects.filter(is_superuser=True, is_active=True)
    return list(rows.values_list("username", flat=True))


def _type(model: Any) -> ContentType:
    return ContentType.objects.get_for_model(model)
