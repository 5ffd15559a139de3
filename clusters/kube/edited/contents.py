"""What people edit of an object: without what only the cluster writes, Secrets' values hidden."""

import copy
import difflib
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from clusters.kube.edited.documents import Wrong, same, within
from clusters.kube.errors import sentence
from clusters.kube.opened.text import APPLIED, MASK, mask, written

Json = dict[str, Any]

# Of these the server keeps its own, whatever is sent.
_SERVERS = (
    "managedFields",
    "resourceVersion",
    "generation",
    "uid",
    "creationTimestamp",
    "selfLink",
)
# Instead of the value, where a diff tells that it changes.
CHANGED, NEW = f"{MASK} (changed)", f"{MASK} (new)"
NO_VALUE = sentence("The cluster holds no value of this key: write one.")
OTHER_OBJECT = sentence("This names another object. Write it back, or apply it as a new one.")
# So many lines are shown around a change.
AROUND = 3
MOST_LINES = 4000
# Comparing may take as long as the lines that differ in both multiplied.
MOST_COMPARED = 10_000_000
TOO_LONG = sentence("The difference is too large to be shown.")


class Line(NamedTuple):
    """A line of a diff: `kind` is "a" added, "d" gone, "o" where something is left out, or ""."""

    kind: str
    text: str


def content(found: Json) -> Json:
    """A copy without status and what else only the cluster writes."""
    made = {key: value for key, value in found.items() if key != "status"}
    metadata = found.get("metadata")
    if isinstance(metadata, dict):
        made["metadata"] = {key: value for key, value in metadata.items() if key not in _SERVERS}
    return made


def is_secret(found: Json) -> bool:
    return found.get("kind") == "Secret" and found.get("apiVersion") == "v1"


def masked(found: Json) -> Json:
    """The content as it may be shown: of a Secret the keys, their values hidden."""
    made = copy.deepcopy(content(found))
    if is_secret(found):
        mask(made)
    return made


def unmasked(wanted: Json, live: Json) -> Json:
    """What was written with the values that were hidden put back, and the status of now.

    Raises Wrong where a mask stands for nothing.
    """
    made = copy.deepcopy(wanted)
    if "status" in live:
        made["status"] = live["status"]
    if not is_secret(live):
        return made
    for part in ("data", "stringData"):
        if isinstance(made.get(part), dict):
            _put_back(made, part, live.get("data") or {})
    annotations = made.get("metadata", {}).get("annotations")
    if isinstance(annotations, dict) and annotations.get(APPLIED) == MASK:
        before = live["metadata"].get("annotations") or {}
        if APPLIED in before:
            annotations[APPLIED] = before[APPLIED]
        else:
            del annotations[APPLIED]
    return made


def _put_back(made: Json, part: str, held: Json) -> None:
    """In the place of masks the values that the cluster holds."""
    values = made[part]
    for key in [key for key, value in values.items() if value == MASK]:
        if key not in held:
            raise Wrong(NO_VALUE, 0, f"{part}.{key}")
        if part == "data":
            values[key] = held[key]
        else:
            del values[key]
            made.setdefault("data", {}).setdefault(key, held[key])


def veiled(before: Json | None, after: Json) -> tuple[Json, Json]:
    """Both as they may be compared before people: of a Secret only whether values change."""
    if not is_secret(after):
        return content(before) if before else {}, content(after)
    one, other = masked(before) if before else {}, masked(after)
    plain = before or {}
    for part in ("data", "stringData"):
        values, old = after.get(part), plain.get(part)
        if not isinstance(values, dict) or not isinstance(other.get(part), dict):
            continue
        known = old if isinstance(old, dict) else {}
        for key, value in values.items():
            if key not in known:
                other[part][key] = NEW
            elif known[key] != value:
                other[part][key] = CHANGED
    return one, other


def difference(before: Json | None, after: Json) -> list[Line]:
    """The diff by line of two objects as people may see them; [] where nothing changes."""
    one, other = veiled(before, after)
    return lines(written(one) if one else "", written(other))


def lines(before: str, after: str) -> list[Line]:
    """The diff of two texts by line."""
    old, new = before.splitlines(), after.splitlines()
    if _apart(old, new) > MOST_COMPARED:
        return [Line("o", TOO_LONG)]
    found: list[Line] = []
    # The first two lines are the names of files.
    for line in islice(difflib.unified_diff(old, new, n=AROUND, lineterm=""), 2, None):
        if len(found) == MOST_LINES:
            return [*found, Line("o", "…")]
        kind = "o" if line.startswith("@@") else {"+": "a", "-": "d"}.get(line[:1], "")
        found.append(Line(kind, line))
    return found


def _apart(old: list[str], new: list[str]) -> int:
    """The lines of both multiplied, without what is the same at the beginning and the end."""
    shorter = min(len(old), len(new))
    ahead = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    rest = shorter - ahead
    behind = next((n for n in range(rest) if old[-1 - n] != new[-1 - n]), rest)
    return (len(old) - ahead - behind) * (len(new) - ahead - behind)


def changed(before: Json, after: Json) -> list[str]:
    """The fields that differ, by their paths, without their values; at most 100."""
    found = []
    for path in _differing(content(before), content(after), ""):
        found.append(path)
        if len(found) == 100:
            break
    return found


def _differing(one: Any, other: Any, path: str) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            inner = within(path, str(key))
            if key not in one or key not in other:
                yield inner
            else:
                yield from _differing(one[key], other[key], inner)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for n, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _differing(left, right, within(path, n))
    elif not same(one, other):
        yield path


def is_same(one: Json, other: Json) -> bool:
    """Whether two objects say the same, but for what only the cluster writes."""
    return same(content(one), content(other))


def require_identity(wanted: Json, live: Json) -> None:
    """Wrong where what was written names another object than the one that was opened."""
    for field in ("apiVersion", "kind"):
        if wanted.get(field) != live.get(field):
            raise Wrong(OTHER_OBJECT, 0, field)
    mine, theirs = wanted.get("metadata", {}), live["metadata"]
    for key in ("name", "namespace"):
        if mine.get(key, "") != theirs.get(key, ""):
            raise Wrong(OTHER_OBJECT, 0, f"metadata.{key}")
