"""What shells showed: kept in sealed pieces while they run, read and checked as a whole.

The line of a shell's end carries the SHA-256 of the whole, so the chain of the trail covers it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Exists, OuterRef

from teams import audit, vault
from teams.audit.outcomes import begin_of
from teams.models import User
from teams.trail import AuditEvent, TranscriptPiece

# Under which the line of the end tells of it.
FACTS = "transcript"
# Removed in one statement.
BATCH = 500


class Wrong(Exception):
    """A transcript is not what was written; `str(error)` says how, after its name."""


@dataclass(frozen=True)
class Piece:
    """A part of a transcript, counted from 0."""

    number: int
    plain: bytes


@dataclass(frozen=True)
class Whole:
    """What the end of a shell tells: the line of its begin, and of its transcript the hash, bytes,
    bytes of output that followed when it was full, and bytes of input without a terminal.
    """

    event: int
    sha256: str
    bytes: int
    cut: int
    input: int

    @property
    def facts(self) -> dict[str, Any]:
        """As they stand in the detail of the line."""
        return asdict(self)


def keep(event: int, pieces: Iterable[Piece]) -> None:
    """Stores pieces of the shell that this line began; those that are there already stay."""
    rows = [
        TranscriptPiece(
            pk=_key(event, piece.number),
            event_id=event,
            number=piece.number,
            sealed=vault.seal(piece.plain, _owner(event, piece.number)),
        )
        for piece in pieces
    ]
    TranscriptPiece.objects.bulk_create(rows, ignore_conflicts=True)


def begin(row: AuditEvent) -> int | None:
    """The line under which the transcript is kept of which this line tells the begin or the end;
    None where nothing is kept.
    """
    event = begin_of(row) or row.pk
    return event if TranscriptPiece.objects.filter(event=event).exists() else None


def opened(event: AuditEvent, *, by: User) -> bytes:
    """What `by` reads of the shell that this line began, which the trail tells. Raises
    vault.CannotOpen.
    """
    plain = read(event.pk)
    audit.record(by, "audit.transcript", event, bytes=len(plain))
    return plain


def read(event: int) -> bytes:
    """As far as it is stored. Raises vault.CannotOpen."""
    rows = TranscriptPiece.objects.filter(event=event).order_by("number")
    return b"".join(
        vault.unseal(bytes(sealed), _owner(event, number))
        for number, sealed in rows.values_list("number", "sealed")
    )


def check(facts: Mapping[str, Any]) -> bool:
    """Whether the transcript of which the end of a shell told is what it was; False where retention
    has removed it with its begin. Raises Wrong.
    """
    event = facts["event"]
    try:
        plain = read(event)
    except vault.CannotOpen:
        found = "cannot be opened"
    else:
        if (len(plain), hashlib.sha256(plain).hexdigest()) == (facts["bytes"], facts["sha256"]):
            return True
        found = "was changed" if plain else "is missing"
    if AuditEvent.objects.filter(pk=event).exists():
        raise Wrong(found)
    return False


def remove_old() -> int:
    """Removes the pieces of lines that retention has removed; how many."""
    gone = ~Exists(AuditEvent.objects.filter(pk=OuterRef("event_id")))
    removed = 0
    while keys := list(TranscriptPiece.objects.filter(gone).values_list("pk", flat=True)[:BATCH]):
        TranscriptPiece.objects.filter(pk__in=keys)._raw_delete("default")
        removed += len(keys)
    return removed


def _key(event: int, number: int) -> str:
    return f"{event}.{number}"


def _owner(event: int, number: int) -> str:
    """As the column seals it anew: pieces do not open in another's place."""
    return f"transcript:{_key(event, number)}"
