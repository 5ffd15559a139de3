"""How much a pod asks for, what nodes have free, and which nodes it may go to at all."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from clusters.kube import quantity
from clusters.kube.why.around import Around, Requested
from clusters.kube.why.container import Container, Resources
from clusters.kube.why.neighbours import Node, Placed, Taint
from clusters.kube.why.parts import find
from clusters.kube.why.pod import Pod, Toleration

GIB = 1024**3
_UNITS = (("Ti", 1024**4), ("Gi", GIB), ("Mi", 1024**2), ("Ki", 1024))
_EVICTING = ("NoSchedule", "NoExecute")


class _Spec(Protocol):
    """The part of a pod's spec that says what it asks for."""

    @property
    def containers(self) -> list[Container]: ...
    @property
    def init_containers(self) -> list[Container]: ...
    @property
    def overhead(self) -> dict[str, str]: ...
    @property
    def resources(self) -> Resources: ...


class Room(NamedTuple):
    """A node with what it has of a resource: `free` is None where that is not known."""

    node: str
    free: int | None
    whole: int


def amount(resource: str, text: str) -> int:
    """A quantity of this resource: CPU in millicores, all others whole."""
    return quantity.millis(text) if resource == "cpu" else quantity.whole(text)


def shown(resource: str, number: int) -> str:
    """An amount in the way people write it: 500m, 1.5 (CPU), 512Mi."""
    if resource == "cpu":
        return f"{number}m" if number % 100 else f"{number / 1000:g}"
    if resource in {"memory", "ephemeral-storage"} or resource.startswith("hugepages-"):
        for unit, size in _UNITS:
            if number >= size:
                return f"{number / size:.4g}{unit}"
    return str(number)


def asks(spec: _Spec, resource: str) -> int:
    """What a pod asks of a resource, as the scheduler counts it.

    Its containers together with sidecars, or the largest init container (beside the sidecars that
    stand before it), whichever is more; a request of the whole pod goes before them.
    """
    overhead = amount(resource, spec.overhead.get(resource, "0"))
    if resource in spec.resources.requests:
        return amount(resource, spec.resources.requests[resource]) + overhead
    sidecars = largest = 0
    for each in spec.init_containers:
        mine = amount(resource, each.resources.requests.get(resource, "0"))
        if each.restart_policy == "Always":
            sidecars += mine
            largest = max(largest, sidecars)
        else:
            largest = max(largest, sidecars + mine)
    together = sum(amount(resource, each.resources.requests.get(resource, "0"))
                   for each in spec.containers)  # fmt: skip
    return max(together + sidecars, largest) + overhead


def requested(around: Around) -> Mapping[str, Requested] | None:
    """What is requested of each node; None when it is not known."""
    if around.requested is not None:
        return around.requested
    placed: list[Placed] | None = around.many("requested")
    if placed is None:
        return None
    amounts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    pods: dict[str, int] = defaultdict(int)
    for pod in placed:
        if not pod.spec.node_name or pod.status.phase in {"Succeeded", "Failed"}:
            continue
        pods[pod.spec.node_name] += 1
        every = pod.spec.containers + pod.spec.init_containers
        names = {name for each in every for name in each.resources.requests}
        for name in names | set(pod.spec.overhead) | set(pod.spec.resources.requests):
            amounts[pod.spec.node_name][name] += asks(pod.spec, name)
    return {name: Requested(amounts[name], count) for name, count in pods.items()}


def roomiest(pod: Pod, nodes: Iterable[Node], around: Around, resource: str) -> Room | None:
    """The node with the most of a resource free among those that the pod may go to.

    With the most of it in all where it is not known what is free; None when it may go nowhere.
    """
    taken = requested(around)
    rooms = []
    for node in nodes:
        if may_go(pod, node):
            whole = amount(resource, node.status.allocatable.get(resource, "0"))
            rooms.append(Room(node.metadata.name, _free(node, taken, resource, whole), whole))
    return max(rooms, key=lambda room: (room.free or 0, room.whole), default=None)


def _free(
    node: Node, taken: Mapping[str, Requested] | None, resource: str, whole: int
) -> int | None:
    if taken is None:
        return None
    of_node = taken.get(node.metadata.name, Requested({}))
    used = of_node.pods if resource == "pods" else of_node.amounts.get(resource, 0)
    return max(whole - used, 0)


def may_go(pod: Pod, node: Node) -> bool:
    """Whether nothing but room could keep the pod off the node, as far as this is known here."""
    ready = find(node.status.conditions, "Ready")
    ok = ready is None or ready.status == "True"
    return ok and not node.spec.unschedulable and not untolerated(pod, node) and chosen(pod, node)


def untolerated(pod: Pod, node: Node) -> list[Taint]:
    """The taints of a node that keep the pod off it."""
    return [
        taint
        for taint in node.spec.taints
        if taint.effect in _EVICTING and not any(_tolerates(t, taint) for t in pod.spec.tolerations)
    ]


def _tolerates(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator == "Exists":
        return True
    return bool(toleration.key) and toleration.value == taint.value


def chosen(pod: Pod, node: Node) -> bool:
    """Whether the pod's node selector and required node affinity pick the node."""
    labels = node.metadata.labels
    if any(labels.get(key) != value for key, value in pod.spec.node_selector.items()):
        return False
    affinity = pod.spec.affinity.node_affinity if pod.spec.affinity else None
    terms = affinity.required.node_selector_terms if affinity and affinity.required else []
    fields = {"metadata.name": node.metadata.name}
    return not terms or any(
        all(each.meets(labels) for each in term.match_expressions)
        and all(each.meets(fields) for each in term.match_fields)
        for term in terms
    )


def wanted(pod: Pod) -> str:
    """Which nodes the pod asks for: "disktype=ssd; zone In (a, b)"."""
    found = [f"{key}={value}" for key, value in sorted(pod.spec.node_selector.items())]
    affinity = pod.spec.affinity.node_affinity if pod.spec.affinity else None
    terms = affinity.required.node_selector_terms if affinity and affinity.required else []
    choices = [", ".join(map(str, [*term.match_expressions, *term.match_fields])) for term in terms]
    return "; ".join(found + ([" | ".join(choices)] if choices else []))
