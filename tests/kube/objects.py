"""Objects of the API in protobuf, as a fake server sends them."""

from typing import Any

from clusters.kube.schema import MAGIC, MESSAGE


def pod(name: str = "web", version: int = 1, **parts: Any) -> Any:
    """A Pod message; `metadata`, `spec` and `status` are added to small defaults."""
    metadata = {
        "name": name,
        "namespace": "shop",
        "uid": f"uid-{name}",
        "resourceVersion": str(version),
        "creationTimestamp": {"seconds": 1_700_000_000},
        **undecoded(parts.get("metadata", {})),
    }
    spec = {"containers": [{"name": "app", "image": "web:1"}], **parts.get("spec", {})}
    status = {
        "phase": "Running",
        "containerStatuses": [{"name": "app", "ready": True, "state": {"running": {}}}],
        **parts.get("status", {}),
    }
    return MESSAGE["Pod"](metadata=metadata, spec=spec, status=status)


def undecoded(metadata: dict[str, Any]) -> dict[str, Any]:
    """Labels and owners as the bytes that `schema` leaves them."""
    kinds = {"labels": "Pair", "ownerReferences": "OwnerReference"}
    return {
        key: [MESSAGE[kinds[key]](**each).SerializeToString() for each in value]
        if key in kinds
        else value
        for key, value in metadata.items()
    }


def node(name: str = "node-1", **parts: Any) -> Any:
    """A Node message that is Ready unless `status` says otherwise."""
    metadata = {"name": name, "uid": f"uid-{name}", "resourceVersion": "1"}
    status = {"conditions": [{"type": "Ready", "status": "True"}], **parts.get("status", {})}
    return MESSAGE["Node"](metadata=metadata, spec=parts.get("spec", {}), status=status)


def event(type_: str, message: Any) -> bytes:
    """A frame of a watch stream; `message` is a message or its bytes."""
    raw = message if isinstance(message, bytes) else message.SerializeToString()
    return _frame(type_, MAGIC + MESSAGE["Unknown"](raw=raw).SerializeToString())


def bookmark(version: int, *, initial_end: bool = False) -> bytes:
    """A bookmark; `initial_end`: the one that ends the first state of a WatchList."""
    raw: bytes = MESSAGE["Pod"](metadata={"resourceVersion": str(version)}).SerializeToString()
    if initial_end:
        entry = _field(1, b"k8s.io/initial-events-end") + _field(2, b"true")
        raw += _field(1, _field(12, entry))  # metadata.annotations, merged into the message
    return event("BOOKMARK", raw)


def failure(code: int, message: str = "", retry_after: int = 0) -> Any:
    """A Status message."""
    return MESSAGE["Status"](code=code, message=message, details={"retryAfterSeconds": retry_after})


def page(pods: list[Any], version: int, following: str = "") -> bytes:
    """A page of a PodList."""
    metadata = {"resourceVersion": str(version), "continue": following}
    items = [each if isinstance(each, bytes) else each.SerializeToString() for each in pods]
    made = MESSAGE["RawList"](metadata=metadata, items=items)
    whole: bytes = MESSAGE["Unknown"](raw=made.SerializeToString()).SerializeToString()
    return MAGIC + whole


def _frame(type_: str, raw: bytes) -> bytes:
    made: bytes = MESSAGE["WatchEvent"](type=type_, object={"raw": raw}).SerializeToString()
    return len(made).to_bytes(4, "big") + made


def _field(number: int, data: bytes) -> bytes:
    assert len(data) < 128
    return bytes([number << 3 | 2, len(data)]) + data
