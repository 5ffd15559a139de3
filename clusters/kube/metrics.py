"""What nodes and pods use now, from the metrics API (metrics-server).

https://github.com/kubernetes/metrics: `metrics.k8s.io/v1beta1`. Its lists come in one piece.
"""

from collections.abc import Iterable, Iterator
from typing import TypeVar
from urllib.parse import quote

import msgspec

from clusters.kube import errors, quantity
from clusters.kube.client import Client
from clusters.kube.objects import Part, decode
from clusters.kube.project.base import is_name

PATH = "/apis/metrics.k8s.io/v1beta1"
MOST_SERIES = 100_000
MISSING = errors.sentence(
    "The cluster has no metrics API. Install metrics-server to see what is used."
)
_NANO = 1_000_000


class Usage(msgspec.Struct, frozen=True):
    """What one node uses: millicores and MiB."""

    name: str
    cpu: int
    memory: int


class PodUsage(msgspec.Struct, frozen=True):
    """What one pod uses, all its containers together: millicores and MiB."""

    namespace: str
    name: str
    cpu: int
    memory: int


class _Amounts(msgspec.Struct):
    cpu: str = "0"
    memory: str = "0"


class _Container(msgspec.Struct):
    usage: _Amounts


class _Metadata(msgspec.Struct):
    name: str
    namespace: str = ""


class _Node(msgspec.Struct):
    metadata: _Metadata
    usage: _Amounts


class _Pod(msgspec.Struct):
    metadata: _Metadata
    containers: list[_Container] = []


class _List(Part):
    items: list[msgspec.Raw] = []


_Item = TypeVar("_Item", _Node, _Pod)


def node_usage(client: Client) -> list[Usage]:
    """What each node uses now; KubeError, NotFound where there is no metrics API."""
    found = _items(client, "nodes", _Node)
    return [Usage(each.metadata.name, *_sum([each.usage])) for each in found]


def pod_usage(client: Client, namespace: str = "") -> list[PodUsage]:
    """What each pod uses now, of one namespace or of all; KubeError as for nodes."""
    plural = f"namespaces/{quote(namespace)}/pods" if namespace else "pods"
    return [
        PodUsage(
            each.metadata.namespace, each.metadata.name, *_sum(c.usage for c in each.containers)
        )
        for each in _items(client, plural, _Pod)
    ]


def _items(client: Client, plural: str, kind: type[_Item]) -> Iterator[_Item]:
    """The objects of a list; one that is not what it should be is left out."""
    try:
        body = client.read(f"{PATH}/{plural}")
    except errors.NotFound as error:
        raise errors.NotFound(MISSING, error.status) from error
    for raw in decode(body, _List).items[:MOST_SERIES]:
        try:
            item = msgspec.json.decode(raw, type=kind)
        except (msgspec.MsgspecError, RecursionError):
            continue
        space = item.metadata.namespace
        if is_name(item.metadata.name) and len(space) <= 63 and space.isprintable():
            yield item


def _sum(amounts: Iterable[_Amounts]) -> tuple[int, int]:
    """Rounded once, at the end: the containers of a pod may each use less than a millicore."""
    nanos = memory = 0
    for each in amounts:
        nanos += quantity.nanos(each.cpu)
        memory += quantity.whole(each.memory)
    return (nanos + _NANO // 2) // _NANO, quantity.mebibytes(memory)
