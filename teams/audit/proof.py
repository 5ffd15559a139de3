"""Checks the chain of the trail from its begin to its head."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from teams.audit import chain, transcripts
from teams.audit.chain import BEGIN, HEAD, START, Point
from teams.trail import AuditAnchor, AuditEvent

# Rows read at once: one statement must not outlast its timeout.
CHUNK = 2000


class Broken(Exception):
    """The trail is not what was written; `str(error)` names the first place where it shows."""


@dataclass(frozen=True)
class Proved:
    """What holds. `head` kept elsewhere proves later that nothing was cut off since."""

    rows: int
    # Transcripts of which the end was told, and that retention has not removed.
    transcripts: int
    start: Point
    head: Point
    unsealed: int
    # Numbers of the table that were given before its first row, where nothing was removed by
    # retention: work that was undone took them, or rows that are gone together with all anchors.
    before: int


def verify(known: Point | None = None) -> Proved:
    """Checks all sealed rows, and that `known`, noted somewhere else before, is among them.

    Raises Broken. Rows that retention removed are beyond it: the chain begins after them, as the
    signed anchor says.
    """
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                # All looks see one moment, while others write on.
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return _verify(known)


def _verify(known: Point | None) -> Proved:
    start = _anchor(START, "its beginning") or BEGIN
    head = _anchor(HEAD, "its newest row")
    last, rows, kept = start, 0, 0
    for row in _sealed():
        _check(row, last)
        last, rows = Point(row["seq"], row["hash"]), rows + 1
        if known and known.seq == last.seq and known.hash != last.hash:
            raise Broken(f"row {last.seq} is not the one that was noted as {known}")
        kept += _check_transcript(row)
    _check_end(head, last, rows)
    if known and known.seq > last.seq:
        raise Broken(f"rows {last.seq + 1} to {known.seq} are missing at the end")
    unsealed = AuditEvent.objects.filter(seq=None).count()
    return Proved(rows, kept, start, last, unsealed, 0 if start.seq else _given_before())


def _given_before() -> int:
    """PostgreSQL goes on counting where rows were removed, unless it is told to begin anew."""
    first = AuditEvent.objects.order_by("pk").values_list("pk", flat=True).first()
    if first is not None:
        return first - 1
    with connection.cursor() as cursor:
        table = AuditEvent._meta.db_table
        cursor.execute(
            "SELECT pg_sequence_last_value(pg_get_serial_sequence(%s, 'id')::regclass)", [table]
        )
        return cursor.fetchone()[0] or 0


def _check(row: dict[str, Any], last: Point) -> None:
    seq = row["seq"]
    if seq <= last.seq:
        raise Broken(f"row {seq} was removed by retention, and is there again")
    if seq != last.seq + 1:
        gone = (
            f"row {seq - 1} is" if seq == last.seq + 2 else f"rows {last.seq + 1} to {seq - 1} are"
        )
        raise Broken(f"{gone} missing before row {seq}")
    if row["previous"] != last.hash:
        raise Broken(f"row {seq} (id {row['id']}) does not follow the row before it")
    if chain.digest(row) != row["hash"]:
        raise Broken(f"row {seq} (id {row['id']}, {row['action']}) was changed")


def _check_transcript(row: dict[str, Any]) -> bool:
    """Whether the row tells the end of a shell of which the transcript is there, and holds."""
    facts = row["detail"].get(transcripts.FACTS)
    if not isinstance(facts, dict):
        return False
    try:
        return transcripts.check(facts)
    except transcripts.Wrong as wrong:
        raise Broken(f"the transcript of row {row['seq']} (id {row['id']}) {wrong}") from wrong


def _check_end(head: Point | None, last: Point, rows: int) -> None:
    if head is None and rows:
        raise Broken("the anchor of the newest row is missing")
    if head is None or head == last:
        return
    if head.seq > last.seq:
        raise Broken(f"rows {last.seq + 1} to {head.seq} are missing at the end")
    raise Broken(f"row {min(last.seq, head.seq + 1)} was not sealed by MCM")


def _anchor(kind: str, what: str) -> Point | None:
    row = AuditAnchor.objects.filter(pk=kind).first()
    if row is None:
        return None
    if not chain.is_signed(row):
        raise Broken(f"the anchor of {what} was not signed with a key of MCM_ENCRYPTION_KEYS")
    return Point(row.seq, row.hash)


def _sealed() -> Iterator[dict[str, Any]]:
    """The sealed rows in their order."""
    after = -1
    while True:
        rows = AuditEvent.objects.filter(seq__gt=after).order_by("seq")
        some = list(rows.values(*chain.COLUMNS, "hash")[:CHUNK])
        yield from some
        if len(some) < CHUNK:
            return
        after = some[-1]["seq"]
