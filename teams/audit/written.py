"""The trail as files: CSV for tables, JSON for programs; written while it is read."""

import csv
import json
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone

from teams.audit.forwarding import line
from teams.trail import AuditEvent

# Rows read at once: no statement of an export lasts long, and no memory grows.
CHUNK = 1000
TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
# Registered by asciinema: https://docs.asciinema.org/manual/asciicast/v2/
CAST = "application/x-asciicast"
# What begins so is a formula to a spreadsheet (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def chunks(rows: QuerySet[AuditEvent]) -> Iterator[list[AuditEvent]]:
    """The rows by key, newest first, in pieces."""
    before: int | None = None
    while True:
        some = list((rows if before is None else rows.filter(pk__lt=before))[:CHUNK])
        if not connection.in_atomic_block:
            connection.close()  # who reads slowly must not keep others from the database
        if some:
            yield some
        if len(some) < CHUNK:
            return
        before = some[-1].pk


def as_csv(rows: QuerySet[AuditEvent]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    names: list[str] | None = None
    for some in chunks(rows):
        lines = [line(each) for each in some]
        if names is None:
            names = list(lines[0])
            yield writer.writerow(names)
        yield "".join(writer.writerow([cell(value) for value in each.values()]) for each in lines)


def as_json(rows: QuerySet[AuditEvent]) -> Iterator[str]:
    """One array, a row a line."""
    separator = "[\n"
    for some in chunks(rows):
        for each in some:
            yield separator + json.dumps(line(each), ensure_ascii=False)
            separator = ",\n"
    yield "\n]\n" if separator != "[\n" else "[]\n"


def cell(value: Any) -> str:
    """A text that a spreadsheet shows and does not calculate."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


WRITTEN: dict[str, Callable[[QuerySet[AuditEvent]], Iterator[str]]] = {
    "csv": as_csv,
    "json": as_json,
}


def answer(rows: QuerySet[AuditEvent], form: str) -> StreamingHttpResponse:
    """The file, named after the day."""
    response = StreamingHttpResponse(WRITTEN[form](rows), content_type=TYPES[form])
    name = f"audit-{timezone.localdate().isoformat()}.{form}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def cast(plain: bytes, event: AuditEvent) -> HttpResponse:
    """A transcript as a file, named after the line that told its begin."""
    response = HttpResponse(plain, content_type=CAST)
    response["Content-Disposition"] = f'attachment; filename="transcript-{event.pk}.cast"'
    response["Cache-Control"] = "no-store"
    return response


class _Echo:
    """A file that gives back what is written."""

    def write(self, text: str) -> str:
        return text
