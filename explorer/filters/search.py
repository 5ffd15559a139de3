"""What a few words may mean, the best first: objects, clusters, lists and saved views.

    asked = [ kind ] { word }

A first word that names a kind as kubectl does, "pod" or "svc", asks for that kind alone. Each of
the others is a part of the name, or what the namespace, the cluster or its environment begins
with, in any order: `pod checkout prod`. One of them at least is a part of the name, for which there
is an index.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q

from clusters.kube.kinds import KINDS
from clusters.models.among import among
from clusters.store.queries import Named
from explorer import store
from explorer.filters.candidates import Seen
from explorer.filters.words import TITLES, kind_named, members, title
from explorer.models import SavedView
from teams.models import User

LONGEST = 200
MOST_WORDS = 8
# So many of each are told.
MOST = 12
MOST_OTHERS = 5
# So many rows are compared to find the best of them.
COMPARED = 200
# Nobody looks for these but by their kind: what made them has nearly the same name.
MADE = ("Event", "ReplicaSet")
# What people mean more often comes first.
_USUAL = (
    "Deployment", "StatefulSet", "DaemonSet", "CronJob", "Node", "Namespace", "Service", "Ingress",
    "HelmRelease", "Job", "Pod",
)  # fmt: skip
_RANK = {kind: rank for rank, kind in enumerate(_USUAL)}


@dataclass(frozen=True)
class Asked:
    """The kind, "" for any, and the words in small letters."""

    kind: str = ""
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> "Asked":
        words = text[:LONGEST].replace('"', " ").split()[:MOST_WORDS]
        kind = kind_named(words[0]) if len(words) > 1 else None
        return cls(kind or "", tuple(word.lower() for word in words[1 if kind else 0 :]))


@dataclass(frozen=True)
class Found:
    """`lists` are kinds whose name the words begin; `complete` is False where the time was over."""

    asked: Asked
    objects: list[store.Seen] = field(default_factory=list)
    clusters: list[Named] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    views: list[SavedView] = field(default_factory=list)
    complete: bool = True


def search(user: User, text: str) -> Found:
    """What the person may see and may mean."""
    asked = Asked.of(text)
    if not asked.words:
        return Found(asked)
    seen = Seen(user, asked.kind)
    objects = best(seen, asked)
    if asked.kind:
        return Found(asked, objects, complete=seen.in_time)
    return Found(
        asked,
        objects,
        [each for each in seen.named.values() if _names(asked.words, each)][:MOST_OTHERS],
        _lists(asked.words),
        _views(user, asked.words),
        seen.in_time,
    )


def best(seen: Seen, asked: Asked, only: Sequence[str] | None = None) -> list[store.Seen]:
    """The objects that the words may mean, the best first; `only` of these kinds, if given."""
    main, rest = _main(asked.words, seen.named.values())
    rows = seen.objects()
    if not asked.kind:
        rows = rows.exclude(kind__in=MADE)
    for word in rest:
        rows = rows.filter(_somewhere(word, seen.named))
    values = rows.values_list("pk", "kind", "name", "health")
    kinds = only if only is not None else members(asked.kind)
    if only is not None:
        values = values.filter(kind__in=only)
    elif not asked.kind:
        kinds = [kind for kind in KINDS if kind not in MADE]
    # By the beginning of the name first: of what only holds the word there may be more than are
    # compared.
    found = seen.found(values.filter(kind__in=kinds, name__startswith=main)[:COMPARED])
    if len(found) < COMPARED:
        found += seen.found(values.filter(name__icontains=main)[:COMPARED])
    best = sorted(set(found), key=lambda row: _worth(main, *row))[:MOST]
    listed = store.listed([row[0] for row in best])
    here = [listed[pk] for pk, *_rest in best if pk in listed]
    return store.seen([row for row in here if row.cluster_id in seen.named], seen.named)


def places(asked: Asked, clusters: Iterable[Named]) -> tuple[list[str], dict[str, list[str]]]:
    """The words that are parts of names, and the parameters that the others are: words that are
    just what a cluster or an environment is called.
    """
    known = list(clusters)
    names, environments = {each.name for each in known}, {each.environment for each in known}
    rest: list[str] = []
    given: dict[str, list[str]] = {}
    for word in asked.words:
        if word in names or word in environments:
            given.setdefault("cluster" if word in names else "environment", []).append(word)
        else:
            rest.append(word)
    return rest, given


def _main(words: tuple[str, ...], clusters: Iterable[Named]) -> tuple[str, list[str]]:
    """The word that must stand in the name, and the others."""
    places = {place for each in clusters for place in (each.name, each.environment)}

    def is_name(word: str) -> tuple[bool, int]:
        return not any(place.startswith(word) for place in places), len(word)

    main = max(words, key=is_name)
    rest = list(words)
    rest.remove(main)
    return main, rest


def _somewhere(word: str, clusters: dict[UUID, Named]) -> Q:
    there = [pk for pk, each in clusters.items() if _names((word,), each)]
    return Q(name__icontains=word) | Q(namespace__startswith=word) | among("cluster", there)


def _names(words: tuple[str, ...], cluster: Named) -> bool:
    """Whether each word is a part of the cluster's name, or begins its environment."""
    return all(
        word in cluster.name.lower() or cluster.environment.startswith(word) for word in words
    )


def _worth(word: str, pk: int, kind: str, name: str, health: str) -> tuple[Any, ...]:
    """Smaller is better: how the name holds the word, then what needs a person, then the kind."""
    low = name.lower()
    if low == word:
        fits = 0
    elif low.startswith(word):
        fits = 1
    else:
        fits = 2 if f"-{word}" in low or f".{word}" in low else 3
    return fits, health not in {"failing", "degraded"}, _RANK.get(kind, len(_RANK)), name, pk


def _lists(words: tuple[str, ...]) -> list[str]:
    text = " ".join(words)
    named = kind_named(text)
    found = [
        kind
        for kind in TITLES
        if kind.lower().startswith(text) or title(kind).lower().startswith(text)
    ]
    if named in TITLES:
        found.insert(0, named)
    return list(dict.fromkeys(found))[:MOST_OTHERS]


def _views(user: User, words: tuple[str, ...]) -> list[SavedView]:
    rows = store.views(user)
    for word in words:
        rows = rows.filter(name__icontains=word)
    return list(rows[:MOST_OTHERS])
