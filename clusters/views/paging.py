"""A page of a list: by position where it is sorted, by key where it grows on top."""

import base64
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar

from django.db.models import Q, QuerySet

from clusters.models import Object
from teams.views import SignedInRequest

PAGE = 100
# A live update of a page that has loaded more keeps so many rows.
MOST_SHOWN = 500

T = TypeVar("T", covariant=True)


def size(request: SignedInRequest) -> int:
    """How many rows: a live update of a page that has loaded more keeps what it shows."""
    shown = request.headers.get("X-MCM-Shown", "")
    known = shown.isascii() and shown.isdecimal() and len(shown) < 10
    return max(PAGE, min(int(shown), MOST_SHOWN)) if known else PAGE


class Sliced(Protocol[T]):
    """A list or a query set, of which a part can be taken."""

    def __getitem__(self, part: slice, /) -> Iterable[T]: ...


def by_position(request: SignedInRequest, rows: Sliced[T]) -> tuple[list[T], int | None]:
    """The rows from `?after=` on, and where the next ones begin, None at the end."""
    after = request.GET.get("after", "")
    start = int(after) if after.isascii() and after.isdecimal() and len(after) < 8 else 0
    n = size(request)
    found = list(rows[start : start + n + 1])
    return found[:n], start + n if len(found) > n else None


def newest_first(
    request: SignedInRequest, rows: QuerySet[Object]
) -> tuple[list[Object], str | None]:
    """The rows older than the cursor `?after=`, and the cursor of what follows, None at the end.

    What comes meanwhile on top does not shift the pages below.
    """
    position = _position(request.GET.get("after", ""))
    if position is not None:
        moment, key = position
        rows = rows.filter(Q(created__lt=moment) | Q(created=moment, pk__lt=key))
    n = size(request)
    found = list(rows[: n + 1])
    last = found[n - 1] if len(found) > n else None
    return found[:n], _cursor(last) if last else None


def _cursor(row: Object) -> str:
    text = json.dumps([row.created.isoformat(), row.pk])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _position(cursor: str) -> tuple[datetime, int] | None:
    """What `_cursor` wrote; None for all else, which begins again at the top."""
    try:
        text, key = json.loads(base64.urlsafe_b64decode(cursor))
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError, RecursionError):
        return None
    fits = type(key) is int and abs(key) < 2**63 and moment.tzinfo is not None
    return (moment, key) if fits else None
