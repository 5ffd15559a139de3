"""Claiming, heartbeats and ends of operations: conditional updates, fenced."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Now

from clusters import vault
from clusters.models import Object
from clusters.models.among import among
from operations.models import ACTIVE, Former, LogLine, Operation, Status, Step
from teams import access
from teams.access import Who

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


def append(operation: Operation, lines: Sequence[tuple[str, int | None]]) -> None:
    """Adds lines to the log, each with the key of the step that it is of.

    What is past the cap is dropped, and the last line says so.
    """
    held = LogLine.objects.filter(operation=operation).count()
    room = max(0, MOST_LINES - held)
    rows = [
        LogLine(operation=operation, step_id=step, text=line[:4000]) for line, step in lines[:room]
    ]
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


def log(who: Who, operation: Operation) -> str:
    """The log as far as the person may read it."""
    lines = operation.lines.all()
    if operation.steps.exists():
        seen = access.visible(who, Step).filter(operation=operation)
        lines = lines.filter(step=None) | lines.filter(step__in=seen)
    return "\n".join(lines.order_by("pk").values_list("text", flat=True))


def steps(who: Who, operation: Operation) -> QuerySet[Step]:
    """The steps that the person may see."""
    return (
        access.visible(who, Step)
        .filter(operation=operation)
        .select_related("cluster")
        .order_by("position")
    )


def undone(who: Who, operation: Operation) -> list[int]:
    """The keys of the objects whose steps did not succeed, of those that are still there."""
    steps = access.visible(who, Step).filter(operation=operation)
    left = steps.filter(status__in=(Status.FAILED, Status.CANCELLED)).order_by("position")
    places = list(left.values_list("cluster_id", "kind", "uid"))
    rows = access.visible(who, Object).filter(
        among("cluster", {cluster for cluster, _kind, _uid in places}),
        uid__in=[uid for _cluster, _kind, uid in places],
    )
    keys = {tuple(row[1:]): row[0] for row in rows.values_list("pk", "cluster_id", "kind", "uid")}
    return [keys[place] for place in places if place in keys]


def _step(operation: Operation, step: Step) -> QuerySet[Step]:
    """The row of a step, for the worker that holds the operation and for no other."""
    rows = Step.objects.filter(pk=step.pk, operation=operation)
    return rows.filter(operation__status=Status.RUNNING, operation__fence=operation.fence)


def begin_step(operation: Operation, step: Step) -> bool:
    """Queued to running, once ever; False when the claim on the operation was lost."""
    rows = _step(operation, step).filter(status=Status.QUEUED)
    return bool(rows.update(status=Status.RUNNING, started=Now()))


def tell_step(operation: Operation, step: Step, **values: Any) -> bool:
    """Stores how far a running step is; False when the claim was lost."""
    return bool(_step(operation, step).filter(status=Status.RUNNING).update(**values))


def keep_former(operation: Operation, step: Step, plain: bytes) -> None:
    """Seals what the way back of a step needs, for the worker that holds the operation."""
    if _step(operation, step).exists():
        sealed = vault.seal(plain, f"former:{step.pk}")
        Former.objects.update_or_create(step=step, defaults={"sealed": sealed})


def finish_step(operation: Operation, step: Step, status: Status, **values: Any) -> bool:
    """Ends a step; False when the claim was lost or it has ended, then nothing was written."""
    rows = _step(operation, step).filter(status__in=ACTIVE)
    return bool(rows.update(status=status, finished=Now(), **values))


def leave_steps(operation: Operation, reason: str) -> None:
    """Ends what an operation that has ended left open: what was begun and what never was."""
    rows = Step.objects.filter(operation=operation)
    begun = rows.filter(status=Status.RUNNING)
    if reason:
        begun.update(status=Status.FAILED, words=reason, facts={}, finished=Now())
    else:
        begun.update(status=Status.CANCELLED, finished=Now())
    rows.filter(status=Status.QUEUED).update(status=Status.CANCELLED, finished=Now())


def places(operation: Operation) -> dict[Any, set[str]]:
    """The clusters, and the namespaces of each, in which it does something."""
    if operation.cluster_id is not None and operation.target:
        return {operation.cluster_id: {operation.namespace}}
    found: dict[Any, set[str]] = {}
    rows = Step.objects.filter(operation=operation).order_by()
    for cluster, namespace in rows.values_list("cluster_id", "namespace").distinct():
        found.setdefault(cluster, set()).add(namespace)
    return found
