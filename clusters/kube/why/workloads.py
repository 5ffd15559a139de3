"""What keeps pods running (Deployments and their like, Jobs, CronJobs), as causes need it."""

import msgspec

from clusters.kube.objects import Part
from clusters.kube.why.parts import Condition, Meta, Selector, is_true

KINDS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob")


class _Spec(Part):
    replicas: int | None = None
    selector: Selector | None = None
    paused: bool = False
    suspend: bool = False
    schedule: str = ""
    backoff_limit: int = 6
    active_deadline_seconds: int | None = None
    progress_deadline_seconds: int = 600
    service_name: str = ""


class _Status(Part):
    replicas: int = 0
    ready_replicas: int = 0
    updated_replicas: int = 0
    desired_number_scheduled: int = 0
    current_number_scheduled: int = 0
    number_ready: int = 0
    active: int | list[msgspec.Raw] = 0
    failed: int = 0
    succeeded: int = 0
    conditions: list[Condition] = []


class Workload(Part):
    """Any of `KINDS`."""

    metadata: Meta
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _Status = msgspec.field(default_factory=_Status)

    def lacks(self, kind: str) -> bool:
        """Whether it has fewer pods than it wants, ready or not."""
        if kind == "DaemonSet":
            return self.status.current_number_scheduled < self.status.desired_number_scheduled
        if kind == "Job":
            return not self.finished and not self.spec.suspend and not self.status.active
        wanted = 1 if self.spec.replicas is None else self.spec.replicas
        return kind != "CronJob" and self.status.replicas < wanted

    def unready(self, kind: str) -> bool:
        """Whether fewer of its pods are ready than it wants, or a Job has not succeeded."""
        if kind == "DaemonSet":
            return self.status.number_ready < self.status.desired_number_scheduled
        if kind == "Job":
            return not self.succeeded
        wanted = 1 if self.spec.replicas is None else self.spec.replicas
        updated = self.status.updated_replicas if kind == "Deployment" else wanted
        return kind != "CronJob" and (self.status.ready_replicas < wanted or updated < wanted)

    @property
    def succeeded(self) -> bool:
        """Whether a Job is over and well."""
        return is_true(self.status.conditions, "Complete") is not None

    @property
    def finished(self) -> bool:
        """Whether a Job is over."""
        return self.succeeded or is_true(self.status.conditions, "Failed") is not None
