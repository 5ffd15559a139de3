"""What each field of a query means for the stored rows, in forms that an index can answer."""

import re
from collections.abc import Callable
from datetime import timedelta
from itertools import batched
from typing import Any

from django.db.models import BooleanField, Expression, F, Func, Q, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Upper
from django.db.models.lookups import IContains
from django.utils import timezone

from clusters.models.seen import ImagesText
from clusters.store import images
from explorer.filters import amounts
from explorer.filters.typed import EQUAL, SET, Term
from explorer.filters.words import COMPARED, UNOWNED, WHOLE

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


def of_kind(kind: str) -> Q:
    """The objects of a kind, or of a list of several."""
    if kind not in WHOLE:
        return Q(kind=kind)
    return Q(kind__in=WHOLE[kind]) | Q(kind__in=UNOWNED[kind], owner_name="")


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


def _compared(field: str, value: str, sign: str) -> Q:
    """That an amount is more or less than a value, or is it; an age is told by when it began."""
    amount = amounts.read(field, value)
    if isinstance(amount, timedelta):
        column, moment = amounts.SINCE[field], timezone.now() - amount
        # What is younger began later.
        return Q(**{f"{column}__{_LOOKUPS[_TURNED[sign]]}": moment})
    return Q(**{f"{field}__{_LOOKUPS[sign]}": amount})


_LOOKUPS = {EQUAL: "exact", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_TURNED = {EQUAL: EQUAL, "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _like(column: Expression | F, pattern: str) -> Q:
    """That a text is like a pattern, in which `*` stands for any rest."""
    plain = re.sub(r"([\\%_])", r"\\\1", pattern).replace("*", "%")
    arguments: Any = (column, Value(plain))
    return Q(Func(*arguments, template="(%(expressions)s)", arg_joiner=" LIKE ",
                  output_field=BooleanField()))  # fmt: skip


def _patterned(field: str, pattern: str) -> Q:
    match field:
        case "name":
            return _like(Upper("name"), pattern.upper())
        case "label":
            key, _, wanted = pattern.partition("=")
            return _like(KeyTextTransform(key, "labels"), wanted)
        case "owner":
            kind, slash, name = pattern.rpartition("/")
            made = _like(F("owner_name"), name)
            return Q(owner_kind=kind) & made if slash else made
        case _:
            return _like(F(field), pattern)


def pattern(text: str) -> re.Pattern[str]:
    """The same for texts that are at hand."""
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)


def meaning(term: Term) -> Q:
    """A term of any field but clusters and environments, as if it were not negated."""
    if term.field == "id":
        return Q(pk__in=list(map(int, term.values)))
    alternatives = Q()
    for value in term.values:
        if term.field in COMPARED:
            alternatives |= _compared(term.field, value, term.sign)
        elif value in term.patterns:
            alternatives |= _patterned(term.field, value)
        else:
            alternatives |= CONDITIONS[term.field](value)
    return alternatives


# But for clusters and environments (see `inventory`), keys and what may be compared.
CONDITIONS: dict[str, Callable[[str], Q]] = {
    "name": _name,
    "kind": of_kind,
    SET: of_kind,
    "namespace": lambda value: Q(namespace=value),
    "status": _status,
    "health": lambda value: Q(health=value),
    "node": lambda value: Q(node=value),
    "image": _image,
    "label": _label,
    "owner": _owner,
}
