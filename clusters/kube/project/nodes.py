"""Nodes and namespaces. The STATUS words follow `printNode` and `printNamespace`."""

from typing import Any

from clusters.kube import quantity
from clusters.kube.project.base import facts, row, shared, shared_labels
from clusters.kube.project.requests import read, stored
from clusters.kube.types import Health, Row

PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")
ZONE = "topology.kubernetes.io/zone"
REGION = "topology.kubernetes.io/region"
INSTANCE_TYPE = "node.kubernetes.io/instance-type"


def node_row(node: Any) -> Row:
    """The row of a Node message; ValueError as for pods."""
    conditions = {each.type: each for each in node.status.conditions}
    pressed = any(each in conditions and conditions[each].status == "True" for each in PRESSURES)
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
        since=0 if ready is None else ready.lastTransitionTime.seconds,
        amounts=stored(amounts.get("cpu", 0), amounts.get("memory", 0)),
        facts=_node_facts(node),
    )


def _node_facts(node: Any) -> dict[str, str]:
    labels = shared_labels(tuple(node.metadata.labels))
    allocatable = {each.key: each.value.string for each in node.status.allocatable}
    return facts(
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
