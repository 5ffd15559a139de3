"""Does to objects what was asked for: each as the person, and as the one that was seen."""

import time
from collections.abc import Callable
from typing import Any

import msgspec
from django.utils.translation import gettext_noop

from clusters.kube.acting import (
    applying,
    drain,
    editing,
    jobs,
    nodes,
    notes,
    removing,
    revisions,
    workloads,
)
from clusters.kube.acting.drain import Progress
from clusters.kube.acting.target import Did, Target
from clusters.kube.client import Client
from clusters.kube.errors import KubeError, NotFound
from clusters.kube.workloads import PATHS
from explorer.executor.sessions import Sessions, facts
from operations.executor import Cancelled, Job
from operations.executor.steps import Outcome, StepFailed, StepJob, conclude
from operations.models import Status
from operations.store import keep_former, tell_step
from teams import audit

# Seconds between two looks at rollouts that were begun.
LOOK_SECONDS = 1.0
# So long a rollout is waited for, unless told otherwise.
PATIENCE = 300

READY = gettext_noop("%(did)s All %(wanted)s pods are ready.")
GOING = gettext_noop("%(did)s %(reason)s")
TOO_LATE = gettext_noop("%(did)s After %(seconds)s s it is not complete: %(reason)s")
DRAINING = gettext_noop("%(gone)s of %(all)s pods have left.")
WAITING = gettext_noop("%(gone)s of %(all)s pods have left. %(pod)s: %(reason)s")

Arguments = dict[str, Any]


class Item(msgspec.Struct, frozen=True):
    """What a step needs beside its row: where its kind is, and the arguments of the act."""

    path: str
    arguments: Arguments = {}
    # The resourceVersion that the object must still have, "" for any.
    version: str = ""


class Given(msgspec.Struct, frozen=True):
    """The sealed input: an item for each step, in their order."""

    items: list[Item]


# All but draining, which goes on in parts.
_ACTS: dict[str, Callable[[Client, Target, Arguments], Did]] = {
    "scale": lambda client, target, given: workloads.scale(
        client, target, given["replicas"], given.get("seen")
    ),
    "restart": lambda client, target, _given: workloads.restart(client, target),
    "pause": lambda client, target, _given: workloads.pause(client, target),
    "resume": lambda client, target, _given: workloads.resume(client, target),
    "rollback": lambda client, target, given: revisions.rollback(
        client, target, given.get("revision") or 0
    ),
    "suspend": lambda client, target, _given: jobs.suspend(client, target),
    "unsuspend": lambda client, target, _given: jobs.unsuspend(client, target),
    "trigger": lambda client, target, given: jobs.trigger(client, target, given["key"]),
    "cordon": lambda client, target, _given: nodes.cordon(client, target),
    "uncordon": lambda client, target, _given: nodes.uncordon(client, target),
    "evict": lambda client, target, given: removing.evict(client, target, grace=given.get("grace")),
    "label": lambda client, target, given: notes.label(client, target, given["changes"]),
    "annotate": lambda client, target, given: notes.annotate(client, target, given["changes"]),
    "delete": lambda client, target, given: removing.delete(
        client, target, orphan=given.get("orphan", False), force=given.get("force", False)
    ),
}
# Of YAML, by pages of their own.
_WRITTEN: dict[str, Callable[[Client, Target, Arguments], Did]] = {
    "edit": lambda client, target, given: editing.replace(
        client, target, given["base"], given["wanted"], given["version"]
    ),
    "revert": lambda client, target, given: editing.revert(
        client, target, given["former"], given["left"]
    ),
    "apply": lambda client, target, given: applying.apply(
        client, target, given["object"], force=given["force"]
    ),
}
# After these pods are made; the step ends when they are ready.
_FOLLOWED = frozenset(("scale", "restart", "rollback"))


class Rollout:
    """A rollout that a step has begun and that is followed to its end."""

    def __init__(self, step: StepJob, did: Did, patience: float) -> None:
        self.step = step
        self.did = did
        self.patience = patience
        self.ends = time.monotonic() + patience

    def look(self, client: Client) -> bool:
        """Whether it has ended; stores how, or how far it is."""
        row = self.step.step
        state = client.workload_state(row.kind, row.namespace, row.name)
        told: Arguments = {"did": {"words": self.did.words, "facts": self.did.facts}}
        told |= {"reason": {"words": state.reason, "facts": {}}}
        if state.done:
            told = {"did": told["did"], "wanted": state.wanted}
            self.step.finish(Status.SUCCEEDED, READY, told, kept(self.did))
        elif state.failed:
            self.step.finish(Status.FAILED, GOING, told, kept(self.did))
        elif self.late:
            told |= {"seconds": int(self.patience)}
            self.step.finish(Status.FAILED, TOO_LATE, told, kept(self.did))
        else:
            self.step.tell(GOING, told, min(state.ready, state.wanted), state.wanted)
        return state.done or state.failed or self.late

    @property
    def late(self) -> bool:
        return time.monotonic() >= self.ends


def run(job: Job) -> None:
    """Each step in its turn; what was begun with the pods of workloads is followed at the end."""
    act = job.operation.kind.removeprefix("object.")
    given = msgspec.json.decode(job.operation.unseal(), type=Given)
    steps = job.operation.steps.select_related("cluster").order_by("position")
    with audit.acting_for(job.operation), Sessions(job.operation) as sessions:
        rollouts: list[Rollout] = []
        for row in steps:
            item = given.items[row.position]
            step = StepJob(job, row)

            def does(step: StepJob, item: Item = item) -> Outcome | None:
                return _do(act, step, item, sessions, rollouts)

            step.attempt(does)
        _follow(job, rollouts, sessions)
    conclude(job)


def _do(
    act: str, step: StepJob, item: Item, sessions: Sessions, rollouts: list[Rollout]
) -> Outcome | None:
    step.begin()
    row = step.step
    client = sessions.of(row.cluster)
    target = Target(row.kind, item.path, row.namespace, row.name, row.uid, item.version)
    given = item.arguments | {"key": step.job.operation.pk.hex}
    try:
        did = _drain(step, client, target, given) if act == "drain" else None
        did = did or (_ACTS | _WRITTEN)[act](client, target, given)
    except KubeError as error:
        raise sessions.explain(error, row.cluster) from error
    if did.former:
        keep_former(step.job.operation, row, msgspec.json.encode(did.former))
    wait = given.get("wait", True) and act in _FOLLOWED and row.kind in PATHS
    if wait and did.after:
        # What takes it back is known from now on, even if this worker dies.
        tell_step(step.job.operation, row, result=kept(did))
        rollouts.append(Rollout(step, did, given.get("timeout", PATIENCE)))
        return None
    if act == "drain" and step.stopped.is_set():
        step.finish(Status.CANCELLED, did.words, did.facts, kept(did))
        raise Cancelled
    return Outcome(did.words, did.facts, kept(did))


def _drain(step: StepJob, client: Client, target: Target, given: Arguments) -> Did:
    def tell(progress: Progress) -> None:
        told: Arguments = {"gone": progress.gone, "all": progress.all}
        words = DRAINING
        for pod, why in sorted(progress.waiting.items())[:1]:
            words = WAITING
            told |= {"pod": pod, "reason": {"words": why.words, "facts": facts(why)}}
        step.tell(words, told, progress.gone, progress.all)

    options = msgspec.convert(given, drain.Options)
    return drain.drain(client, target, options, tell=tell, log=step.log, stopped=step.stopped)


def _follow(job: Job, rollouts: list[Rollout], sessions: Sessions) -> None:
    """Looks at all rollouts again and again until each has ended."""
    while rollouts:
        if job.cancelled():
            raise Cancelled
        silent: set[Any] = set()
        rollouts = [one for one in rollouts if not _has_ended(one, sessions, silent)]
        job.stopped.wait(LOOK_SECONDS if rollouts else 0)


def _has_ended(rollout: Rollout, sessions: Sessions, silent: set[Any]) -> bool:
    """A cluster that does not answer may come back in time; once a round is asked for it."""
    step, cluster = rollout.step, rollout.step.step.cluster
    if cluster.pk in silent and not rollout.late:
        return False
    try:
        return rollout.look(sessions.of(cluster))
    except (KubeError, StepFailed) as error:
        silent.add(cluster.pk)
        if not (rollout.late or isinstance(error, NotFound | StepFailed)):
            return False
        why = error if isinstance(error, StepFailed) else sessions.explain(error, cluster)
        step.finish(Status.FAILED, why.words, why.facts, kept(rollout.did))
        return True


def kept(did: Did) -> dict[str, Any]:
    """What is kept of an act with its step."""
    return {"before": did.before, "after": did.after, "undo": did.undo}
