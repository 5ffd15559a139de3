"""Kubeconfigs that lead through MCM: its address, a person's token, its certificate authority."""

import base64
from typing import Any

import yaml


def kubeconfig(
    cluster: str, server: str, *, user: str, token: str, ca: str = "", namespace: str = ""
) -> str:
    """The file, with everything inline. Without `ca` kubectl trusts what its system trusts."""
    reached: dict[str, str] = {"server": server}
    if ca:
        reached["certificate-authority-data"] = base64.b64encode(ca.encode()).decode()
    # Named so that it can be merged with others.
    who = f"mcm-{user}-{cluster}"
    context = {"cluster": f"mcm-{cluster}", "user": who}
    if namespace:
        context["namespace"] = namespace
    config: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": f"mcm-{cluster}",
        "clusters": [{"name": f"mcm-{cluster}", "cluster": reached}],
        "contexts": [{"name": f"mcm-{cluster}", "context": context}],
        "users": [{"name": who, "user": {"token": token}}],
    }
    return yaml.safe_dump(config, sort_keys=False)
