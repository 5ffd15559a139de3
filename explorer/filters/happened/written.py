"""Groups of events as a CSV file."""

import csv
from collections.abc import Iterator
from dataclasses import replace

from django.db import connection
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from explorer.filters.happened.asked import EventsAsked
from explorer.filters.happened.groups import MOST, Happened
from explorer.filters.written import Echo
from teams.audit.written import cell
from teams.models import User

# More groups than these are in no file.
MOST_WRITTEN = 5_000
CHUNK = 1_000


def answer(user: User, asked: EventsAsked) -> StreamingHttpResponse:
    """The file, named after the day."""
    response = StreamingHttpResponse(_lines(user, asked), content_type="text/csv; charset=utf-8")
    file = f"event-groups-{timezone.localdate().isoformat()}.csv"
    response["Content-Disposition"] = f'attachment; filename="{file}"'
    return response


def _lines(user: User, asked: EventsAsked) -> Iterator[str]:
    writer = csv.writer(Echo())
    heads = (
        _("Cluster"), _("Namespace"), _("Type"), _("Reason"), _("Kind"), _("Owner"), _("Objects"),
        _("Names"), _("Times"), _("First"), _("Last"), _("Message"),
    )  # fmt: skip
    yield writer.writerow([cell(str(head)) for head in heads])
    cursor: str | None = ""
    written = 0
    while cursor is not None and written < MOST_WRITTEN:
        found = Happened(user, replace(asked, cursor=cursor))
        page = found.page(CHUNK)
        names = {key: each.name for key, each in found.inventory.clusters.items()}
        if not connection.in_atomic_block:
            connection.close()  # who reads slowly must not keep others from the database
        for row in page.rows:
            owner = "/".join(filter(None, (row.owner_kind, row.owner_name)))
            yield writer.writerow(
                [
                    cell(str(text))
                    for text in (
                        names.get(row.cluster_id, ""), row.namespace, row.type, row.reason,
                        row.kind, owner, row.objects, " ".join(row.names), row.times,
                        row.first.isoformat(), row.last.isoformat(), row.message,
                    )
                ]
            )  # fmt: skip
        written, cursor = written + len(page.rows), page.next
        if not page.complete and cursor is None:
            said = _("Only the newest %(most)d events were looked at.") % {"most": MOST}
            yield writer.writerow([said])
