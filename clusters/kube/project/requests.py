"""What a pod really requests, and what a node can give.

The rules of the scheduler: k8s.io/component-helpers/resource/helpers.go, `PodRequests`.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from clusters.kube import quantity
from clusters.kube.cached import cached, total
from clusters.kube.project.base import count
from clusters.kube.schema import MESSAGE

_resources = MESSAGE["Resources"].FromString
_amount = MESSAGE["Amount"].FromString

Both = tuple[int, int]
"""Millicores and bytes."""


def read(amounts: Iterable[Any]) -> dict[str, int]:
    """The `cpu` (millicores) and `memory` (bytes) of Amount messages, as far as they are there."""
    found = {}
    for each in amounts:
        if each.key == "cpu":
            found["cpu"] = quantity.millis(each.value.string)
        elif each.key == "memory":
            found["memory"] = quantity.whole(each.value.string)
    return found


def stored(cpu: int, memory: int) -> tuple[int, int]:
    """Millicores and bytes as the `amounts` of a row: millicores and MiB."""
    return count(cpu), count(quantity.mebibytes(memory))


@cached(4096, len)
def _requested(resources: bytes) -> Both:
    found = read(_resources(resources).requests)
    return found.get("cpu", 0), found.get("memory", 0)


class Asked(NamedTuple):
    """What the parts of a pod ask for, as undecoded resources."""

    containers: tuple[bytes, ...]
    # In their order, each with whether it is a sidecar (stays beside the rest).
    init_containers: tuple[tuple[bool, bytes], ...]
    overhead: tuple[bytes, ...]
    pod: bytes


def _size(asked: Asked) -> int:
    init = [each for _, each in asked.init_containers]
    return total((*asked.containers, *init, *asked.overhead, asked.pod))


@cached(4096, _size)
def effective(asked: Asked) -> tuple[int, int]:
    """The amounts of a pod by what its parts ask for."""
    containers, init_containers, overhead, pod = asked
    running = _sum(map(_requested, containers))
    peak = sidecars = (0, 0)
    for is_sidecar, resources in init_containers:
        wanted = _sum((sidecars, _requested(resources)))
        peak = _largest(peak, wanted)
        if is_sidecar:
            sidecars = wanted
    cpu, memory = _largest(peak, _sum((running, sidecars)))
    # What is asked for the pod as a whole replaces the sum of its containers.
    whole = read(_resources(pod).requests)
    extra = read(map(_amount, overhead))
    return stored(
        whole.get("cpu", cpu) + extra.get("cpu", 0),
        whole.get("memory", memory) + extra.get("memory", 0),
    )


def _sum(parts: Iterable[Both]) -> Both:
    cpu = memory = 0
    for one, other in parts:
        cpu += one
        memory += other
    return cpu, memory


def _largest(one: Both, other: Both) -> Both:
    return max(one[0], other[0]), max(one[1], other[1])
