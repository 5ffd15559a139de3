"""Three versions of one object made one: what only one side changed is taken, the rest is asked."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from clusters.kube.edited.documents import LONGEST_KEY, same, within

# A field that is not there, which is something else than null.
GONE: Any = type("Gone", (), {"__repr__": lambda _self: "GONE"})()

# By which fields the items of a list are told apart, with what stands where one is left out; None
# where it is one value as a whole. Asked with a path without numbers: `spec.containers[].env`.
Keys = Callable[[str], Mapping[str, Any] | None]
Decisions = Mapping[str, str]


class Overlap(NamedTuple):
    """A field that both sides changed, each in another way; GONE where it is not there."""

    path: str
    base: Any
    mine: Any
    theirs: Any


class Merged(NamedTuple):
    """`data` has what was decided, and of what was not, the cluster's own side."""

    data: Any
    overlaps: list[Overlap]


def whole(_path: str) -> None:
    """Lists as a whole, where nobody knows better."""


def merge(base: Any, mine: Any, theirs: Any, keys: Keys, decided: Decisions) -> Merged:
    """Merges by field. `decided` says "mine" or "theirs" for the paths of overlaps."""
    merger = _Merger(keys, decided)
    return Merged(merger.value("", "", base, mine, theirs), merger.overlaps)


class _Merger:
    def __init__(self, keys: Keys, decided: Decisions) -> None:
        self._keys = keys
        self._decided = decided
        self.overlaps: list[Overlap] = []

    def value(self, path: str, kind: str, base: Any, mine: Any, theirs: Any) -> Any:
        """`path` names the place to people, `kind` names it to the schema."""
        if _same(mine, theirs) or _same(base, mine):
            return theirs
        if _same(base, theirs):
            return mine
        if isinstance(mine, dict) and isinstance(theirs, dict):
            before = base if isinstance(base, dict) else {}
            return self._mapping(path, kind, before, mine, theirs)
        if isinstance(mine, list) and isinstance(theirs, list):
            items = base if isinstance(base, list) else []
            made = self._sequence(path, kind, items, mine, theirs)
            if made is not None:
                return made
        return self._overlap(path, base, mine, theirs)

    def _overlap(self, path: str, base: Any, mine: Any, theirs: Any) -> Any:
        choice = self._decided.get(path)
        if choice is None:
            self.overlaps.append(Overlap(path, base, mine, theirs))
        return mine if choice == "mine" else theirs

    def _mapping(
        self, path: str, kind: str, base: dict[str, Any], mine: dict[str, Any], theirs: Any
    ) -> dict[str, Any]:
        made = {}
        for key in [*theirs, *(key for key in mine if key not in theirs)]:
            found = self.value(
                within(path, key), within(kind, key),
                base.get(key, GONE), mine.get(key, GONE), theirs.get(key, GONE),
            )  # fmt: skip
            if found is not GONE:
                made[key] = found
        return made

    def _sequence(
        self, path: str, kind: str, base: list[Any], mine: list[Any], theirs: list[Any]
    ) -> list[Any] | None:
        """The merged list; None where its items cannot be told apart."""
        keys = self._keys(f"{kind}[]")
        if not keys:
            return None
        sides = [_by_key(each, keys) for each in (base, mine, theirs)]
        before, ours, others = sides
        if before is None or ours is None or others is None:
            return None
        made = []
        for key in [*others, *(key for key in ours if key not in others)]:
            found = self.value(
                f"{path}[{','.join(map(str, key))[:LONGEST_KEY]}]", f"{kind}[]",
                before.get(key, GONE), ours.get(key, GONE), others.get(key, GONE),
            )  # fmt: skip
            if found is not GONE:
                made.append(found)
        return made


def _by_key(items: list[Any], keys: Mapping[str, Any]) -> dict[tuple[Any, ...], Any] | None:
    """The items by their keys; None where one has none, or two have the same."""
    found: dict[tuple[Any, ...], Any] = {}
    for item in items:
        if not isinstance(item, dict):
            return None
        key = tuple(item.get(name, usual) for name, usual in keys.items())
        fits = all(isinstance(part, str | int) for part in key)
        if not fits or key in found:
            return None
        found[key] = item
    return found


def _same(one: Any, other: Any) -> bool:
    if one is GONE or other is GONE:
        return one is other
    return same(one, other)
