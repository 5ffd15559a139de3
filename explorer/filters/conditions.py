"""What each field of a query means for the stored rows, in forms that an index can answer."""

import re
from collections.abc import Callable
from itertools import batched

from django.db.models import Q
from django.db.models.lookups import IContains

from clusters.models.seen import ImagesText
from clusters.store import images

# A part of a name is found by its trigrams; one this short has none.
SHORT = 3
# More images than this with a part of a name are nearly all, and are met row by row.
MOST_IMAGES = 500
# An index compares each row that it finds with all the images it was asked for at once.
IMAGES_AT_ONCE = 16


def _name(value: str) -> Q:
    """A part of the name; a letter or two must begin the name or one of its words."""
    if len(value) >= SHORT or not value.isalnum():
        return Q(name__icontains=value)
    begins = Q(name__istartswith=value)
    return begins | Q(name__icontains=f"-{value}") | Q(name__icontains=f".{value}")


def _status(value: str) -> Q:
    """A status word, or all that are errors."""
    return Q(health=value) if value == "failing" else Q(status=value)


def _label(value: str) -> Q:
    key, _, wanted = value.partition("=")
    return Q(labels__contains={key: wanted})


def _owner(value: str) -> Q:
    """An owner by name or `Kind/name`; what owns it by way of a ReplicaSet or a Job, too."""
    kind, slash, name = value.rpartition("/")
    if slash:
        return Q(owner_kind=kind, owner_name=name)
    made = Q(owner_kind__in=("ReplicaSet", "Job"))
    return Q(owner_name=name) | made & Q(owner_name__regex=f"^{re.escape(name)}-[a-z0-9]+$")


def _image(value: str) -> Q:
    """A part of an image, by the images that have it."""
    names = images.containing(value, MOST_IMAGES)
    if names is None:
        return Q(IContains(ImagesText("images"), value))
    found = Q(pk__in=[])
    for some in batched(names, IMAGES_AT_ONCE, strict=False):
        found |= Q(images__overlap=list(some))
    return found


# But for clusters and environments: see `inventory`.
CONDITIONS: dict[str, Callable[[str], Q]] = {
    "name": _name,
    "kind": lambda value: Q(kind=value),
    "namespace": lambda value: Q(namespace=value),
    "status": _status,
    "health": lambda value: Q(health=value),
    "node": lambda value: Q(node=value),
    "image": _image,
    "label": _label,
    "owner": _owner,
}
