"""Jobs and CronJobs. The STATUS and COMPLETIONS of a Job follow `printJob` of Kubernetes 1.37."""

from datetime import UTC, datetime
from typing import Any

from clusters.kube.project.base import (
    LATEST,
    TERMINATING,
    condition,
    count,
    facts,
    is_deleted,
    row,
    template_images,
)
from clusters.kube.types import Health, Row

# The first of these that is True, in this order; before the fourth comes the deletion.
ENDED = ("Complete", "Failed")
UNDER_WAY = ("Suspended", "FailureTarget", "SuccessCriteriaMet")
HEALTH: dict[str, Health] = {
    "Complete": "idle",
    "Failed": "failing",
    "Suspended": "idle",
    "FailureTarget": "failing",
}


def job_row(job: Any) -> Row:
    """The row of a Job message; ValueError as for pods."""
    status, since = _job_status(job)
    health = HEALTH.get(status, "progressing")
    if status == "Running" and job.status.failed > 0:
        health = "degraded"  # it tries again
    return row(
        "Job",
        job.metadata,
        status=status,
        health=health,
        counts=(count(job.status.succeeded), count(_completions(job.spec)), 0),
        images=template_images(job.spec.template),
        since=since,
        facts=facts(completions=_printed_completions(job)),
    )


def _job_status(job: Any) -> tuple[str, int]:
    conditions = job.status.conditions
    words: tuple[str, ...] = (*ENDED, *UNDER_WAY)
    for word in words:
        if word == UNDER_WAY[0] and is_deleted(job.metadata):
            return TERMINATING, 0
        found = condition(conditions, word)
        if found is not None and found.status == "True":
            return word, found.lastTransitionTime.seconds
    return "Running", job.status.startTime.seconds


def _completions(spec: Any) -> int:
    # A work queue Job names no completions: one success ends it.
    return int(spec.completions) if spec.HasField("completions") else 1


def _printed_completions(job: Any) -> str:
    spec, succeeded = job.spec, job.status.succeeded
    if spec.HasField("completions") or spec.parallelism <= 1:
        return f"{succeeded}/{_completions(spec)}"
    return f"{succeeded}/1 of {spec.parallelism}"


def cron_job_row(found: Any) -> Row:
    """The row of a CronJob message; ValueError as for pods."""
    spec, active = found.spec, len(found.status.active)
    status, health = _cron_job_status(found, active)
    last = found.status.lastScheduleTime.seconds
    return row(
        "CronJob",
        found.metadata,
        status=status,
        health=health,
        images=template_images(spec.jobTemplate.spec.template),
        facts=facts(
            schedule=spec.schedule,
            suspended="true" if spec.suspend else "",
            active=str(active),
            lastSchedule=_iso(last) if 0 < last <= LATEST else "",
        ),
    )


def _cron_job_status(found: Any, active: int) -> tuple[str, Health]:
    if is_deleted(found.metadata):
        return TERMINATING, "progressing"
    if found.spec.suspend:
        return "Suspended", "idle"
    return ("Active", "progressing") if active else ("Scheduled", "healthy")


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
