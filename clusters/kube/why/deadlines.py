"""What took too long or failed too often: pods, Jobs, CronJobs and rollouts; what stands still."""

from collections.abc import Iterator

from clusters.kube.errors import sentence
from clusters.kube.why.around import Around
from clusters.kube.why.cause import ENDED, WAITING, Cause, Saying, cause, evidence
from clusters.kube.why.parts import about, find, is_true
from clusters.kube.why.pod import Pod
from clusters.kube.why.workloads import Workload

POD = Saying(
    "pod_deadline",
    ENDED,
    sentence("The pod ran longer than it may (activeDeadlineSeconds: %(deadline)s) and was ended."),
    sentence("Raise activeDeadlineSeconds, or find out why the work takes so long."),
)
JOB = Saying(
    "job_deadline",
    ENDED,
    sentence("The Job ran longer than it may (activeDeadlineSeconds: %(deadline)s) and was ended."),
    sentence("Raise activeDeadlineSeconds, or find out why the work takes so long."),
)
BACKOFF = Saying(
    "job_backoff_limit",
    WAITING,
    sentence("The Job gave up: its pods failed more often than backoffLimit (%(limit)s) allows."),
    sentence(
        "Look at why its pods fail, mend that, and run the Job again: a Job that failed"
        " does not start anew."
    ),
)
POLICY = Saying(
    "job_failure_policy",
    WAITING,
    sentence(
        "The Job was ended by its podFailurePolicy: one of its pods failed in a way that"
        " is not worth a retry."
    ),
    sentence("Look at that pod; its message stands beside this."),
)
INDEXES = Saying(
    "job_failed_indexes",
    WAITING,
    sentence("Some of the Job's indexes failed for good."),
    sentence("Look at the pods of these indexes."),
)
JOB_FAILED = Saying(
    "job_failed",
    WAITING,
    sentence("The Job failed (%(reason)s)."),
    sentence("Its condition beside this says why."),
)
ROLLOUT = Saying(
    "rollout_deadline",
    WAITING,
    sentence(
        "The rollout made no progress within %(deadline)s s (progressDeadlineSeconds):"
        " the new pods do not become ready."
    ),
    sentence(
        "Look at why the new pods are not ready; undo the rollout if the old version is needed now."
    ),
)
PAUSED = Saying(
    "rollout_paused",
    WAITING,
    sentence("The Deployment is paused: changes to it are not rolled out."),
    sentence("Resume it (kubectl rollout resume)."),
)
SUSPENDED = Saying(
    "suspended",
    WAITING,
    sentence("%(kind)s %(name)s is suspended: it starts nothing."),
    sentence("Resume it (suspend: false) when it is to run."),
)
MISSED = Saying(
    "cron_missed",
    WAITING,
    sentence("The CronJob missed its time: %(message)s"),
    sentence(
        "Raise startingDeadlineSeconds, and see that the cluster's controller manager"
        " runs and its clock is right."
    ),
)
SCHEDULE = Saying(
    "cron_schedule",
    ENDED,
    sentence("The schedule %(schedule)s of the CronJob, or its time zone, is not valid."),
    sentence("Mend the schedule: five fields (minute, hour, day, month, weekday)."),
)
STILL_RUNNING = Saying(
    "cron_still_running",
    WAITING,
    sentence(
        "The CronJob starts no new Job because the one before still runs"
        " (concurrencyPolicy: Forbid)."
    ),
    sentence(
        "Look at the running Job: it takes longer than the time between two starts, or hangs."
    ),
)
JOBS = {
    "DeadlineExceeded": JOB,
    "BackoffLimitExceeded": BACKOFF,
    "PodFailurePolicy": POLICY,
    "FailedIndexes": INDEXES,
    "MaxFailedIndexesExceeded": INDEXES,
}
CRON = {
    "MissSchedule": MISSED,
    "TooManyMissedTimes": MISSED,
    "UnparseableSchedule": SCHEDULE,
    "UnParseableCronJobSchedule": SCHEDULE,
    "InvalidSchedule": SCHEDULE,
    "UnknownTimeZone": SCHEDULE,
    "JobAlreadyActive": STILL_RUNNING,
}


def of_pod(pod: Pod, _around: Around) -> Iterator[Cause]:
    """Whether a pod was ended by its deadline."""
    status = pod.status
    if status.phase == "Failed" and status.reason == "DeadlineExceeded":
        said = [pod.reason()]
        deadline = pod.spec.active_deadline_seconds or "?"
        yield cause(POD, about("Pod", pod.metadata), said, deadline=deadline)


def of_workload(kind: str, found: Workload, around: Around) -> Iterator[Cause]:
    """What took too long, failed for good or stands still."""
    spec, conditions, it = found.spec, found.status.conditions, about(kind, found.metadata)
    failed = (
        (is_true(conditions, "Failed") or is_true(conditions, "FailureTarget"))
        if kind == "Job"
        else None
    )
    if failed is not None:
        saying = JOBS.get(failed.reason, JOB_FAILED)
        deadline = spec.active_deadline_seconds or "?"
        yield cause(
            saying, it, [failed.said()],
            deadline=deadline, limit=spec.backoff_limit, reason=failed.reason,
        )  # fmt: skip
    progressing = find(conditions, "Progressing")
    if progressing is not None and progressing.reason == "ProgressDeadlineExceeded":
        deadline = spec.progress_deadline_seconds
        yield cause(ROLLOUT, it, [progressing.said()], deadline=deadline)
    if spec.paused and kind == "Deployment":
        yield cause(PAUSED, it, [evidence("field", "spec.paused", "true")])
    if spec.suspend:
        yield cause(SUSPENDED, it, [evidence("field", "spec.suspend", "true")], kind=kind)
    if kind == "CronJob":
        yield from _cron(found, around)


def _cron(found: Workload, around: Around) -> Iterator[Cause]:
    told: set[str] = set()
    for event in around.events(found.metadata, "CronJob"):
        # What it started since then, it did not miss.
        if event.reason == "SuccessfulCreate":
            return
        saying = CRON.get(event.reason)
        if saying is not None and saying.code not in told:
            told.add(saying.code)
            it = about("CronJob", found.metadata)
            schedule, message = found.spec.schedule, event.message
            yield cause(saying, it, [event.said()], schedule=schedule, message=message)
