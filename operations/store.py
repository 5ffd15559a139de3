"""Claiming, heartbeats and ends of operations: conditional updates, fenced."""

from datetime import timedelta

from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Now

from operations.models import LogLine, Operation, Status

# A running operation whose worker was silent for this long is lost.
SILENCE = timedelta(seconds=30)
# A queued one that nobody has claimed is sent again: its message may be gone with Redis.
UNSENT = timedelta(seconds=20)
MOST_LINES = 5_000


def claim(operation_id: str, worker: str) -> Operation | None:
    """Queued to running for exactly one worker; None for every other and for a cancelled one."""
    queued = Operation.objects.filter(pk=operation_id, status=Status.QUEUED)
    claimed = queued.update(
        status=Status.RUNNING,
        worker=worker,
        fence=F("fence") + 1,
        started=Now(),
        heartbeat=Now(),
    )
    if not claimed:
        return None
    return Operation.objects.select_related("cluster", "requested_by").get(pk=operation_id)


def _mine(operation: Operation) -> QuerySet[Operation]:
    return Operation.objects.filter(pk=operation.pk, status=Status.RUNNING, fence=operation.fence)


def beat(operation: Operation) -> bool:
    """A sign of life. False when the claim is lost or the end was asked for: stop working."""
    # Who is stopping lives, too: cleaning up may take longer than the silence of a lost worker.
    _mine(operation).update(heartbeat=Now())
    return _mine(operation).filter(cancel_requested=False).exists()


def finish(operation: Operation, status: Status, error: str, result: dict[str, object]) -> bool:
    """Ends the operation; False when the claim was lost, then nothing was written."""
    return bool(_mine(operation).update(status=status, error=error, result=result, finished=Now()))


def append(operation: Operation, lines: list[str]) -> None:
    """Adds lines to the log. What is past the cap is dropped, and the last line says so."""
    held = LogLine.objects.filter(operation=operation).count()
    room = max(0, MOST_LINES - held)
    rows = [LogLine(operation=operation, text=line[:4000]) for line in lines[:room]]
    if room and len(lines) >= room:
        rows[-1] = LogLine(operation=operation, text="… the log is full, later lines are dropped")
    LogLine.objects.bulk_create(rows)


def lost() -> QuerySet[Operation]:
    """Running operations whose worker has died or hangs."""
    return Operation.objects.filter(status=Status.RUNNING, heartbeat__lt=Now() - SILENCE)


def unclaimed() -> QuerySet[Operation]:
    """Queued ones whose last message was sent too long ago; the heartbeat of these tells when."""
    return Operation.objects.annotate(sent=Coalesce("heartbeat", "created")).filter(
        status=Status.QUEUED, sent__lt=Now() - UNSENT
    )


def sent_again(operation: Operation) -> None:
    Operation.objects.filter(pk=operation.pk, status=Status.QUEUED).update(heartbeat=Now())
