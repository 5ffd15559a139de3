"""The pods of objects, as far as a person may read their logs: who operates them."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from clusters import vault
from clusters.kube.types import Connection
from clusters.models import Cluster, Namespace, Object
from clusters.store import identity
from explorer.access import Caller, Ended
from explorer.collector import Eyes, Pod, Sight, Way
from explorer.filters.inventory import Inventory
from explorer.filters.logs.asked import LogQuery
from teams import access
from teams.access import Held
from teams.models import User
from teams.roles import Action, Denied

# So many pods are looked at for one reader; those that run come first.
MOST_PODS = 50
MOST_COUNTED = 1000
# The kinds whose pages and lists lead to logs.
LOGGED = frozenset(
    {"Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"}
)
# Which own pods by way of others, and those.
MAKERS = ("ReplicaSet", "Job")

SIGNED_OUT = gettext_noop("You are signed out.")
NOTHING = gettext_noop("This is gone, or you may not see it.")
NOT_ALLOWED = gettext_noop("Logs take the role operator, which none of your teams holds there.")
REVOKED = gettext_noop("Your right to read these logs has ended.")
UNKNOWN = gettext_noop("You hold nothing in this cluster under which it could know you.")
SEALED = gettext_noop("The stored credentials of the cluster cannot be opened.")

Place = tuple[UUID, str]


class Selected(NamedTuple):
    """`objects` are those that were named and are seen; `pods` those of them that may be read."""

    objects: list[Object]
    pods: list[Object]
    left_out: int
    withheld: int


def select(user: User, query: LogQuery) -> Selected:
    """What the person may read now. Raises Ended for what he sees none of, or may read none of."""
    held = Held(user, Action.OPERATE)
    if query.wanted is not None:
        seen = Inventory(user, query.wanted).objects()
        return _selected([], seen, access.visible(held, Object, Action.OPERATE), 0)
    named = access.visible(user, Object).filter(pk__in=query.keys).select_related("cluster")
    objects = sorted(named, key=lambda row: query.keys.index(row.pk))
    if query.keys and not objects:
        raise Ended("gone", NOTHING)
    readable = access.visible(held, Object, Action.OPERATE)
    mine = set(readable.filter(pk__in=query.keys).values_list("pk", flat=True))
    if objects and not mine:
        raise Ended("forbidden", NOT_ALLOWED, Denied(Action.OPERATE, objects[0]))
    pods = Object.objects.filter(_pods_of(objects))
    return _selected(objects, pods, readable, query.left_out)


def _selected(
    objects: list[Object], pods: QuerySet[Object], readable: QuerySet[Object], left_out: int
) -> Selected:
    may = pods & readable
    # Those that are through say nothing new.
    order = sorted(
        may.only("id", "cluster", "health")[:MOST_COUNTED],
        key=lambda row: (row.health == "idle", row.pk),
    )
    keys = [row.pk for row in order[:MOST_PODS]]
    rows = Object.objects.filter(pk__in=keys).select_related("cluster")
    found = sorted(rows, key=lambda row: (row.cluster.name, row.namespace, row.name))
    withheld = pods.values("pk")[:MOST_COUNTED].count() - len(order)
    more = max(0, len(order) - MOST_PODS)
    return Selected(objects, found, left_out + more, max(0, withheld))


def _pods_of(objects: Iterable[Object]) -> Q:
    """The pods among these objects, and those that the others own, also by way of a maker."""
    pods = [row.pk for row in objects if row.kind == "Pod"]
    owners = {
        (row.cluster_id, row.namespace, row.kind.partition(".")[0], row.name)
        for row in objects
        if row.kind != "Pod"
    }
    wanted = Q(pk__in=pods)
    if owners:
        made = Object.objects.filter(_owned(owners), kind__in=MAKERS)
        owners |= set(made.values_list("cluster_id", "namespace", "kind", "name"))
        wanted |= _owned(owners)
    return wanted & Q(kind="Pod")


def _owned(owners: Collection[tuple[UUID, str, str, str]]) -> Q:
    wanted = Q(pk__in=[])
    for cluster, namespace, kind, name in owners:
        wanted |= Q(cluster=cluster, namespace=namespace, owner_kind=kind, owner_name=name)
    return wanted


def eyes(caller: Caller, user: User, query: LogQuery) -> Eyes:
    """What a gathering asks: each time who the caller is then, and what he may read then."""
    places: set[Place] = set()

    def look() -> Sight:
        person = caller.person()
        if person is None:
            raise Ended("signed_out", SIGNED_OUT)
        try:
            found = select(person, query)
        except Ended as error:
            # What was read, and is no more, may just be gone; the right to it is asked for itself.
            if not places or not _may_read_one(person, places):
                raise (Ended("revoked", REVOKED) if places else error) from error
            return Sight((), {})
        if places and not _may_read_one(person, places):
            raise Ended("revoked", REVOKED)
        places.update((row.cluster_id, row.namespace) for row in found.pods)
        return _sight(person, found)

    return Eyes(user.pk, look, _connection)


def _may_read_one(user: User, places: set[Place]) -> bool:
    held = Held(user, Action.OPERATE)
    clusters = {cluster for cluster, _namespace in places}
    if access.visible(held, Cluster, Action.OPERATE).filter(pk__in=clusters).exists():
        return True
    spaces = access.visible(held, Namespace, Action.OPERATE).filter(cluster__in=clusters)
    return not places.isdisjoint(spaces.values_list("cluster_id", "name"))


def _sight(user: User, found: Selected) -> Sight:
    clusters = {row.cluster_id: row.cluster for row in found.pods}
    ways = {pk: _way(user, cluster) for pk, cluster in clusters.items()}
    pods = [_pod(row) for row in found.pods]
    return Sight(tuple(pods), ways, found.left_out, found.withheld)


def _pod(row: Object) -> Pod:
    cluster = row.cluster
    return Pod(
        row.pk, cluster.pk, cluster.name, cluster.environment, row.namespace, row.name, row.uid
    )


def _way(user: User, cluster: Cluster) -> Way:
    """As whom the cluster is asked: as all that is read for a person."""
    try:
        return Way(identity.for_reading(user, cluster), cluster.connection_version)
    except PermissionDenied:
        return Way(None, cluster.connection_version, UNKNOWN)


def _connection(cluster: UUID) -> Connection:
    found: Mapping[Any, Cluster] = Cluster.objects.in_bulk([cluster])
    try:
        return found[cluster].connection
    except KeyError as error:
        raise Ended("gone", NOTHING) from error
    except vault.CannotOpen as error:
        raise Ended("sealed", SEALED) from error
