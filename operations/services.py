"""Asking for work and for its end."""

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from clusters.models import Cluster
from operations import executor, tasks
from operations.models import ACTIVE, Operation, Status
from teams import audit
from teams.models import User
from teams.roles import Level


class Held(Exception):
    """Another operation holds the target; `operation` is that one."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(f"{operation} is {operation.status}")
        self.operation = operation


@dataclass(frozen=True)
class Place:
    """What the work is done on."""

    cluster: Cluster
    namespace: str
    target: str


def request(
    kind: str, place: Place, payload: bytes, *, by: User, told: dict[str, Any] | None = None
) -> Operation:
    """Queues work. Raises PermissionDenied, and Held while another holds the target.

    `told` is what the audit trail says of the sealed input; secrets in it are masked there.
    """
    executor.require_operate(by, place.cluster, place.namespace)
    operation = Operation(
        kind=kind,
        cluster=place.cluster,
        namespace=place.namespace,
        target=place.target,
        requested_by=by,
        level=by.reach.level if by.reach else Level.ADMIN,
        token=by.token.pk if by.token else None,
    )
    operation.seal(payload)
    try:
        with transaction.atomic():
            operation.save(force_insert=True)
            audit.record(by, kind, operation, after=told)
            executor.tell(operation)
            # Where the message cannot be sent now, the sweep sends it: the row is the truth.
            transaction.on_commit(lambda: tasks.run_operation.delay(str(operation.pk)), robust=True)
    except IntegrityError as error:
        holder = Operation.objects.filter(
            cluster=place.cluster,
            namespace=place.namespace,
            target=place.target,
            status__in=ACTIVE,
        ).first()
        if holder is None:  # it ended in between: the caller may simply ask again
            return request(kind, place, payload, by=by, told=told)
        raise Held(holder) from error
    return operation


@transaction.atomic
def cancel(operation: Operation, *, by: User) -> Operation:
    """A queued one ends at once, a running one as soon as its worker has stopped it."""
    executor.require_operate(by, operation.cluster, operation.namespace)
    rows = Operation.objects.filter(pk=operation.pk)
    ended = rows.filter(status=Status.QUEUED).update(status=Status.CANCELLED, finished=Now())
    if not ended:
        rows.filter(status=Status.RUNNING).update(cancel_requested=True)
    audit.record(by, "operation.cancel", operation)
    executor.tell(operation)
    operation.refresh_from_db()
    return operation
