"""What stands around an object, as far as causes need it."""

import msgspec

from clusters.kube.objects import Part
from clusters.kube.why.container import Container, Resources
from clusters.kube.why.parts import Condition, Meta, Selector
from clusters.kube.why.pod import Terms

MOST_KEYS = 50


class Taint(Part):
    """What keeps pods off a node."""

    key: str = ""
    value: str = ""
    effect: str = ""

    def __str__(self) -> str:
        return (
            f"{self.key}={self.value}:{self.effect}" if self.value else f"{self.key}:{self.effect}"
        )


class _NodeSpec(Part):
    unschedulable: bool = False
    taints: list[Taint] = []


class _NodeInfo(Part):
    architecture: str = ""


class _NodeStatus(Part):
    allocatable: dict[str, str] = {}
    conditions: list[Condition] = []
    node_info: _NodeInfo = msgspec.field(default_factory=_NodeInfo)


class Node(Part):
    """A node."""

    metadata: Meta
    spec: _NodeSpec = msgspec.field(default_factory=_NodeSpec)
    status: _NodeStatus = msgspec.field(default_factory=_NodeStatus)


class _PlacedSpec(Part):
    node_name: str = ""
    containers: list[Container] = []
    init_containers: list[Container] = []
    overhead: dict[str, str] = {}
    resources: Resources = msgspec.field(default_factory=Resources)


class _PlacedStatus(Part):
    phase: str = ""


class Placed(Part):
    """Any pod, only for what it requests of which node."""

    spec: _PlacedSpec = msgspec.field(default_factory=_PlacedSpec)
    status: _PlacedStatus = msgspec.field(default_factory=_PlacedStatus)


class _ClaimSpec(Part):
    storage_class_name: str | None = None
    volume_name: str = ""
    access_modes: list[str] = []
    resources: Resources = msgspec.field(default_factory=Resources)


class _ClaimStatus(Part):
    phase: str = ""
    conditions: list[Condition] = []


class Claim(Part):
    """A PersistentVolumeClaim."""

    metadata: Meta
    spec: _ClaimSpec = msgspec.field(default_factory=_ClaimSpec)
    status: _ClaimStatus = msgspec.field(default_factory=_ClaimStatus)


class StorageClass(Part):
    """A StorageClass."""

    metadata: Meta
    provisioner: str = ""
    volume_binding_mode: str = ""


class _VolumeAffinity(Part):
    required: Terms | None = None


class _VolumeSpec(Part):
    node_affinity: _VolumeAffinity | None = None


class PersistentVolume(Part):
    """A PersistentVolume."""

    metadata: Meta
    spec: _VolumeSpec = msgspec.field(default_factory=_VolumeSpec)


class _Managed(Part):
    fields_v1: dict[str, msgspec.Raw] = msgspec.field(default={}, name="fieldsV1")


class _NamedMeta(Part):
    name: str = ""
    managed_fields: list[_Managed] = []


class Named(Part):
    """A ConfigMap or a Secret of which only the metadata was asked for."""

    metadata: _NamedMeta

    @property
    def keys(self) -> list[str]:
        """The names of its keys, as far as it is known who wrote them; never a value."""
        found: set[str] = set()
        for managed in self.metadata.managed_fields:
            for part in ("f:data", "f:binaryData", "f:stringData"):
                found |= _field_names(managed.fields_v1.get(part))
        return sorted(found)[:MOST_KEYS]


def _field_names(raw: msgspec.Raw | None) -> set[str]:
    try:
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw]) if raw else {}
    except (msgspec.MsgspecError, RecursionError):
        return set()
    return {name.removeprefix("f:") for name in fields if name.startswith("f:")}


class _QuotaStatus(Part):
    hard: dict[str, str] = {}
    used: dict[str, str] = {}


class Quota(Part):
    """A ResourceQuota."""

    metadata: Meta
    status: _QuotaStatus = msgspec.field(default_factory=_QuotaStatus)


class Limit(Part):
    """One limit of a LimitRange."""

    type: str = ""
    max: dict[str, str] = {}
    min: dict[str, str] = {}


class _LimitSpec(Part):
    limits: list[Limit] = []


class LimitRange(Part):
    """A LimitRange."""

    metadata: Meta
    spec: _LimitSpec = msgspec.field(default_factory=_LimitSpec)


class _BudgetSpec(Part):
    selector: Selector | None = None
    min_available: int | str | None = None
    max_unavailable: int | str | None = None


class _BudgetStatus(Part):
    disruptions_allowed: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    expected_pods: int = 0
    conditions: list[Condition] = []


class Budget(Part):
    """A PodDisruptionBudget."""

    metadata: Meta
    spec: _BudgetSpec = msgspec.field(default_factory=_BudgetSpec)
    status: _BudgetStatus = msgspec.field(default_factory=_BudgetStatus)
