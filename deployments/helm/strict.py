"""YAML for charts and values: plain data, nothing that grows, hides or surprises.

Read twice: once as events, which needs no recursion and finds all that is refused, then as data.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from deployments.helm.errors import BadValues

LIMIT: Final = 256 << 10
DEPTH: Final = 64


class _Loader(yaml.CSafeLoader):
    """Reads scalars as Helm does: no dates, no base 60."""


_OWN: Final = ("timestamp", "int", "float")
_INT: Final = r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|[1-9][0-9_]*|0)$"
_DIGITS: Final = r"[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE])"
_FLOAT: Final = (
    rf"(?:[-+]?(?:(?:{_DIGITS})(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN))$"
)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, words) for tag, words in resolvers if not tag.endswith(_OWN)]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(_INT), list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(_FLOAT), list("-+.0123456789"))


@dataclass(slots=True)
class _Level:
    """One open mapping or list."""

    mapping: bool
    at_key: bool = True
    keys: set[str] = field(default_factory=set)


def load(text: str, *, limit: int = LIMIT) -> Any:
    """Read one document. In: the text. Out: plain data, None for an empty text.

    Errors: `BadValues` with the place, for more than `limit` bytes, bad YAML, aliases, merge keys,
    tags, duplicate or unplain keys, several documents, nesting deeper than 64.
    """
    if len(text.encode("utf-8", "surrogatepass")) > limit:
        raise BadValues(f"larger than {limit >> 10} KiB")
    try:
        _check(yaml.parse(text, Loader=yaml.CSafeLoader))
        return yaml.load(text, Loader=_Loader)  # noqa: S506  a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        # The parser's own words quote the text, and with it its secrets.
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    except (yaml.YAMLError, ValueError):
        place = (0, 0)
    raise BadValues("not valid YAML", *place)


def _check(events: Iterator[Any]) -> None:
    documents = 0
    levels: list[_Level] = []
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            _refuse(event, documents > 1, "several documents")
        elif isinstance(event, yaml.NodeEvent):
            _check_node(event, levels)
        elif isinstance(event, yaml.CollectionEndEvent):
            levels.pop()


def _check_node(event: Any, levels: list[_Level]) -> None:
    _refuse(event, isinstance(event, yaml.AliasEvent), "an alias")
    _refuse(event, event.tag is not None, "a tag")
    if levels and levels[-1].mapping:
        _check_place(event, levels[-1])
    if isinstance(event, yaml.CollectionStartEvent):
        _refuse(event, len(levels) >= DEPTH, f"more than {DEPTH} levels")
        levels.append(_Level(isinstance(event, yaml.MappingStartEvent)))


def _check_place(event: Any, level: _Level) -> None:
    if level.at_key:
        _refuse(event, not isinstance(event, yaml.ScalarEvent), "a key that is not plain")
        _refuse(event, event.value == "<<" and event.implicit[0], "a merge key")
        _refuse(event, event.value in level.keys, "a key given twice")
        level.keys.add(event.value)
    level.at_key = not level.at_key


def _refuse(event: Any, found: bool, what: str) -> None:
    if found:
        mark = event.start_mark
        raise BadValues(f"{what} is not accepted", mark.line + 1, mark.column + 1)
