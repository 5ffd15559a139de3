"""Two states of an object, side by side."""

from typing import Any, NamedTuple


class Difference(NamedTuple):
    """A line: `sign` is "d" for what is gone, "a" for what is new, "" for what stayed."""

    sign: str
    name: str
    value: str


def differences(before: Any, after: Any) -> list[Difference]:
    """Field by field, nested ones by their path: `values.image.tag`."""
    old, new = flat(before), flat(after)
    found = []
    for name in sorted({*old, *new}):
        if old.get(name) == new.get(name):
            found.append(Difference("", name, old[name]))
            continue
        if name in old:
            found.append(Difference("d", name, old[name]))
        if name in new:
            found.append(Difference("a", name, new[name]))
    return found


def flat(data: Any, path: str = "") -> dict[str, str]:
    """Nested data as one level; {} for none."""
    if isinstance(data, list) and any(isinstance(each, dict | list) for each in data):
        data = dict(enumerate(data))
    if isinstance(data, dict) and data:
        found: dict[str, str] = {}
        for key, value in data.items():
            found |= flat(value, f"{path}.{key}" if path else str(key))
        return found
    return {path: _shown(data)} if path else {}


def _shown(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list() if value:
            return ", ".join(map(str, value))
        case None | "" | [] | {}:
            return "–"  # noqa: RUF001 - a dash stands for nothing
        case _:
            return str(value)
