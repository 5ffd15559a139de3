"""Deployments, StatefulSets, DaemonSets and ReplicaSets.

`kubectl get` prints counts for them and no STATUS; the words here say what the counts and the
conditions mean, and agree with `kubectl rollout status`.
"""

from typing import Any, NamedTuple

from clusters.kube.project.base import (
    TERMINATING,
    annotation,
    condition,
    count,
    facts,
    is_deleted,
    row,
    template_images,
)
from clusters.kube.types import Health, Row

REVISION = "deployment.kubernetes.io/revision"
DEADLINE = "ProgressDeadlineExceeded"
FAILURE = "ReplicaFailure"


class _State(NamedTuple):
    """The word, what it means, and since when (0: the object does not say)."""

    status: str
    health: Health
    since: int = 0


AVAILABLE = _State("Available", "healthy")
UNAVAILABLE = _State("Unavailable", "degraded")
PROGRESSING = _State("Progressing", "progressing")
SCALED_DOWN = _State("ScaledDown", "idle")
NO_NODES = _State("NoNodes", "idle")
DELETED = _State(TERMINATING, "progressing")


def deployment_row(found: Any) -> Row:
    """The row of a Deployment message; ValueError as for pods."""
    paused = "true" if found.spec.paused else ""
    revision = annotation(found.metadata, REVISION)
    counts = (found.status.readyReplicas, _replicas(found.spec))
    state = _deployment(found, counts[1])
    return _row("Deployment", found, state, counts, facts(revision=revision, paused=paused))


def _deployment(found: Any, wanted: int) -> _State:
    status = found.status
    if is_deleted(found.metadata):
        return DELETED
    if not _observed(found):
        return PROGRESSING
    progressing = condition(status.conditions, "Progressing")
    if progressing is not None and progressing.reason == DEADLINE:
        return _State(DEADLINE, "failing", _time(progressing))
    if found.spec.paused:
        enough = status.availableReplicas >= wanted
        return _State("Paused", "healthy" if enough else "degraded", _time(progressing))
    if (failure := _failure(status)) is not None:
        return failure
    if status.updatedReplicas < wanted or status.replicas > status.updatedReplicas:
        return PROGRESSING._replace(since=_time(progressing))
    return _rolled_out(status, wanted, progressing) if wanted else SCALED_DOWN


def _rolled_out(status: Any, wanted: int, progressing: Any | None) -> _State:
    """All pods are there and new; whether they are available."""
    available = condition(status.conditions, "Available")
    if status.availableReplicas >= wanted:
        return AVAILABLE._replace(since=_time(available))
    # The rollout is still under way, or it was complete and pods have failed since.
    if progressing is not None and progressing.reason == "ReplicaSetUpdated":
        return PROGRESSING._replace(since=_time(progressing))
    return UNAVAILABLE._replace(since=_time(available))


def stateful_set_row(found: Any) -> Row:
    """The row of a StatefulSet message; ValueError as for pods."""
    counts = (found.status.readyReplicas, _replicas(found.spec))
    return _row("StatefulSet", found, _stateful_set(found, counts[1]), counts)


def _stateful_set(found: Any, wanted: int) -> _State:
    status, strategy = found.status, found.spec.updateStrategy
    if is_deleted(found.metadata):
        return DELETED
    if not _observed(found) or status.replicas != wanted:
        return PROGRESSING
    if not wanted:
        return SCALED_DOWN
    held = strategy.type == "OnDelete" or strategy.rollingUpdate.partition
    if status.updateRevision != status.currentRevision and not held:
        return PROGRESSING
    return UNAVAILABLE if status.availableReplicas < wanted else AVAILABLE


def daemon_set_row(found: Any) -> Row:
    """The row of a DaemonSet message; ValueError as for pods."""
    status = found.status
    return _row(
        "DaemonSet", found, _daemon_set(found), (status.numberReady, status.desiredNumberScheduled)
    )


def _daemon_set(found: Any) -> _State:
    status, wanted = found.status, found.status.desiredNumberScheduled
    if is_deleted(found.metadata):
        return DELETED
    if not _observed(found):
        return PROGRESSING
    if not wanted:
        return NO_NODES
    on_delete = found.spec.updateStrategy.type == "OnDelete"
    if status.updatedNumberScheduled < wanted and not on_delete:
        return PROGRESSING
    return UNAVAILABLE if status.numberAvailable < wanted else AVAILABLE


def replica_set_row(found: Any) -> Row:
    """The row of a ReplicaSet message; ValueError as for pods."""
    counts = (found.status.readyReplicas, _replicas(found.spec))
    revision = annotation(found.metadata, REVISION)
    return _row(
        "ReplicaSet", found, _replica_set(found, counts[1]), counts, facts(revision=revision)
    )


def _replica_set(found: Any, wanted: int) -> _State:
    status = found.status
    if is_deleted(found.metadata):
        return DELETED
    if (failure := _failure(status)) is not None:
        return failure
    if not _observed(found) or status.replicas != wanted:
        return PROGRESSING
    if not wanted:
        return SCALED_DOWN
    return UNAVAILABLE if status.availableReplicas < wanted else AVAILABLE


def _failure(status: Any) -> _State | None:
    """Pods cannot be made, e.g. because of a quota."""
    failure = condition(status.conditions, FAILURE)
    if failure is None or failure.status != "True":
        return None
    health: Health = "degraded" if status.availableReplicas else "failing"
    return _State(FAILURE, health, _time(failure))


def _row(
    kind: str,
    found: Any,
    state: _State,
    counts: tuple[int, int],
    values: dict[str, str] | None = None,
) -> Row:
    ready, wanted = counts
    return row(
        kind,
        found.metadata,
        status=state.status,
        health=state.health,
        counts=(count(ready), count(wanted), 0),
        images=template_images(found.spec.template),
        since=state.since,
        facts=facts() if values is None else values,
    )


def _replicas(spec: Any) -> int:
    return int(spec.replicas) if spec.HasField("replicas") else 1


def _observed(found: Any) -> bool:
    """Whether the controller has seen the newest spec."""
    return bool(found.status.observedGeneration >= found.metadata.generation)


def _time(found: Any | None) -> int:
    return 0 if found is None else int(found.lastTransitionTime.seconds)
