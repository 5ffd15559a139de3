"""A pod, as far as its causes need it."""

from collections.abc import Iterator

import msgspec

from clusters.kube.objects import Part
from clusters.kube.why.cause import Evidence, evidence
from clusters.kube.why.container import Container, Named, Resources, Status
from clusters.kube.why.parts import Condition, Meta, Requirement, Selector, seconds

MOST_CONTAINERS = 50


class Toleration(Part):
    """A taint that a pod tolerates."""

    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""


class ClaimSource(Part):
    """The claim of a volume."""

    claim_name: str = ""


class SecretSource(Part):
    """The Secret of a volume."""

    secret_name: str = ""


class Volume(Part):
    """A volume, where it is a claim or made of a ConfigMap or a Secret."""

    name: str = ""
    persistent_volume_claim: ClaimSource | None = None
    ephemeral: dict[str, msgspec.Raw] | None = None
    config_map: Named | None = None
    secret: SecretSource | None = None


class Term(Part):
    """Requirements that hold together."""

    match_expressions: list[Requirement] = []
    match_fields: list[Requirement] = []


class Terms(Part):
    """Terms of which one must hold."""

    node_selector_terms: list[Term] = []


class NodeAffinity(Part):
    """What a node must have."""

    required: Terms | None = msgspec.field(
        default=None, name="requiredDuringSchedulingIgnoredDuringExecution"
    )


class PodTerm(Part):
    """Beside which pods a pod must, or must not, be."""

    label_selector: Selector | None = None
    topology_key: str = ""


class PodAffinity(Part):
    """What must hold of other pods."""

    required: list[PodTerm] = msgspec.field(
        default=[], name="requiredDuringSchedulingIgnoredDuringExecution"
    )


class Affinity(Part):
    """Where a pod must go."""

    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None


class Spread(Part):
    """How pods must be spread."""

    topology_key: str = ""
    max_skew: int = 1
    when_unsatisfiable: str = ""


class PodSpec(Part):
    """The spec of a pod."""

    node_name: str = ""
    scheduler_name: str = "default-scheduler"
    service_account_name: str = ""
    active_deadline_seconds: int | None = None
    containers: list[Container] = []
    init_containers: list[Container] = []
    overhead: dict[str, str] = {}
    resources: Resources = msgspec.field(default_factory=Resources)
    node_selector: dict[str, str] = {}
    affinity: Affinity | None = None
    tolerations: list[Toleration] = []
    topology_spread_constraints: list[Spread] = []
    scheduling_gates: list[Named] = []
    readiness_gates: list["Gate"] = []
    image_pull_secrets: list[Named] = []
    volumes: list[Volume] = []


class Gate(Part):
    """A condition that must hold before a pod counts as ready."""

    condition_type: str = ""


class PodStatus(Part):
    """The status of a pod."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    start_time: str | None = None
    conditions: list[Condition] = []
    init_container_statuses: list[Status] = []
    container_statuses: list[Status] = []


class Pod(Part):
    """A pod."""

    metadata: Meta
    spec: PodSpec = msgspec.field(default_factory=PodSpec)
    status: PodStatus = msgspec.field(default_factory=PodStatus)

    @property
    def statuses(self) -> list[Status]:
        """What is known of its containers, those that come first before the others."""
        status = self.status
        return (status.init_container_statuses + status.container_statuses)[:MOST_CONTAINERS]

    def container(self, name: str) -> Container:
        """The container of this name as wanted; an empty one when there is none."""
        every = self.spec.init_containers + self.spec.containers
        return next((each for each in every if each.name == name), Container(name=name))

    def is_init(self, name: str) -> bool:
        """Whether it is a container that has to end before the others begin."""
        return any(
            each.name == name and each.restart_policy != "Always"
            for each in self.spec.init_containers
        )

    @property
    def ended(self) -> bool:
        """Whether it has run and will not run again."""
        return self.status.phase in {"Failed", "Succeeded"}

    def reason(self) -> Evidence:
        """What its status says of the whole pod, and since when it is no longer ready."""
        status = self.status
        text = f"{status.reason}: {status.message}" if status.message else status.reason
        ended = {"DisruptionTarget", "Ready"}
        since = max(
            (
                seconds(each.last_transition_time)
                for each in status.conditions
                if each.type in ended
            ),
            default=0,
        )
        return evidence("field", "status.reason", text, since, since)

    def claims(self) -> Iterator[str]:
        """The names of the claims that it mounts."""
        for volume in self.spec.volumes:
            if volume.persistent_volume_claim is not None:
                yield volume.persistent_volume_claim.claim_name
            elif volume.ephemeral is not None:
                yield f"{self.metadata.name}-{volume.name}"
