"""Secrets as Helm makes them for its releases."""

import base64
import gzip
import json
from typing import Any

from clusters.kube.schema import MESSAGE


def release(name: str = "shop", version: int = 3, status: str = "deployed") -> dict[str, Any]:
    """What Helm stores, with a value that must never be shown."""
    return {
        "name": name,
        "info": {"status": status, "notes": "planted-value"},
        "chart": {
            "metadata": {"name": "web", "version": "1.4.2", "appVersion": "v7"},
            "templates": [{"name": "a", "data": "cGxhbnRlZA=="}],
            "values": {"password": "planted-value"},
        },
        "config": {"password": "planted-value"},
        "manifest": "planted-value",
        "version": version,
        "namespace": "shop",
    }


def packed(content: Any) -> bytes:
    """JSON, gzip, base64."""
    return base64.b64encode(gzip.compress(json.dumps(content).encode()))


def secret(data: bytes, type_: str = "helm.sh/release.v1") -> Any:
    """The Secret message that holds `data`."""
    metadata = {"name": "sh.helm.release.v1.shop.v3", "uid": "uid-1", "resourceVersion": "7"}
    return MESSAGE["Secret"](
        metadata=metadata, type=type_, data=[{"key": "release", "value": data}]
    )


def manifest(name: str, version: int, status: str) -> dict[str, Any]:
    """The Secret to post to an API server."""
    data = packed(release(name, version, status))
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": {"name": f"sh.helm.release.v1.{name}.v{version}"},
        "data": {"release": base64.b64encode(data).decode()},
    }
