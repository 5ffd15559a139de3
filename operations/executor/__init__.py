"""Runs operations: claims one, does what its kind says, and stores how it truly ended."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_noop

from clusters import live
from clusters.models import Cluster, Namespace
from operations import store
from operations.models import LABELS, Operation, Status, Step, topic
from teams import access, audit
from teams.models import Token, User
from teams.roles import Action
from teams.trail import Named, Result

BEAT_SECONDS = 3.0
# Without a heartbeat for this long the work is ended, before the sweep takes it for lost
# (store.SILENCE) and has its release repaired beside it.
CUT_OFF_SECONDS = 20.0
# Lines of the log are stored and shown together for this long.
LOG_SECONDS = 0.1

BROKEN = gettext_noop("MCM failed here; its log has the details.")
LOST = gettext_noop("The worker that ran this died or lost the database.")

log = logging.getLogger(__name__)


class Failed(Exception):
    """The work did not succeed; `str(error)` says why and is safe to show."""


class Cancelled(Exception):
    """The work was stopped because somebody asked for it."""


@dataclass
class Job:
    """What the function of a kind works with."""

    operation: Operation
    stopped: threading.Event = field(default_factory=threading.Event)
    result: dict[str, object] = field(default_factory=dict)
    _lines: list[tuple[str, int | None]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    # When the last heartbeat that was stored began, by the monotonic clock.
    beaten: float = field(default_factory=time.monotonic)
    # Masks what of its input must not be told, in lines and in the reason of a failure.
    conceal: Callable[[str], str] = str
    # True once others may take this worker for dead.
    lost: bool = False

    def log(self, line: str, step: Step | None = None) -> None:
        """Adds a line to the live log; safe from any thread.

        One about a step is for who sees its object.
        """
        with self._lock:
            self._lines.append((self.conceal(line), step.pk if step else None))

    def cancelled(self) -> bool:
        """True once the work must stop: somebody asked for it, or the claim is lost."""
        # Looked up here, too: the thread that beats may hang with the database.
        if time.monotonic() - self.beaten > CUT_OFF_SECONDS:
            self.lost = True
            self.stopped.set()
        return self.stopped.is_set()

    def flush(self) -> None:
        with self._lock:
            lines, self._lines = self._lines, []
        if lines:
            store.append(self.operation, lines)
            tell(self.operation)


Work = Callable[[Job], None]
_works: dict[str, Work] = {}
_repairs: dict[str, Callable[[Operation], None]] = {}


def register(
    kind: str,
    label: Promise | str,
    work: Work,
    *,
    repair: Callable[[Operation], None] | None = None,
) -> None:
    """Names the function of a kind; `repair` is called when a worker died in the middle."""
    LABELS[kind] = label
    _works[kind] = work
    if repair is not None:
        _repairs[kind] = repair


def run(operation_id: str) -> None:
    """Claims and runs the operation; does nothing when it is not queued any more."""
    claimed = time.monotonic()
    operation = store.claim(operation_id, f"{socket.gethostname()}:{os.getpid()}")
    if operation is None:
        return
    tell(operation)
    job = Job(operation, beaten=claimed)
    ended = threading.Event()
    keeper = threading.Thread(target=_keep, args=(job, ended), daemon=True)
    keeper.start()
    try:
        status, error = _attempt(job)
    finally:
        ended.set()
        keeper.join()
    end(operation, status, error, job.result)


def _attempt(job: Job) -> tuple[Status, str]:
    """The outcome of the kind's function; nothing it raises escapes."""
    try:
        _check_rights(job.operation)
        _works[job.operation.kind](job)
    except Cancelled:
        return (Status.FAILED, LOST) if job.lost else (Status.CANCELLED, "")
    except Failed as error:
        return Status.FAILED, job.conceal(str(error))
    except Exception:
        log.exception("operation %s failed", job.operation.pk)
        return Status.FAILED, BROKEN
    return Status.SUCCEEDED, ""


def require_operate(user: User, cluster: Cluster, namespace: str) -> None:
    """Operating rights on the whole cluster or on this namespace, or PermissionDenied."""
    access.require(user, Action.OPERATE, cluster, cluster.namespaces.filter(name=namespace))


def require(user: User, step: Step) -> None:
    """The right that a step takes on its namespace or cluster, or PermissionDenied."""
    spaces = Namespace.objects.none()
    if not step.whole and step.namespace:
        spaces = step.cluster.namespaces.filter(name=step.namespace)
    access.require(user, Action(step.needs), step.cluster, spaces)


def named(step: Step) -> Named:
    """The object of a step, as the trail names it."""
    inside = f"{step.namespace}/" if step.namespace else ""
    return Named("clusters.object", step.uid, f"{step.kind} {inside}{step.name}", step.place)


def _check_rights(operation: Operation) -> None:
    """Rights may have gone while it waited in the queue."""
    try:
        if operation.requested_by is None or not operation.requested_by.is_active:
            raise PermissionDenied
        if operation.token is not None:
            _check_token(operation.token)
        # Of work on objects each step is checked when its turn comes.
        if operation.cluster and not operation.steps.exists():
            require_operate(operation.requested_by, operation.cluster, operation.namespace)
    except PermissionDenied as error:
        raise Failed("Whoever asked for this may no longer do it.") from error


def _check_token(key: UUID) -> None:
    found = Token.objects.filter(pk=key).first()
    if found is None or found.is_over:
        raise PermissionDenied


def _keep(job: Job, ended: threading.Event) -> None:
    """Beats and stores the log beside the work, in its own thread and connection."""
    next_beat = 0.0
    try:
        while not ended.wait(LOG_SECONDS):
            if time.monotonic() >= next_beat:
                next_beat = time.monotonic() + BEAT_SECONDS
                _keep_on(job, lambda: _beat(job))
            _keep_on(job, job.flush)
            job.cancelled()
        _keep_on(job, job.flush)
    finally:
        connection.close()


def _beat(job: Job) -> None:
    began = time.monotonic()
    if not store.beat(job.operation):
        job.stopped.set()
    job.beaten = began


def _keep_on(job: Job, step: Callable[[], None]) -> None:
    """A step that fails (the database is away, the cluster was deleted) is tried again later."""
    try:
        step()
    except Exception:
        log.exception("no heartbeat or log for operation %s", job.operation.pk)
        connection.close()


def end(operation: Operation, status: Status, error: str, result: dict[str, object]) -> bool:
    """Stores the end, audits it and tells the pages; False and nothing when the claim was lost."""
    if not store.finish(operation, status, error, result):
        return False
    store.leave_steps(operation, error)
    with audit.acting_for(operation):
        audit.record(
            operation.requested_by,
            f"{operation.kind}.{status}",
            operation,
            result=Result.FAILED if status == Status.FAILED else Result.DONE,
            reason=error,
            after=dict(result) or None,
        )
    tell(operation)
    return True


def tell(operation: Operation) -> None:
    """Pages that show this operation or the list of operations learn of the change."""
    for cluster, namespaces in store.places(operation).items():
        keys = [(str(operation.pk), namespace) for namespace in sorted(namespaces)]
        live.publish_all(cluster, {topic(operation.pk): keys, "operations": keys})


def reap(operation: Operation) -> None:
    """Ends an operation whose worker has died, and asks for the repair of what it left behind.

    Both or, when the database fails in between, nothing: then the next sweep finds it again.
    """
    try:
        with transaction.atomic():
            if end(operation, Status.FAILED, LOST, {}):
                _ask_for_repair(operation)
    except DatabaseError:
        # The other lost ones are waiting for their end.
        log.exception("operation %s was not ended", operation.pk)


def _ask_for_repair(operation: Operation) -> None:
    repair = _repairs.get(operation.kind)
    if repair is None:
        return
    try:
        with transaction.atomic():
            repair(operation)
    except DatabaseError:
        raise
    except Exception:
        # Trying again would not help (nobody may repair it any more): it must end all the same.
        log.exception("the repair after operation %s was not asked for", operation.pk)
