"""How a typed query may go on: fields, and values of what the person may see, bounded in time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from explorer.filters import candidates
from explorer.filters.candidates import Seen
from explorer.filters.typed import LONGEST, Token, quoted, tokens
from explorer.filters.words import COMPARED, FIELDS, HEALTH, TITLES, path_word

# So many are offered.
MOST = 20
# What ages and the like are usually compared with.
USUAL = {
    "age": ("5m", "1h", "1d", "7d", "30d"),
    "since": ("5m", "1h", "1d", "7d"),
    "restarts": ("0", "5", "10"),
    "cpu": ("500m", "1", "4"),
    "memory": ("512Mi", "1Gi", "4Gi"),
}
_LATER = ("environment", "env", "id")


@dataclass(frozen=True)
class Option:
    """What may stand in the place; after a `field` more is to be typed."""

    text: str
    is_field: bool = False


@dataclass(frozen=True)
class Completion:
    """From which character up to which, from 0, an option takes the place of what is there; they
    are all there are unless the time was over.
    """

    start: int
    end: int
    options: list[Option]
    complete: bool = True


def complete(seen: Seen, query: str, at: int) -> Completion:
    """How the query may go on where the cursor is, before character `at`."""
    query, at = query[:LONGEST], max(0, min(at, len(query), LONGEST))
    words = tokens(query[:at], unfinished=True)
    token = words[-1] if words and words[-1].end == at + 1 else Token(at + 1, end=at + 1)
    start = int(token.text[:1] == "-" and token.plain[0])
    end = _end(query, at)
    sign = token.find(":=<>", start)
    if sign < 0:
        return _names(seen, token, start, end)
    comma = token.find(",", sign)
    while comma >= 0 and (after := token.find(",", comma + 1)) >= 0:
        comma = after
    begin = comma + 1 if comma >= 0 else _behind(token, sign)
    key, typed = token.text[start:sign], token.text[begin:]
    # A quote that was opened belongs to the value.
    place = token.places[begin - 1] if begin else token.at - 1
    found = _values(seen, key, token.text[sign], typed)
    return Completion(place, end, found[:MOST], seen.in_time)


def _end(query: str, at: int) -> int:
    """Where the value ends in which the cursor is."""
    for place in range(at, len(query)):
        if query[place].isspace() or query[place] == ",":
            return place
    return len(query)


def _behind(token: Token, sign: int) -> int:
    """Where the value begins; signs may have two characters."""
    double = token.text[sign] in "<>" and token.text[sign + 1 : sign + 2] == "="
    return sign + (2 if double else 1)


def _names(seen: Seen, token: Token, start: int, end: int) -> Completion:
    """Fields and the keys of labels, then names of objects."""
    typed = token.text[start:]
    place = token.places[start] - 1 if len(token.places) > start else token.at - 1 + start
    found = [
        Option(f"{name}{'>' if name in COMPARED else ':'}", is_field=True)
        for name in sorted(FIELDS, key=lambda name: (name in _LATER, name))
        if name.startswith(typed.lower())
    ]
    found += [Option(f"{quoted(key)}=", is_field=True) for key in seen.label_keys(typed)[:MOST]]
    if typed:
        found += [Option(quoted(name)) for name in seen.texts("name", typed)]
    return Completion(place, end, found[: 2 * MOST], seen.in_time)


def _values(seen: Seen, key: str, sign: str, typed: str) -> list[Option]:
    field = FIELDS.get(key.lower(), "")
    if field == "label" and sign == ":":
        return _labels(seen, typed)
    if sign == "=" and key:
        found = seen.label_values(key, typed)
    elif field in USUAL:
        found = [value for value in USUAL[field] if value.startswith(typed)]
    elif known := _KNOWN.get(field):
        found = _beginning(typed, known(seen))
    else:
        found = seen.texts(field, typed)
    return [Option(quoted(text, alone=False)) for text in found]


def _labels(seen: Seen, typed: str) -> list[Option]:
    key, equals, value = typed.partition("=")
    if not equals:
        return [Option(f"{found}=", is_field=True) for found in seen.label_keys(key)]
    return [
        Option(f"{key}={quoted(found, alone=False)}") for found in seen.label_values(key, value)
    ]


def _beginning(typed: str, values: Iterable[str]) -> list[str]:
    return sorted({value for value in values if value.lower().startswith(typed.lower())})


def _kinds(seen: Seen) -> list[str]:
    found = seen.tallied("kind")
    return [*found, *(path_word(kind) for kind in found if kind in TITLES)]


# The fields of which all values are known without a look at objects.
_KNOWN: dict[str, Callable[[Seen], Iterable[str]]] = {
    "health": lambda _seen: HEALTH,
    "environment": lambda _seen: candidates.ENVIRONMENTS,
    "cluster": lambda seen: seen.clusters,
    "kind": _kinds,
    "namespace": lambda seen: seen.tallied("namespace"),
    "status": lambda seen: ["failing", *seen.tallied("status")],
}
