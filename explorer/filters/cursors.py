"""Where a page begins: the sort keys of the row before it, as a word for an address."""

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from explorer.filters.ordering import DIGITS, MISSING, RANK, Order

# What is no text.
_NUMBERS = ("restarts", "cpu", "memory", RANK, MISSING, "pk")
_TYPES: dict[str, type] = dict.fromkeys(_NUMBERS, int) | dict.fromkeys(
    ("created", "since"), datetime
)
_LARGEST = 2**63


class BadCursor(Exception):
    """The word is none that MCM gave for this order."""


def write(sort: str, position: Sequence[Any]) -> str:
    """A cursor after the row with these keys."""
    plain = [key.isoformat() if isinstance(key, datetime) else key for key in position]
    text = json.dumps([sort, *plain], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def plain(cursor: str) -> Any:
    """What stands in a cursor, as yet unchecked. ValueError or RecursionError for rubbish."""
    return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))


def read(sort: str, cursor: str) -> list[Any]:
    """The keys that `write` was given, empty for no cursor. Raises BadCursor.

    It is not signed: what stands in it only says where in the visible rows to begin.
    """
    if not cursor:
        return []
    try:
        of, *position = plain(cursor)
        columns = (*Order.named(sort).columns, "pk")
        if of != sort or len(position) != len(columns):
            raise BadCursor
        return [_key(name, key) for name, key in zip(columns, position, strict=True)]
    except (ValueError, TypeError, RecursionError) as error:
        raise BadCursor from error


def _key(name: str, key: Any) -> Any:
    kind = int if name.startswith(DIGITS) else _TYPES.get(name, str)
    if kind is datetime:
        key = datetime.fromisoformat(key)
    match key:
        case datetime() if kind is datetime and key.tzinfo is not None:
            return key
        case int() if kind is int and type(key) is int and -_LARGEST <= key < _LARGEST:
            return key
        case str() if kind is str and "\0" not in key and _encodable(key):
            return key
    raise BadCursor


def _encodable(text: str) -> bool:
    """Whether it is text: JSON can spell halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
