"""What stands around an object among the stored rows: owners above, what they made below."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from clusters.models import Object
from clusters.store.changes import BETWEEN, SLIM, Change, Place, changes, top_owners
from teams import access
from teams.access import Who

# Nothing of Kubernetes' own is owned through more steps.
DEEPEST = 5
MOST_BELOW = 100


class Below(NamedTuple):
    """What an object owns, directly or through what it owns; `more` of it is not in `rows`."""

    rows: list[Object]
    more: bool


class Named(NamedTuple):
    """An object by its names: `kind` is as rows have it, of a release the name is Helm's."""

    kind: str
    namespace: str
    name: str


def above(who: Who, row: Object) -> list[Object]:
    """The owners, the direct one first; it ends where one is not stored or may not be seen."""
    found: list[Object] = []
    while row.owner_name and row.kind != "Event" and len(found) < DEEPEST:
        kind = row.owner_kind
        rows = access.visible(who, Object).filter(
            Q(kind=kind) | Q(kind__startswith=f"{kind}."),
            cluster=row.cluster_id,
            namespace__in={row.namespace, ""},
            name=row.owner_name,
        )
        owner = rows.first()
        if owner is None or owner in found:
            break
        found.append(owner)
        row = owner
    return found


def below(who: Who, row: Object) -> Below:
    """What the object owns, at most 100, those that need a person first on each level."""
    found: list[Object] = []
    level = [row]
    for _ in range(DEEPEST):
        level = _made_by(who, row.cluster_id, level, MOST_BELOW + 1 - len(found))
        level = [each for each in level if each not in found and each != row]
        found += level
        if not level or len(found) > MOST_BELOW:
            break
    return Below(found[:MOST_BELOW], len(found) > MOST_BELOW)


def _made_by(who: Who, cluster: UUID, owners: list[Object], most: int) -> list[Object]:
    wanted = Q()
    for owner in owners:
        kind = owner.kind.partition(".")[0]
        # What stands outside of namespaces may own what stands in any.
        inside = {"namespace": owner.namespace} if owner.namespace else {}
        wanted |= Q(owner_kind=kind, owner_name=owner.name, **inside)
    if not wanted or most <= 0:
        return []
    rows = access.visible(who, Object).filter(wanted, cluster=cluster).exclude(kind="Event")
    found = list(rows.order_by("-created", "name")[:most])
    return sorted(found, key=lambda each: each.health in {"healthy", "idle"})


def at(who: Who, cluster: UUID, names: Iterable[Named]) -> dict[Named, Object]:
    """The stored rows of these that the person may see, in two queries."""
    every = set(names)
    releases = {each for each in every if each.kind == "HelmRelease"}
    wanted = every - releases
    rows = access.visible(who, Object).filter(cluster=cluster)
    found: dict[Named, Object] = {}
    if wanted:
        near = rows.filter(
            kind__in={each.kind for each in wanted},
            namespace__in={each.namespace for each in wanted},
            name__in={each.name for each in wanted},
        )
        found = {Named(row.kind, row.namespace, row.name): row for row in near}
    for release in releases:
        mine = rows.filter(kind="HelmRelease", namespace=release.namespace)
        newest = mine.filter(facts__release=release.name).order_by("-created", "-pk").first()
        if newest is not None:
            found[release] = newest
    return {each: row for each, row in found.items() if each in every}


def events(who: Who, row: Object, made: Iterable[Object] = ()) -> list[Object]:
    """What the cluster told of the object, and of what it made, the newest first; at most 100."""
    return list(of_object(who, row, made).order_by("-created", "-pk")[:MOST_BELOW])


def of_object(who: Who, row: Object, made: Iterable[Object] = ()) -> QuerySet[Object]:
    """The events of the object, and of what it made."""
    wanted = Q()
    for each in (row, *made):
        # Those of what stands outside of namespaces are in this one.
        namespace = each.namespace or "default"
        kind = each.kind.partition(".")[0]
        # One that had the same name before is another one.
        wanted |= Q(
            owner_kind=kind, owner_name=each.name, namespace=namespace, created__gte=each.created
        )
    return access.visible(who, Object).filter(wanted, cluster=row.cluster_id, kind="Event")


def change(who: Who, row: Object) -> tuple[Place, Change] | None:
    """The newest revision of the Deployment to which the object belongs, and what it changed."""
    revision = _revision(who, row)
    if revision is None:
        return None
    found = changes(who, [revision]).get(Place.of(revision))
    return (Place.of_owner(revision), found) if found else None


def _revision(who: Who, row: Object) -> Object | None:
    """The ReplicaSet that is the object's revision."""
    rows = access.visible(who, Object).filter(cluster=row.cluster_id, kind="ReplicaSet").only(
        *SLIM, "images"
    )  # fmt: skip
    if row.kind == "ReplicaSet":
        return row if row.owner_kind == "Deployment" else None
    if row.kind == "Deployment":
        mine = rows.filter(
            namespace=row.namespace, owner_kind="Deployment", owner_name=row.name,
            facts__revision=row.facts.get("revision", ""),
        )  # fmt: skip
        return mine.first()
    if row.kind != "Pod" or row.owner_kind not in BETWEEN:
        return None
    _top, between = next(iter(top_owners(who, [Place.of_owner(row)]).values()))
    return between if between is not None and between.kind == "ReplicaSet" else None
