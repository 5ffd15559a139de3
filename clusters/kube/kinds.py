"""The kinds that are copied: where they are listed and how they become rows.

A kind without protobuf (custom resources) gets another `accept` and a decoder of its JSON.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from clusters.kube.project import namespace_row, node_row, pod_row
from clusters.kube.schema import MESSAGE
from clusters.kube.types import Row

PROTOBUF = "application/vnd.kubernetes.protobuf"


class Kind(NamedTuple):
    """How one kind is read: `decode` takes an object's bytes, `project` makes its row."""

    name: str
    path: str
    decode: Callable[[bytes], Any]
    project: Callable[[Any], Row]
    accept: str = PROTOBUF


KINDS = {
    kind.name: kind
    for kind in (
        Kind("Pod", "/api/v1/pods", MESSAGE["Pod"].FromString, pod_row),
        Kind("Node", "/api/v1/nodes", MESSAGE["Node"].FromString, node_row),
        Kind("Namespace", "/api/v1/namespaces", MESSAGE["Namespace"].FromString, namespace_row),
    )
}
