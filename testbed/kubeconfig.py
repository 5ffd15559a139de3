"""Kubeconfigs as text: everything inline, no file references."""

import base64
import json

from testbed.api import Json
from testbed.certs import Pair


def with_certificate(name: str, port: int, ca: bytes, user: str, pair: Pair) -> str:
    """A kubeconfig whose user is a client certificate."""
    identity = {
        "client-certificate-data": _inline(pair.certificate),
        "client-key-data": _inline(pair.key),
    }
    return _text(name, port, ca, user, identity)


def with_token(name: str, port: int, ca: bytes, user: str, token: str) -> str:
    """A kubeconfig whose user is a bearer token."""
    return _text(name, port, ca, user, {"token": token})


def _text(name: str, port: int, ca: bytes, user: str, identity: Json) -> str:
    user_name = f"{name}-{user}"
    server = {"server": f"https://127.0.0.1:{port}", "certificate-authority-data": _inline(ca)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": server}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user_name}}],
        "users": [{"name": user_name, "user": identity}],
    }
    # JSON is YAML: no library is needed to write it.
    return json.dumps(config, indent=2) + "\n"


def _inline(content: bytes) -> str:
    return base64.b64encode(content).decode()
