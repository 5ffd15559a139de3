"""Objects as the replay server holds them, and how they look in JSON and in protobuf."""

import itertools
import json
import uuid
from dataclasses import dataclass, field, replace
from typing import Any, Self

from testbed.api import Api, Json
from testbed.replay import wire

BORN = "2026-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Thing:
    """One object of any kind.

    `body` holds what it has besides its identity. `raw` is the protobuf of a recorded object: name,
    version and `body` are laid over it, as protobuf merges messages.
    """

    kind: str
    name: str
    namespace: str = ""
    uid: str = field(default_factory=lambda: str(uuid.uuid4()))
    version: int = 0
    api_version: str = "v1"
    body: Json = field(default_factory=dict)
    raw: bytes = b""

    @property
    def json(self) -> Json:
        """What stands in JSON lists and events."""
        metadata = {
            "name": self.name, "namespace": self.namespace, "uid": self.uid,
            "resourceVersion": str(self.version), "creationTimestamp": BORN,
            **self.body.get("metadata", {}),
        }  # fmt: skip
        types = {"apiVersion": self.api_version, "kind": self.kind}
        return {**types, **self.body, "metadata": metadata}

    @property
    def message(self) -> bytes:
        """What stands in protobuf lists."""
        parts = self.json
        del parts["apiVersion"], parts["kind"]
        if self.raw:
            del parts["metadata"]["creationTimestamp"]
        return self.raw + wire.encode(self.kind if self.kind in wire.SHAPES else "Any", parts)

    def now(self, **parts: Any) -> Self:
        """The same object with other `body` parts, e.g. `status`."""
        return replace(self, body={**self.body, **parts})


def pod(name: str, namespace: str = "shop", **parts: Any) -> Thing:
    """A pod that runs; `metadata`, `spec` and `status` change it."""
    running = {"name": "app", "ready": True, "restartCount": 0, "state": {"running": {}}}
    body = {
        "metadata": parts.pop("metadata", {}),
        "spec": {"containers": [{"name": "app", "image": "web:1"}], **parts.pop("spec", {})},
        "status": {"phase": "Running", "containerStatuses": [running], **parts.pop("status", {})},
    }
    return Thing("Pod", name, namespace, body=body, **parts)


def node(name: str) -> Thing:
    """A node that is ready."""
    return Thing("Node", name, body={"status": {"conditions": [_true("Ready")]}})


def namespace(name: str) -> Thing:
    """A namespace that is active."""
    return Thing("Namespace", name, body={"status": {"phase": "Active"}})


def recorded(api: Api, path: str, kind: str) -> list[bytes]:
    """The objects of a list of a real API server, each a `raw` for a Thing of this kind."""
    found = wire.items(api.raw(path, "application/vnd.kubernetes.protobuf"))
    if not found:
        raise ValueError(f"{path} holds no {kind}")
    return found


def copies(kind: str, raws: list[bytes], count: int, namespace: str = "shop") -> list[Thing]:
    """`count` objects made of recorded ones in turn, each with a name and uid of its own."""
    stem = kind.lower()
    return [
        Thing(kind, f"{stem}-{number:05d}", namespace, raw=raw)
        for number, raw in zip(range(count), itertools.cycle(raws), strict=False)
    ]


def event(type_: str, thing: Thing, *, protobuf: bool) -> bytes:
    """An event of a watch stream about the object."""
    if protobuf:
        inside = wire.unknown(thing.api_version, thing.kind, thing.message)
        return wire.frame(type_, inside)
    return json.dumps({"type": type_, "object": thing.json}).encode() + b"\n"


def bookmark(kind: str, version: int, *, protobuf: bool, initial_end: bool = False) -> bytes:
    """A bookmark; `initial_end`: the one that ends the first state of a streaming list."""
    annotations = {wire.INITIAL_EVENTS_END: "true"} if initial_end else {}
    metadata: Json = {"resourceVersion": str(version), "annotations": annotations}
    if protobuf:
        raw = wire.encode("Any", {"metadata": metadata})
        return wire.frame("BOOKMARK", wire.unknown("v1", kind, raw))
    inside = {"kind": kind, "apiVersion": "v1", "metadata": metadata}
    return json.dumps({"type": "BOOKMARK", "object": inside}).encode() + b"\n"


def failure(code: int, message: str = "", *, protobuf: bool, retry_after: int = 0) -> bytes:
    """An ERROR event with a Status."""
    status: Json = {"status": "Failure", "code": code, "message": message}
    if retry_after:
        status["details"] = {"retryAfterSeconds": retry_after}
    if protobuf:
        inside = wire.unknown("v1", "Status", wire.encode("Status", status))
        return wire.frame("ERROR", inside)
    whole = {"kind": "Status", "apiVersion": "v1", **status}
    return json.dumps({"type": "ERROR", "object": whole}).encode() + b"\n"


def _true(condition: str) -> Json:
    return {"type": condition, "status": "True"}
