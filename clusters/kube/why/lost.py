"""Nodes that are gone, not ready or in trouble, for themselves and for the pods on them."""

from collections.abc import Iterator

from clusters.kube.errors import sentence
from clusters.kube.why.around import Around
from clusters.kube.why.cause import NODE, WAITING, About, Cause, Saying, cause, evidence
from clusters.kube.why.neighbours import Node
from clusters.kube.why.parts import MOST_CONDITIONS, Condition, about, find
from clusters.kube.why.pod import Pod

GONE = Saying(
    "node_gone",
    NODE,
    sentence("The node %(node)s that the pod was on no longer exists."),
    sentence(
        "The pod is removed by itself within minutes; its controller makes a new one elsewhere."
    ),
)
SILENT = Saying(
    "node_lost",
    NODE,
    sentence("The node %(node)s does not report any more: what runs on it is not known."),
    sentence(
        "Look at the machine, its network and its kubelet; if it is off for good, delete the node."
    ),
)
NOT_READY = Saying(
    "node_not_ready",
    NODE,
    sentence("The node %(node)s is not ready: %(message)s"),
    sentence("Look at the kubelet and the container runtime on that node."),
)
NO_NETWORK = Saying(
    "node_network_plugin",
    NODE,
    sentence("The node %(node)s is not ready because its network plug-in (CNI) is not."),
    sentence("See that the network plug-in's pod runs on that node."),
)
MEMORY = Saying(
    "node_memory_pressure",
    WAITING,
    sentence("The node %(node)s is short of memory: it takes few new pods and evicts some."),
    sentence("Find what uses the memory, give pods fitting requests, or add nodes."),
)
DISK = Saying(
    "node_disk_pressure",
    WAITING,
    sentence("The node %(node)s is short of disk space: it takes no new pods and evicts some."),
    sentence("Remove unused images and logs on that node, or give it a larger disk."),
)
PROCESSES = Saying(
    "node_pid_pressure",
    WAITING,
    sentence("The node %(node)s is short of process numbers: it takes no new pods."),
    sentence("Find what starts so many processes on that node."),
)
ROUTE = Saying(
    "node_network_unavailable",
    NODE,
    sentence("The network of the node %(node)s is not set up."),
    sentence("Look at the network plug-in or the cloud's route controller."),
)
OTHER = Saying(
    "node_condition",
    WAITING,
    sentence("The node %(node)s reports a trouble, %(condition)s: %(message)s"),
    sentence("Look at that node; what watches over it told this."),
)
CORDONED = Saying(
    "node_cordoned",
    WAITING,
    sentence("The node %(node)s is cordoned: it takes no new pods."),
    sentence("Uncordon it when its maintenance is over (kubectl uncordon)."),
)
PRESSURES = {
    "MemoryPressure": MEMORY,
    "DiskPressure": DISK,
    "PIDPressure": PROCESSES,
    "NetworkUnavailable": ROUTE,
}


def causes(pod: Pod, around: Around) -> Iterator[Cause]:
    """What is wrong with the node of a pod that has not ended."""
    name = pod.spec.node_name
    if not name or pod.ended:
        return
    it = about("Pod", pod.metadata)
    node: Node | None = around.one("node", name)
    if around.gone("node", name):
        yield cause(GONE, it, [evidence("field", "spec.nodeName", name)], node=name)
    elif node is not None:
        yield from _unready(it, node)
    elif pod.status.reason == "NodeLost":
        yield cause(SILENT, it, [evidence("field", "status.reason", pod.status.message)], node=name)
    else:
        for event in around.events(pod.metadata, "Pod"):
            ready = find(pod.status.conditions, "Ready")
            if event.reason == "NodeNotReady" and ready is not None and ready.status != "True":
                yield cause(SILENT, it, [event.said()], node=name)
                return


def of_node(node: Node) -> Iterator[Cause]:
    """What is wrong with a node."""
    it = about("Node", node.metadata)
    yield from _unready(it, node)
    # Of a node's conditions all but Ready are bad news when they are True.
    for found in node.status.conditions[:MOST_CONDITIONS]:
        if found.type != "Ready" and found.status == "True":
            yield cause(
                PRESSURES.get(found.type, OTHER),
                it,
                [found.said()],
                node=node.metadata.name,
                condition=found.type,
                message=found.message,
            )
    if node.spec.unschedulable:
        taints = ", ".join(map(str, node.spec.taints))
        said = [evidence("field", "spec.unschedulable", f"true; taints: {taints}")]
        yield cause(CORDONED, it, said, node=node.metadata.name)


def _unready(it: About, node: Node) -> Iterator[Cause]:
    ready = find(node.status.conditions, "Ready")
    if ready is None or ready.status == "True":
        return
    name = node.metadata.name
    yield cause(_saying(ready), it, [ready.said()], node=name, message=ready.message)


def _saying(ready: Condition) -> Saying:
    if ready.status == "Unknown":
        return SILENT
    if "network plugin" in ready.message.lower() or "cni" in ready.message.lower():
        return NO_NETWORK
    return NOT_READY
