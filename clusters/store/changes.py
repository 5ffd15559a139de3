"""Which change stands behind what is wrong: the owner that people know, and its revision."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from clusters.models import Object
from teams import access
from teams.access import Who

# What is read of a row: labels and facts of a thousand pods would cost more than the query.
SLIM = (
    "cluster_id", "kind", "namespace", "name", "owner_kind", "owner_name",
    "status", "health", "ready", "wanted", "since", "created", "facts",
)  # fmt: skip
# Owners that a controller makes and people never named.
BETWEEN = ("ReplicaSet", "Job")
DIGEST_SHOWN = 12


class Place(NamedTuple):
    """Where an object stands; it names one object of the whole fleet."""

    cluster: UUID
    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, row: Object) -> "Place":
        return cls(row.cluster_id, row.kind, row.namespace, row.name)

    @classmethod
    def of_owner(cls, row: Object) -> "Place":
        """The direct owner's place; that of the object itself when nothing owns it."""
        if not row.owner_name:
            return cls.of(row)
        return cls(row.cluster_id, row.owner_kind, row.namespace, row.owner_name)


@dataclass(frozen=True)
class Change:
    """A revision of a Deployment, and what it brought: pairs of short image names, old and new.

    An image that was only added or only taken away has "" on its other side.
    """

    revision: str
    when: datetime
    first: bool
    images: tuple[tuple[str, str], ...]


def rows_at(who: Who, places: Iterable[Place]) -> dict[Place, Object]:
    """The stored rows at these places that the person may see, in one query."""
    wanted = set(places)
    if not wanted:
        return {}
    rows = access.visible(who, Object).filter(_near(wanted, "name"), kind__in=_kinds(wanted))
    found = {Place.of(row): row for row in rows.only(*SLIM, "images")}
    return {place: row for place, row in found.items() if place in wanted}


def _near(places: Iterable[Place], field: str) -> Q:
    """Rows of these namespaces whose `field` is one of the names, by cluster.

    Clusters are told apart, since the same apps under the same names stand in many of them.
    """
    of_cluster: dict[UUID, list[Place]] = defaultdict(list)
    for place in places:
        of_cluster[place.cluster].append(place)
    near = Q()
    for cluster, here in of_cluster.items():
        namespaces = {place.namespace for place in here}
        names = {place.name for place in here}
        near |= Q(cluster=cluster, namespace__in=namespaces, **{f"{field}__in": names})
    return near


def _kinds(places: Iterable[Place]) -> set[str]:
    return {place.kind for place in places}


def top_owners(who: Who, direct: Iterable[Place]) -> dict[Place, tuple[Place, Object | None]]:
    """For each direct owner the one that people named, and the row between, where there is one.

    A ReplicaSet leads to its Deployment and a Job to its CronJob; others stand for themselves.
    """
    direct = set(direct)
    between = rows_at(who, (place for place in direct if place.kind in BETWEEN))
    found: dict[Place, tuple[Place, Object | None]] = {}
    for place in direct:
        row = between.get(place)
        found[place] = (Place.of_owner(row), row) if row else (place, None)
    return found


def changes(who: Who, revisions: Sequence[Object]) -> dict[Place, Change]:
    """What each of these ReplicaSets changed against the one before it, in one query."""
    if not revisions:
        return {}
    owners = [Place.of_owner(row) for row in revisions]
    siblings = access.visible(who, Object).filter(_near(owners, "owner_name"), kind="ReplicaSet")
    of_owner: dict[Place, list[Object]] = defaultdict(list)
    for row in siblings.only(*SLIM, "images"):
        of_owner[Place.of_owner(row)].append(row)
    return {Place.of(row): _change(row, of_owner[Place.of_owner(row)]) for row in revisions}


def _change(row: Object, siblings: list[Object]) -> Change:
    number = _revision(row)
    before = max(
        (each for each in siblings if _revision(each) < number), key=_revision, default=None
    )
    images = changed_images(before.images, row.images) if before else ()
    return Change(str(number or ""), row.created, before is None, images)


def _revision(row: Object) -> int:
    """The number of the revision; 0 where the annotation is missing or none."""
    text = str(row.facts.get("revision", ""))
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def changed_images(old: Sequence[str], new: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of what went and what came; images of one repository stand together."""
    gone = [image for image in old if image not in new]
    come = [image for image in new if image not in old]
    pairs = []
    for image in come:
        same = [each for each in gone if _repository(each) == _repository(image)]
        # The only one that went made place for the only one that came, wherever it is from.
        match = next(iter(same or (gone if len(gone) == len(come) == 1 else [])), "")
        if match:
            gone.remove(match)
        pairs.append((match, image))
    return tuple(_shortened(*pair) for pair in (*pairs, *((image, "") for image in gone)))


def _shortened(old: str, new: str) -> tuple[str, str]:
    short = short_image(old), short_image(new)
    return (old, new) if short[0] == short[1] else short


def _repository(image: str) -> str:
    path, _, last = image.partition("@")[0].rpartition("/")
    return f"{path}/{last.partition(':')[0]}"


def short_image(image: str) -> str:
    """The image without registry and path, a digest cut short: "web:1.3"."""
    name, _, digest = image.rpartition("/")[2].partition("@")
    return f"{name}@{digest.partition(':')[2][:DIGEST_SHOWN]}" if digest else name
