"""What all objects have in common, as they are read here; fields that are not named are skipped."""

from datetime import datetime

import msgspec

from clusters.kube.objects import Part
from clusters.kube.why.cause import About, Evidence, evidence

MOST_CONDITIONS = 30


class Owner(Part):
    """A reference to what owns an object."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class Meta(Part):
    """ObjectMeta."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    finalizers: list[str] = []
    owner_references: list[Owner] = []
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Condition(Part):
    """A condition of any kind."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None

    def said(self) -> Evidence:
        """The condition as evidence."""
        text = f"{self.reason}: {self.message}" if self.message else self.reason
        since = seconds(self.last_transition_time)
        place = f"status.conditions[{self.type}]={self.status}"
        return evidence("condition", place, text, since, since)


class Selector(Part):
    """A label selector."""

    match_labels: dict[str, str] = {}
    match_expressions: list["Requirement"] = []


class Requirement(Part):
    """One requirement of a selector, of labels or of a node's fields."""

    key: str = ""
    operator: str = ""
    values: list[str] = []

    def __str__(self) -> str:
        values = f" ({', '.join(self.values)})" if self.values else ""
        return f"{self.key} {self.operator}{values}"

    def meets(self, labels: dict[str, str]) -> bool:
        """Whether labels meet it; what is not known here counts as met."""
        value = labels.get(self.key)
        if self.operator == "In":
            return value in self.values
        if self.operator == "NotIn":
            return value not in self.values
        if self.operator == "Exists":
            return value is not None
        if self.operator == "DoesNotExist":
            return value is None
        return True


def selects(selector: Selector | None, labels: dict[str, str]) -> bool:
    """Whether a selector picks what has these labels; none picks nothing, an empty one all."""
    if selector is None:
        return False
    same = all(labels.get(key) == value for key, value in selector.match_labels.items())
    return same and all(each.meets(labels) for each in selector.match_expressions)


class Reference(Part):
    """The object that an event speaks of."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    field_path: str = ""


class Series(Part):
    """How often an event of the newer kind was seen."""

    count: int = 0
    last_observed_time: str | None = None


class Event(Part):
    """An event of core/v1."""

    metadata: Meta = msgspec.field(default_factory=Meta)
    type: str = ""
    reason: str = ""
    message: str = ""
    count: int | None = None
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    event_time: str | None = None
    series: Series | None = None
    involved_object: Reference = msgspec.field(default_factory=Reference)

    @property
    def at(self) -> int:
        """When it was last seen, in seconds since 1970."""
        newest = self.series.last_observed_time if self.series else None
        return seconds(newest or self.last_timestamp or self.event_time or self.first_timestamp)

    @property
    def since(self) -> int:
        """When it was first seen, in seconds since 1970."""
        return seconds(self.first_timestamp or self.event_time or self.metadata.creation_timestamp)

    @property
    def times(self) -> int:
        """How often it was seen."""
        return max(self.count or 1, self.series.count if self.series else 1)

    @property
    def container(self) -> str:
        """The container that it speaks of ("spec.containers{app}"), "" where it is none."""
        path = self.involved_object.field_path
        return path.partition("{")[2].rstrip("}") if path.endswith("}") else ""

    def said(self) -> Evidence:
        """The event as evidence."""
        return evidence("event", self.reason, self.message, self.since, self.at, self.times)


def seconds(time: str | None) -> int:
    """Kubernetes' RFC 3339 as seconds since 1970; 0 for what is no time."""
    try:
        return int(datetime.fromisoformat(time).timestamp()) if time else 0
    except (ValueError, OverflowError, OSError):
        return 0


def owner(meta: Meta) -> About:
    """What an object's template stands in: its controller, or the Deployment of its ReplicaSet.

    About("", "", "") where it has none.
    """
    found = next((each for each in meta.owner_references if each.controller), None)
    if found is None:
        return About("", "", "")
    # The Deployment's controller names ReplicaSets so: the hash is a label of the pods too.
    end = f"-{meta.labels.get('pod-template-hash', '')}"
    if found.kind == "ReplicaSet" and len(end) > 1 and found.name.endswith(end):
        return About("Deployment", meta.namespace, found.name.removesuffix(end))
    return About(found.kind, meta.namespace, found.name)


def about(kind: str, meta: Meta) -> About:
    """The object as a cause names it."""
    return About(kind, meta.namespace, meta.name)


def find(conditions: list[Condition], kind: str) -> Condition | None:
    """The condition of this type."""
    return next((each for each in conditions if each.type == kind), None)


def is_false(conditions: list[Condition], kind: str) -> Condition | None:
    """The condition of this type when it is False."""
    found = find(conditions, kind)
    return found if found is not None and found.status == "False" else None


def is_true(conditions: list[Condition], kind: str) -> Condition | None:
    """The condition of this type when it is True."""
    found = find(conditions, kind)
    return found if found is not None and found.status == "True" else None
