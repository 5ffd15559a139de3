"""Asking for work and for its end."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from clusters.models import Cluster
from operations import executor, store, tasks
from operations.models import ACTIVE, Operation, Status, Step
from teams import audit
from teams.models import User
from teams.roles import Level


class Held(Exception):
    """Another operation holds the target; `operation` is that one."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(f"{operation} is {operation.status}")
        self.operation = operation


class KeyReused(Exception):
    """The person has called another request by this key."""


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
    made = _operation(kind, by, cluster=place.cluster, namespace=place.namespace)
    made.target = place.target
    return _queued(made, payload, by, told, [])


@dataclass(frozen=True)
class Steps:
    """Work on objects: a step for each, in this order. `key` is what the person calls it."""

    kind: str
    steps: Sequence[Step] = field(repr=False)
    payload: bytes = field(repr=False)
    key: str = ""


def request_steps(wanted: Steps, *, by: User, told: dict[str, Any] | None = None) -> Operation:
    """Queues work on objects; asked again under its key, it is the work that was queued then.

    Raises PermissionDenied where the right on any of them is missing, Held while another operation
    works on the only one, and KeyReused.
    """
    rights = {
        (step.cluster_id, "" if step.whole else step.namespace, step.needs): step
        for step in wanted.steps
    }
    for step in rights.values():
        executor.require(by, step)
    if (before := _of_key(wanted, by)) is not None:
        return before
    made = _operation(wanted.kind, by, key=wanted.key)
    clusters = {step.cluster_id for step in wanted.steps}
    if len(clusters) == 1:
        made.cluster = wanted.steps[0].cluster
    if len(wanted.steps) == 1:
        (only,) = wanted.steps
        made.namespace, made.target = only.namespace, f"{only.kind}/{only.name}"
    try:
        return _queued(made, wanted.payload, by, told, wanted.steps)
    except Held:
        # Of two at once under one key, the second finds what the first has queued.
        if (before := _of_key(wanted, by)) is not None:
            return before
        raise


def _of_key(wanted: Steps, by: User) -> Operation | None:
    """What this person has asked for under the key; KeyReused for something else."""
    if not wanted.key:
        return None
    found = Operation.objects.filter(requested_by=by, key=wanted.key).first()
    if found is not None and (found.kind, found.unseal()) != (wanted.kind, wanted.payload):
        raise KeyReused
    return found


def _operation(kind: str, by: User, **values: Any) -> Operation:
    return Operation(
        kind=kind,
        requested_by=by,
        level=by.reach.level if by.reach else Level.ADMIN,
        token=by.token.pk if by.token else None,
        **values,
    )


def _queued(
    operation: Operation,
    payload: bytes,
    by: User,
    told: dict[str, Any] | None,
    steps: Sequence[Step],
    *,
    again: bool = False,
) -> Operation:
    """Stores the work with its steps; the message follows the commit."""
    operation.seal(payload)
    try:
        with transaction.atomic():
            operation.save(force_insert=True)
            for position, step in enumerate(steps):
                step.operation, step.position = operation, position
            Step.objects.bulk_create(steps)
            audit.record(by, operation.kind, operation, after=told)
            if len(steps) > 1:
                for step in steps:
                    audit.record(by, operation.kind, executor.named(step), after=told)
            executor.tell(operation)
            # Where the message cannot be sent now, the sweep sends it: the row is the truth.
            transaction.on_commit(lambda: tasks.run_operation.delay(str(operation.pk)), robust=True)
    except IntegrityError as error:
        if (holder := _holder(operation)) is not None:
            raise Held(holder) from error
        if again:
            raise
        # It ended in between: the caller may simply ask again.
        return _queued(operation, payload, by, told, steps, again=True)
    return operation


def _holder(operation: Operation) -> Operation | None:
    """What works on the same target, or was asked for under the same key."""
    same = Q(requested_by=operation.requested_by, key=operation.key) & ~Q(key="")
    place = Q(cluster=operation.cluster, namespace=operation.namespace, target=operation.target)
    working = place & Q(status__in=ACTIVE) & ~Q(target="")
    return Operation.objects.filter(same | working).first()


@transaction.atomic
def cancel(operation: Operation, *, by: User) -> Operation:
    """A queued one ends at once, a running one as soon as its worker has stopped it."""
    steps = list(operation.steps.select_related("cluster"))
    for step in {(step.cluster_id, step.namespace, step.needs): step for step in steps}.values():
        executor.require(by, step)
    if operation.cluster and not steps:
        executor.require_operate(by, operation.cluster, operation.namespace)
    rows = Operation.objects.filter(pk=operation.pk)
    ended = rows.filter(status=Status.QUEUED).update(status=Status.CANCELLED, finished=Now())
    if ended:
        store.leave_steps(operation, "")
    else:
        rows.filter(status=Status.RUNNING).update(cancel_requested=True)
    audit.record(by, "operation.cancel", operation)
    executor.tell(operation)
    operation.refresh_from_db()
    return operation
