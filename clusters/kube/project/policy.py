"""Autoscalers, disruption budgets and quotas; their columns follow `kubectl get`."""

from itertools import islice
from typing import Any

from clusters.kube import quantity
from clusters.kube.project.base import (
    TERMINATING,
    condition,
    count,
    facts,
    is_deleted,
    row,
    shared,
)
from clusters.kube.types import Health, Row

MOST_RESOURCES = 64
SYNC_FAILED = "SyncFailed"


def autoscaler_row(found: Any) -> Row:
    """The row of a HorizontalPodAutoscaler message; ValueError as for pods."""
    spec, state = found.spec, found.status
    status, health, since = _autoscaler_status(found)
    target = spec.scaleTargetRef
    return row(
        "HorizontalPodAutoscaler",
        found.metadata,
        status=status,
        health=health,
        counts=(count(state.currentReplicas), count(state.desiredReplicas), 0),
        since=since,
        facts=facts(
            target=f"{target.kind}/{target.name}",
            min=str(spec.minReplicas) if spec.HasField("minReplicas") else "",
            max=str(spec.maxReplicas),
            current=str(state.currentReplicas),
            desired=str(state.desiredReplicas),
        ),
    )


def _autoscaler_status(found: Any) -> tuple[str, Health, int]:
    if is_deleted(found.metadata):
        return TERMINATING, "progressing", 0
    conditions = found.status.conditions
    for kind in ("AbleToScale", "ScalingActive"):
        one = condition(conditions, kind)
        if one is not None and one.status != "True":
            # Its target is scaled to zero on purpose.
            health: Health = "idle" if one.reason == "ScalingDisabled" else "degraded"
            return shared(one.reason) or f"Not{kind}", health, one.lastTransitionTime.seconds
    limited = condition(conditions, "ScalingLimited")
    if limited is not None and limited.status == "True" and limited.reason == "TooManyReplicas":
        return "TooManyReplicas", "degraded", limited.lastTransitionTime.seconds
    active = condition(conditions, "ScalingActive")
    if active is None:
        return "Pending", "progressing", 0
    return "Active", "healthy", active.lastTransitionTime.seconds


def budget_row(found: Any) -> Row:
    """The row of a PodDisruptionBudget message; ValueError as for pods."""
    spec, state = found.spec, found.status
    status, health = _budget_status(found)
    changed = condition(state.conditions, "DisruptionAllowed")
    return row(
        "PodDisruptionBudget",
        found.metadata,
        status=status,
        health=health,
        counts=(count(state.currentHealthy), count(state.desiredHealthy), 0),
        since=0 if changed is None else changed.lastTransitionTime.seconds,
        facts=facts(
            minAvailable=_int_or_string(spec.minAvailable) if spec.HasField("minAvailable") else "",
            maxUnavailable=(
                _int_or_string(spec.maxUnavailable) if spec.HasField("maxUnavailable") else ""
            ),
            allowed=str(state.disruptionsAllowed),
        ),
    )


def _budget_status(found: Any) -> tuple[str, Health]:
    state = found.status
    if is_deleted(found.metadata):
        return TERMINATING, "progressing"
    changed = condition(state.conditions, "DisruptionAllowed")
    if changed is not None and changed.reason == SYNC_FAILED:
        return SYNC_FAILED, "degraded"  # e.g. it selects pods of owners that cannot be scaled
    if not state.expectedPods:
        return "NoPods", "idle"
    if state.currentHealthy < state.desiredHealthy:
        return "Insufficient", "degraded"
    return ("Allowing", "healthy") if state.disruptionsAllowed > 0 else ("Blocking", "healthy")


def _int_or_string(value: Any) -> str:
    return str(value.strVal) if value.type == 1 else str(value.intVal)


def quota_row(found: Any) -> Row:
    """The row of a ResourceQuota message; ValueError as for pods."""
    used = {each.key: each.value.string for each in found.status.used}
    hard = {each.key: each.value.string for each in islice(found.status.hard, MOST_RESOURCES)}
    exhausted = any(
        0 < quantity.millis(limit) <= quantity.millis(used.get(name, ""))
        for name, limit in hard.items()
    )
    status = "Exhausted" if exhausted else "WithinLimits"
    health: Health = "degraded" if exhausted else "healthy"
    if is_deleted(found.metadata):
        status, health = TERMINATING, "progressing"
    return row(
        "ResourceQuota",
        found.metadata,
        status=status,
        health=health,
        facts={
            shared(name): shared(f"{used.get(name, '0')}/{limit}") for name, limit in hard.items()
        },
    )
