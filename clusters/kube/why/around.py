"""What was found around an object: parts that were asked for, each known, absent or not known."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from clusters.kube import errors, objects
from clusters.kube.errors import sentence
from clusters.kube.objects import Part
from clusters.kube.why import neighbours
from clusters.kube.why.parts import Event, Meta
from clusters.kube.why.pod import Pod
from clusters.kube.why.workloads import Workload

MOST_ITEMS = 2000
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

PartName = Literal[
    "events", "pods", "jobs", "node", "nodes", "requested", "claim", "class", "volume",
    "ConfigMap", "Secret", "ConfigMaps", "Secrets", "quotas", "limits", "budgets",
]  # fmt: skip

# As which struct the objects of a part are read; "s" in the second place: the answer is a list.
_READ: dict[str, tuple[type[Part], bool]] = {
    "events": (Event, True),
    "pods": (Pod, True),
    "jobs": (Workload, True),
    "node": (neighbours.Node, False),
    "nodes": (neighbours.Node, True),
    "requested": (neighbours.Placed, True),
    "claim": (neighbours.Claim, False),
    "class": (neighbours.StorageClass, False),
    "volume": (neighbours.PersistentVolume, False),
    "ConfigMap": (neighbours.Named, False),
    "Secret": (neighbours.Named, False),
    "ConfigMaps": (neighbours.Named, True),
    "Secrets": (neighbours.Named, True),
    "quotas": (neighbours.Quota, True),
    "limits": (neighbours.LimitRange, True),
    "budgets": (neighbours.Budget, True),
}
PARTS = {
    "events": sentence("Its events could not be read."),
    "pods": sentence("Its pods could not be read."),
    "jobs": sentence("Its Jobs could not be read."),
    "node": sentence("The node that it runs on could not be read."),
    "nodes": sentence("The nodes could not be read."),
    "requested": sentence("What the pods request of the nodes could not be read."),
    "claim": sentence("A PersistentVolumeClaim that it names could not be read."),
    "class": sentence("A StorageClass could not be read."),
    "volume": sentence("A PersistentVolume could not be read."),
    "ConfigMap": sentence("A ConfigMap that it names could not be looked for."),
    "Secret": sentence("A Secret that it names could not be looked for."),
    "ConfigMaps": sentence("The names of the ConfigMaps could not be read."),
    "Secrets": sentence("The names of the Secrets could not be read."),
    "quotas": sentence("The resource quotas could not be read."),
    "limits": sentence("The limit ranges could not be read."),
    "budgets": sentence("The pod disruption budgets could not be read."),
}


class Question(NamedTuple):
    """Something worth asking for: `path` is the API's, `name` says of what the part is.

    `pages` is how many pages of a list are worth reading; of a longer list nothing is kept.
    """

    part: PartName
    name: str
    path: str
    accept: str = "application/json"
    pages: int = 1


class Unknown(msgspec.Struct, frozen=True):
    """A part that is not known: `words` says which, `code` and `reason` (an error's) say why."""

    part: str
    name: str
    words: str
    code: str
    reason: str


class Requested(msgspec.Struct, frozen=True):
    """What the pods of one node request: amounts by resource, CPU in millicores, else whole."""

    amounts: Mapping[str, int]
    pods: int = 0


class _ListMeta(Part):
    continue_: str = msgspec.field(default="", name="continue")


class _List(Part):
    items: list[msgspec.Raw] | None = None
    metadata: _ListMeta = msgspec.field(default_factory=_ListMeta)


class Around:
    """The parts that were asked for.

    `now` is in seconds since 1970. `requested` is what pods request by node, for who knows it
    already; else it is asked for where it tells something.
    """

    def __init__(
        self, *, now: int | None = None, requested: Mapping[str, Requested] | None = None
    ) -> None:
        self.now = int(time.time()) if now is None else now
        self.requested = requested
        self.unknown: list[Unknown] = []
        self._found: dict[tuple[str, str], Any] = {}
        self._asked: set[tuple[str, str]] = set()
        self._events: dict[tuple[str, str, str], list[Event]] = {}

    def asked(self, part: PartName, name: str = "") -> bool:
        """Whether it was asked for, whatever the answer."""
        return (part, name) in self._asked

    def put(self, question: Question, *bodies: bytes) -> None:
        """Keeps an answer, or all pages of a list; BadAnswer when it cannot be read."""
        key = question.part, question.name
        self._asked.add(key)
        self._events.clear()
        kind, many = _READ[question.part]
        if not many:
            self._found[key] = objects.decode(bodies[0], kind)
            return
        found: list[Any] = []
        for body in bodies:
            found += _items(body, kind)
        self._found[key] = found[:MOST_ITEMS]

    def absent(self, question: Question) -> None:
        """There is no such object."""
        self._asked.add((question.part, question.name))
        self._found[question.part, question.name] = None

    def refuse(self, question: Question, error: errors.KubeError) -> None:
        """It cannot be known, because of this error."""
        self._asked.add((question.part, question.name))
        name = errors.safe_text(question.name, 253)
        words = PARTS[question.part]
        self.unknown.append(Unknown(question.part, name, words, error.code, str(error)))

    def gone(self, part: PartName, name: str) -> bool:
        """Whether it is known that there is no such object."""
        key = part, name
        return key in self._found and self._found[key] is None

    def one(self, part: PartName, name: str) -> Any:
        """The object of a part, None when there is none or it is not known."""
        return self._found.get((part, name))

    def many(self, part: PartName, name: str = "") -> Any:
        """The objects of a part, None when they are not known."""
        return self._found.get((part, name))

    def events(self, meta: Meta, kind: str) -> list[Event]:
        """What the events say of an object, the newest first."""
        found: Iterable[Event] | None = self.many("events", event_key(kind, meta))
        if found is None:
            return []
        key = kind, meta.name, meta.uid
        if key not in self._events:
            mine = [event for event in found if _speaks_of(event, kind, meta)]
            self._events[key] = sorted(mine, key=lambda event: event.at, reverse=True)
        return self._events[key]


def event_key(kind: str, meta: Meta) -> str:
    """Under which name the events of an object are kept."""
    return f"{kind}/{meta.name}"


def following(body: bytes) -> str:
    """The token of the next page of a list, "" at its end; BadAnswer when it is no list."""
    return objects.decode(body, _List).metadata.continue_


def _items(body: bytes, kind: type[Part]) -> list[Part]:
    """The objects of a list that can be read."""
    found: list[Part] = []
    for raw in (objects.decode(body, _List).items or ())[:MOST_ITEMS]:
        try:
            found.append(msgspec.json.decode(raw, type=kind))
        except (msgspec.MsgspecError, RecursionError):
            continue
    return found


def _speaks_of(event: Event, kind: str, meta: Meta) -> bool:
    it = event.involved_object
    if it.kind != kind or it.name != meta.name:
        return False
    # An object of the same name may have been there before. Nodes' own events carry no real uid.
    return kind == "Node" or not it.uid or not meta.uid or it.uid == meta.uid
