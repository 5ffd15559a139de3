"""Work on many objects: each is a step with an end of its own, whatever becomes of the others."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_noop

from operations import store
from operations.executor import BROKEN, Cancelled, Failed, Job, named, require, tell
from operations.models import Status, Step
from teams import audit
from teams.trail import Result

NOT_ALLOWED = gettext_noop("Whoever asked for this may no longer do it.")
NOT_ALL = gettext_noop("Not everything was done: see what became of each object.")

log = logging.getLogger(__name__)


class StepFailed(Exception):
    """This object was not changed as it should; `words` with `facts` say why."""

    def __init__(self, words: str, facts: dict[str, Any] | None = None) -> None:
        super().__init__(words)
        self.words = words
        self.facts = facts or {}


@dataclass(frozen=True)
class Outcome:
    """What became of an object; `result` is what is kept of it: before, after, undo."""

    words: str
    facts: dict[str, Any]
    result: dict[str, Any]


class StepJob:
    """What the function of an act works with: one step of a job."""

    def __init__(self, job: Job, step: Step) -> None:
        self.job = job
        self.step = step
        self._said: dict[str, Any] = {}

    @property
    def stopped(self) -> threading.Event:
        return self.job.stopped

    def log(self, line: str) -> None:
        self.job.log(line, self.step)

    def tell(self, words: str, facts: dict[str, Any], done: int = 0, total: int = 0) -> None:
        """Says how far it is, to who looks at it."""
        values = {"words": words, "facts": facts, "done": done, "total": total}
        if values != self._said and store.tell_step(self.job.operation, self.step, **values):
            self._said = values
            tell(self.job.operation)

    def begin(self) -> None:
        """Takes the step, with the rights of now; Cancelled once the work must stop."""
        if self.job.cancelled() or not store.begin_step(self.job.operation, self.step):
            raise Cancelled
        user = self.job.operation.requested_by
        try:
            if user is None:
                raise PermissionDenied
            require(user, self.step)
        except PermissionDenied as error:
            raise StepFailed(NOT_ALLOWED) from error

    def attempt(self, does: Callable[["StepJob"], Outcome | None]) -> bool:
        """Whether the function succeeded or goes on (None); a failure is the end of the step."""
        try:
            done = does(self)
        except StepFailed as error:
            self.finish(Status.FAILED, error.words, error.facts)
            return False
        except Cancelled:
            raise
        except Exception:
            log.exception("a step of operation %s failed", self.job.operation.pk)
            self.finish(Status.FAILED, BROKEN, {})
            return False
        if done is not None:
            self.finish(Status.SUCCEEDED, done.words, done.facts, done.result)
        return True

    def finish(
        self,
        status: Status,
        words: str,
        facts: dict[str, Any],
        result: dict[str, Any] | None = None,
    ) -> None:
        """Stores the end of the step and notes it in the trail, once."""
        operation, kept = self.job.operation, result or {}
        values = {"words": words, "facts": facts, "result": kept}
        if not store.finish_step(operation, self.step, status, **values):
            return
        self.step.status, self.step.words, self.step.facts = status, words, facts
        said = self.step.told_in_english
        audit.record(
            operation.requested_by,
            f"{operation.kind}.{status}",
            named(self.step),
            result=Result.FAILED if status == Status.FAILED else Result.DONE,
            reason=said if status == Status.FAILED else "",
            before=kept.get("before"),
            after=kept.get("after"),
        )
        self.log(f"{self.step}: {said}")
        tell(operation)


def conclude(job: Job) -> None:
    """Raises Failed unless every step succeeded, Cancelled where the work was stopped."""
    if job.cancelled():
        raise Cancelled
    steps = Step.objects.filter(operation=job.operation)
    failed = list(steps.filter(status=Status.FAILED)[:2])
    job.result["succeeded"] = steps.filter(status=Status.SUCCEEDED).count()
    if failed:
        only = len(failed) == steps.count()
        raise Failed(failed[0].told_in_english if only else NOT_ALL)
