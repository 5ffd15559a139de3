"""The rows of a list as HTML, each rendered once for all people who may see it.

A row is a function of what stands in it and of the language, never of who reads it: whether a
person may see it was decided by the query that found it.
"""

import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from clusters.models import Freshness
from explorer.filters.columns import COLUMNS, Column
from explorer.filters.paths import object_path
from explorer.store import Seen
from explorer.views.cells import cell, name_cell

STALE = SafeString(" data-stale")
# About 1 KB each.
MOST_KEPT = 20_000
# Without scripts a row's age stays as rendered, in minutes at the finest: so long it is kept.
KEPT_SECONDS = 60


class _Row(NamedTuple):
    """All that stands in a row: the columns by key, and what each shows."""

    key: int
    is_pod: bool
    stale: bool
    columns: tuple[str, ...]
    values: tuple[Any, ...]


def rows_of(objects: Iterable[Seen], columns: Sequence[Column]) -> list[SafeString]:
    """The table rows of these objects in the active language, in the order given."""
    language, moment = get_language(), int(time.time() // KEPT_SECONDS)
    keys = tuple(column.key for column in columns)
    return [_render(_row(seen, columns, keys), language, moment) for seen in objects]


def _row(seen: Seen, columns: Sequence[Column], keys: tuple[str, ...]) -> _Row:
    values = tuple([column.value(seen) for column in columns])
    stale = seen.freshness != Freshness.LIVE
    return _Row(seen.object.pk, seen.object.kind == "Pod", stale, keys, values)


@lru_cache(maxsize=MOST_KEPT)
def _render(row: _Row, language: str | None, moment: int) -> SafeString:
    url, context = object_path("Pod" if row.is_pod else "", row.key), (language, moment)
    cells = [
        name_cell(row.key, url, value, context)
        if COLUMNS[column].look == "name"
        else cell(column, value, context)
        for column, value in zip(row.columns, row.values, strict=True)
    ]
    return format_html(
        '<tr id="object-{0}" data-key="{0}" data-row-href="{1}"{2}>{3}</tr>',
        row.key, url, STALE if row.stale else "", SafeString("".join(cells)),
    )  # fmt: skip
