"""The object that is asked about, read as what it is."""

from typing import Any, NamedTuple

import msgspec

from clusters.kube import objects
from clusters.kube.objects import Part
from clusters.kube.why import neighbours, workloads
from clusters.kube.why.deletion import Namespace
from clusters.kube.why.parts import MOST_CONDITIONS, Condition, Meta
from clusters.kube.why.pod import Pod

# Which struct reads a kind of an API version; all others are read as far as all objects are alike.
_READ: dict[tuple[str, str], type[Part]] = {
    ("v1", "Pod"): Pod,
    ("v1", "Node"): neighbours.Node,
    ("v1", "PersistentVolumeClaim"): neighbours.Claim,
    ("v1", "Namespace"): Namespace,
    ("policy/v1", "PodDisruptionBudget"): neighbours.Budget,
    **{("apps/v1", kind): workloads.Workload for kind in workloads.KINDS[:4]},
    **{("batch/v1", kind): workloads.Workload for kind in workloads.KINDS[4:]},
}


class _Head(Part):
    api_version: str = ""
    kind: str = ""


class _Any(Part):
    metadata: Meta
    status: msgspec.Raw = msgspec.Raw(b"null")


class _Conditions(Part):
    conditions: list[Condition] = []


class Subject(NamedTuple):
    """An object: its kind, its metadata, its conditions, and what its kind is read as.

    `thing` is None for kinds that are not known here.
    """

    kind: str
    meta: Meta
    conditions: list[Condition]
    thing: Any


def read(body: bytes, kind: str = "", api_version: str = "") -> Subject:
    """The object in `body`; items of lists do not say what they are, so tell their kind.

    BadAnswer when it is no object of its kind.
    """
    head = objects.decode(body, _Head)
    key = api_version or head.api_version, kind or head.kind
    whole = objects.decode(body, _Any)
    known = _READ.get(key)
    thing = objects.decode(body, known) if known else None
    return Subject(key[1], whole.metadata, _conditions(whole.status), thing)


def _conditions(status: msgspec.Raw) -> list[Condition]:
    """The conditions of any kind's status; none where it has another form."""
    try:
        found = msgspec.json.decode(status, type=_Conditions | None)
    except (msgspec.MsgspecError, RecursionError):
        return []
    return found.conditions[:MOST_CONDITIONS] if found else []
