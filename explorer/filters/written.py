"""A list as a CSV file, written while it is read."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from django.db import connection
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from explorer.filters import paging
from explorer.filters.columns import Column
from explorer.filters.criteria import ObjectFilter
from explorer.filters.inventory import Inventory
from explorer.filters.typed import Term
from explorer.store import Seen
from teams.audit.written import cell
from teams.models import User

# More rows than these are in no file; it says so at its end.
MOST = 50_000
# Rows read at once: no statement lasts long, and no memory grows.
CHUNK = 500


def answer(
    user: User, wanted: ObjectFilter, columns: Sequence[Column], heads: Iterable[str], name: str
) -> StreamingHttpResponse:
    """The file, named after what is in it and the day."""
    lines = _lines(user, wanted, columns, heads)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    file = f"{name}-{timezone.localdate().isoformat()}.csv"
    response["Content-Disposition"] = f'attachment; filename="{file}"'
    return response


def only(wanted: ObjectFilter, keys: Sequence[int]) -> ObjectFilter:
    """The filter for just the rows with these keys."""
    return replace(wanted, terms=(*wanted.terms, Term("id", tuple(map(str, keys)))))


def _lines(
    user: User, wanted: ObjectFilter, columns: Sequence[Column], heads: Iterable[str]
) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield writer.writerow([cell(head) for head in heads])
    written = 0
    for rows, more in _chunks(user, wanted):
        lines = [[cell(column.text(seen)) for column in columns] for seen in rows]
        yield "".join(map(writer.writerow, lines))
        written += len(rows)
        if more and written >= MOST:
            said = _("Only the first %(most)d rows are in this file.") % {"most": written}
            yield writer.writerow([said])
            return


def _chunks(user: User, wanted: ObjectFilter) -> Iterator[tuple[list[Seen], bool]]:
    """The rows page by page, and whether more follow; each is found with the rights of then."""
    cursor: str | None = ""
    while cursor is not None:
        inventory = Inventory(user, replace(wanted, cursor=cursor))
        page = paging.page(inventory, CHUNK)
        rows, cursor = inventory.rows(page.keys), page.next
        if not connection.in_atomic_block:
            connection.close()  # who reads slowly must not keep others from the database
        yield rows, cursor is not None


class Echo:
    """A file that gives back what is written."""

    def write(self, text: str) -> str:
        return text
