"""Kubernetes' protobuf as an API server writes it, from the same dictionaries as its JSON.

Written apart from what MCM reads with, so that neither can hide the other's mistakes. Numbers:
generated.proto of k8s.io/api/core/v1 and k8s.io/apimachinery. Only what the replay server says is
in the tables; objects of any kind can be recorded from a real API server instead.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from testbed.api import Json

MAGIC = b"k8s\x00"
INITIAL_EVENTS_END = "k8s.io/initial-events-end"

# Field: its number and the shape of what is inside; "map" for map<string, string>, "" for scalars.
SHAPES: dict[str, dict[str, tuple[int, str]]] = {
    "Metadata": {
        "name": (1, ""), "namespace": (3, ""), "uid": (5, ""), "resourceVersion": (6, ""),
        "creationTimestamp": (8, "Time"), "labels": (11, "map"), "annotations": (12, "map"),
        "ownerReferences": (13, "Owner"),
    },
    "Owner": {
        "kind": (1, ""), "name": (3, ""), "uid": (4, ""), "apiVersion": (5, ""),
        "controller": (6, ""),
    },
    "Any": {"metadata": (1, "Metadata")},
    "Pod": {"metadata": (1, "Metadata"), "spec": (2, "PodSpec"), "status": (3, "PodStatus")},
    "PodSpec": {"containers": (2, "Container"), "nodeName": (10, "")},
    "Container": {"name": (1, ""), "image": (2, "")},
    "PodStatus": {
        "phase": (1, ""), "conditions": (2, "Condition"), "reason": (4, ""),
        "containerStatuses": (8, "ContainerStatus"),
    },
    "ContainerStatus": {
        "name": (1, ""), "state": (2, "ContainerState"), "ready": (4, ""),
        "restartCount": (5, ""),
    },
    "ContainerState": {"running": (2, "Running")},
    "Running": {"startedAt": (1, "Time")},
    "Condition": {"type": (1, ""), "status": (2, "")},
    "Node": {"metadata": (1, "Metadata"), "status": (3, "NodeStatus")},
    "NodeStatus": {"conditions": (4, "Condition")},
    "Namespace": {"metadata": (1, "Metadata"), "status": (3, "NamespaceStatus")},
    "NamespaceStatus": {"phase": (1, "")},
    "List": {"metadata": (1, "ListMetadata"), "items": (2, "")},
    "ListMetadata": {"resourceVersion": (2, ""), "continue": (3, "")},
    "TypeMeta": {"apiVersion": (1, ""), "kind": (2, "")},
    "Unknown": {"typeMeta": (1, "TypeMeta"), "raw": (2, "")},
    "RawExtension": {"raw": (1, "")},
    "WatchEvent": {"type": (1, ""), "object": (2, "RawExtension")},
    "Status": {
        "status": (2, ""), "message": (3, ""), "reason": (4, ""), "details": (5, "Details"),
        "code": (6, ""),
    },
    "Details": {"retryAfterSeconds": (5, "")},
}  # fmt: skip


def encode(shape: str, value: Json) -> bytes:
    """The message; KeyError for a field that the tables do not have."""
    known = SHAPES[shape]
    return b"".join(
        _field(*known[name], each) for name, content in value.items() for each in _all(content)
    )


def unknown(api_version: str, kind: str, raw: bytes) -> bytes:
    """An object as it stands in answers and events: magic, type and the message."""
    types = {"apiVersion": api_version, "kind": kind}
    return MAGIC + encode("Unknown", {"typeMeta": types, "raw": raw})


def page(items: list[bytes], version: int, following: str, kind: str) -> bytes:
    """A page of a list; `following` is the continue token, "" on the last."""
    metadata = {"resourceVersion": str(version), "continue": following}
    raw = encode("List", {"metadata": metadata, "items": items})
    return unknown("v1", f"{kind}List", raw)


def frame(type_: str, inside: bytes) -> bytes:
    """A frame of a watch stream around an `unknown`."""
    event = encode("WatchEvent", {"type": type_, "object": {"raw": inside}})
    return len(event).to_bytes(4, "big") + event


def items(body: bytes) -> list[bytes]:
    """The objects of a list that a real API server answered."""
    raw = next(value for number, value in _read(body[len(MAGIC) :]) if number == 2)
    return [value for number, value in _read(raw) if number == 2]


def _all(content: Any) -> list[Any]:
    return content if isinstance(content, list) else [content]


def _field(number: int, shape: str, value: Any) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    if shape == "map":
        pairs = ((_field(1, "", key) + _field(2, "", text)) for key, text in value.items())
        return b"".join(_field(number, "", pair) for pair in pairs)
    if shape == "Time":
        value = _field(1, "", int(datetime.fromisoformat(value).timestamp()))
    elif shape:
        value = encode(shape, value)
    data = value if isinstance(value, bytes) else value.encode()
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    made.append(value)
    return bytes(made)


def _read(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The length-delimited fields, which are all that lists and their envelopes have."""
    position = 0
    while position < len(data):
        key, position = _read_varint(data, position)
        size, position = _read_varint(data, position)
        if key & 7 == 2:
            yield key >> 3, data[position : position + size]
            position += size


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return value, position
