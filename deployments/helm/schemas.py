"""Checks values.schema.json: Helm would follow its references to files and to the network."""

import json
from collections.abc import Iterator
from typing import Any, Final

from deployments.helm.errors import BadChart

LIMIT: Final = 1 << 20
DEPTH: Final = 64
_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
# Dialects that Helm's validator carries in itself.
_DIALECTS: Final = ("json-schema.org/draft-0", "json-schema.org/draft/20", "json-schema.org/schema")


def check(path: str, data: bytes) -> None:
    """Check one schema. In: its path (for the message) and text. Errors: `BadChart`."""
    if len(data) > LIMIT:
        raise BadChart(f"{path} is larger than {LIMIT >> 20} MiB", "bad_schema")
    if _deepest(data) > DEPTH:
        raise BadChart(f"{path} is nested deeper than {DEPTH}", "bad_schema")
    try:
        schema = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise BadChart(f"{path} is not valid JSON", "bad_schema") from None
    for key, value in _texts(schema):
        if key in _REFERENCES and not value.startswith("#"):
            raise BadChart(f"{path} refers to {value[:80]!r}, outside itself", "remote_schema")
        if key == "$schema" and not _known(value):
            raise BadChart(f"{path} uses the unknown dialect {value[:80]!r}", "remote_schema")


def _known(dialect: str) -> bool:
    return dialect.partition("://")[2].startswith(_DIALECTS) or dialect == ""


def _deepest(data: bytes) -> int:
    """Count open brackets outside texts: the parser itself must not meet a deep one."""
    depth = deepest = 0
    inside = escaped = False
    for byte in data:
        if inside:
            inside = escaped or byte != 0x22
            escaped = byte == 0x5C and not escaped
        elif byte == 0x22:
            inside = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _texts(found: Any) -> Iterator[tuple[str, str]]:
    """Walk over every key with a text; no recursion, the depth is known to be small anyway."""
    waiting = [found]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield from ((key, value) for key, value in one.items() if isinstance(value, str))
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
