"""How far a rollout is, from the JSON of the API server.

The judgement of `kubectl rollout status` (k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go),
and the same kind of sentence for Jobs, which it does not know.
"""

import msgspec

from clusters.kube import errors
from clusters.kube.objects import Condition, Metadata, Part, decode
from clusters.kube.types import WorkloadState

PATHS = {
    "Deployment": "/apis/apps/v1/deployments",
    "StatefulSet": "/apis/apps/v1/statefulsets",
    "DaemonSet": "/apis/apps/v1/daemonsets",
    "Job": "/apis/batch/v1/jobs",
}


class _RollingUpdate(Part):
    partition: int | None = None


class _Strategy(Part):
    type: str = ""
    rolling_update: _RollingUpdate | None = None


class _Spec(Part):
    replicas: int | None = None
    completions: int | None = None
    suspend: bool = False
    update_strategy: _Strategy = msgspec.field(default_factory=_Strategy)


class _Status(Part):
    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    updated_replicas: int = 0
    available_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""
    desired_number_scheduled: int = 0
    updated_number_scheduled: int = 0
    number_ready: int = 0
    number_available: int = 0
    succeeded: int = 0
    conditions: list[Condition] = []


class _Workload(Part):
    metadata: Metadata
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _Status = msgspec.field(default_factory=_Status)


class _Judgement(msgspec.Struct):
    reason: str = ""
    failed: bool = False


def state(kind: str, namespace: str, name: str, body: bytes) -> WorkloadState:
    """The state of one workload; BadAnswer when `body` is not one."""
    found = decode(body, _Workload)
    ready, wanted, updated = _counts(kind, found)
    seen = found.status.observed_generation >= found.metadata.generation
    observed = kind == "Job" or (seen and found.status.observed_generation > 0)
    judged = _Judgement("The controller has not seen the newest spec yet.")
    if observed:
        judged = JUDGES[kind](found)
    return WorkloadState(
        kind=kind,
        namespace=namespace,
        name=name,
        ready=ready,
        wanted=wanted,
        updated=updated,
        observed=observed,
        done=not judged.reason,
        failed=judged.failed,
        reason=errors.safe_text(judged.reason),
    )


def _counts(kind: str, found: _Workload) -> tuple[int, int, int]:
    spec, status = found.spec, found.status
    if kind == "DaemonSet":
        return (
            status.number_ready,
            status.desired_number_scheduled,
            status.updated_number_scheduled,
        )
    if kind == "Job":
        return status.succeeded, _completions(spec), status.succeeded
    return status.ready_replicas, _replicas(spec), status.updated_replicas


def _replicas(spec: _Spec) -> int:
    return 1 if spec.replicas is None else spec.replicas


def _completions(spec: _Spec) -> int:
    # A work queue Job names no completions: one success ends it.
    return 1 if spec.completions is None else spec.completions


def _deployment(found: _Workload) -> _Judgement:
    status, wanted = found.status, _replicas(found.spec)
    for condition in status.conditions:
        if condition.type == "Progressing" and condition.reason == "ProgressDeadlineExceeded":
            return _Judgement(condition.message or "It exceeded its progress deadline.", True)
    if status.updated_replicas < wanted:
        return _Judgement(f"{status.updated_replicas} of {wanted} new replicas have been updated.")
    if status.replicas > status.updated_replicas:
        old = status.replicas - status.updated_replicas
        return _Judgement(f"{old} old replicas are pending termination.")
    if status.available_replicas < status.updated_replicas:
        updated, available = status.updated_replicas, status.available_replicas
        return _Judgement(f"{available} of {updated} updated replicas are available.")
    return _Judgement()


def _stateful_set(found: _Workload) -> _Judgement:
    spec, status, wanted = found.spec, found.status, _replicas(found.spec)
    strategy = spec.update_strategy
    if strategy.type == "OnDelete":
        return _Judgement()
    if status.ready_replicas < wanted:
        return _Judgement(f"Waiting for {wanted - status.ready_replicas} pods to be ready.")
    partition = strategy.rolling_update.partition if strategy.rolling_update else None
    if partition:
        target = wanted - partition
        if status.updated_replicas < target:
            return _Judgement(f"{status.updated_replicas} of {target} new pods have been updated.")
        return _Judgement()
    if status.update_revision != status.current_revision:
        return _Judgement(f"{status.updated_replicas} of {wanted} pods have the new revision.")
    return _Judgement()


def _daemon_set(found: _Workload) -> _Judgement:
    status = found.status
    wanted, updated = status.desired_number_scheduled, status.updated_number_scheduled
    if found.spec.update_strategy.type == "OnDelete":
        return _Judgement()
    if updated < wanted:
        return _Judgement(f"{updated} of {wanted} new pods have been updated.")
    if status.number_available < wanted:
        return _Judgement(f"{status.number_available} of {wanted} updated pods are available.")
    return _Judgement()


def _job(found: _Workload) -> _Judgement:
    for condition in found.status.conditions:
        if condition.status == "True" and condition.type == "Complete":
            return _Judgement()
        if condition.status == "True" and condition.type == "Failed":
            return _Judgement(condition.message or condition.reason or "The Job failed.", True)
    if found.spec.suspend:
        return _Judgement("The Job is suspended.")
    wanted = _completions(found.spec)
    return _Judgement(f"{found.status.succeeded} of {wanted} completions have succeeded.")


JUDGES = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
}
