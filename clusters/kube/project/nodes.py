"""Nodes and namespaces. The STATUS words follow `printNode` and `printNamespace`."""

from collections.abc import Sequence
from typing import Any

from clusters.kube import quantity
from clusters.kube.project.base import facts, plain, row, shared, shared_labels
from clusters.kube.project.requests import read, stored
from clusters.kube.types import Health, Row

PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")
ZONE = "topology.kubernetes.io/zone"
REGION = "topology.kubernetes.io/region"
MOST_TAINTS = 20
INSTANCE_TYPE = "node.kubernetes.io/instance-type"


def node_row(node: Any) -> Row:
    """The row of a Node message; ValueError as for pods."""
    conditions = {each.type: each for each in node.status.conditions}
    pressed = [
        conditions[each]
        for each in PRESSURES
        if each in conditions and conditions[each].status == "True"
    ]
    ready = conditions.get("Ready")
    is_ready = ready is not None and ready.status == "True"
    status = "Unknown" if ready is None else "Ready" if is_ready else "NotReady"
    health: Health = "failing"
    if ready is None:
        health = "unknown"
    elif is_ready:
        health = "degraded" if pressed or node.spec.unschedulable else "healthy"
    if node.spec.unschedulable:
        status += ",SchedulingDisabled"
    amounts = read(node.status.allocatable)
    return row(
        "Node",
        node.metadata,
        status=shared(status),
        health=health,
        counts=(int(is_ready), 1, 0),
        since=_since(ready, pressed if is_ready else ()),
        amounts=stored(amounts.get("cpu", 0), amounts.get("memory", 0)),
        facts=_node_facts(node, _reason(ready, pressed)),
    )


def _since(ready: Any | None, pressed: Sequence[Any]) -> int:
    """Since when it is ready or not; of one that is ready, since when it is short of something."""
    if ready is None:
        return 0
    return int(max(each.lastTransitionTime.seconds for each in pressed or (ready,)))


def _reason(ready: Any | None, pressed: Sequence[Any]) -> str:
    """What it is short of, and why it is not ready."""
    words = [shared(each.type) for each in pressed]
    if ready is not None and ready.status != "True":
        words.insert(0, shared(ready.reason))
    return ", ".join(filter(None, words))


def _taint(taint: Any) -> str:
    """As `kubectl taint` takes it."""
    value = f"={plain(taint.value)}" if taint.value else ""
    return f"{plain(taint.key)}{value}:{plain(taint.effect)}"


def _node_facts(node: Any, reason: str) -> dict[str, str]:
    labels = shared_labels(tuple(node.metadata.labels))
    allocatable = {each.key: each.value.string for each in node.status.allocatable}
    return facts(
        reason=reason,
        taints=", ".join(map(_taint, node.spec.taints[:MOST_TAINTS])),
        zone=labels.get(ZONE, ""),
        region=labels.get(REGION, ""),
        version=node.status.nodeInfo.kubeletVersion,
        instanceType=labels.get(INSTANCE_TYPE, ""),
        pods=str(quantity.whole(allocatable["pods"])) if "pods" in allocatable else "",
    )


def namespace_row(namespace: Any) -> Row:
    """The row of a Namespace message; ValueError as for pods."""
    status = namespace.status.phase or "Unknown"
    health: Health = "healthy" if status == "Active" else "progressing"
    return row("Namespace", namespace.metadata, status=shared(status), health=health)
