"""Kubeconfigs that lead through MCM: its address, a person's token, its certificate authority."""

import base64
from typing import Any

import yaml


def context(cluster: str) -> str:
    """The name of the cluster and of the context in the file, so that it can be merged with
    others.
    """
    return f"mcm-{cluster}"


def kubeconfig(
    cluster: str, server: str, *, user: str, token: str, ca: str = "", namespace: str = ""
) -> str:
    """The file, with everything inline. Without `ca` kubectl trusts what its system trusts."""
    reached: dict[str, str] = {"server": server}
    if ca:
        reached["certificate-authority-data"] = base64.b64encode(ca.encode()).decode()
    name, who = context(cluster), f"mcm-{user}-{cluster}"
    chosen = {"cluster": name, "user": who}
    if namespace:
        chosen["namespace"] = namespace
    config: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": reached}],
        "contexts": [{"name": name, "context": chosen}],
        "users": [{"name": who, "user": {"token": token}}],
    }
    return yaml.safe_dump(config, sort_keys=False)
