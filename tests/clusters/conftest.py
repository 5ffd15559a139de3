"""Kubeconfigs of the real test cluster, good and bad."""

import json
from typing import Any

import pytest

from testbed.cluster import Cluster as RealCluster


@pytest.fixture
def kubeconfig(cluster: RealCluster) -> str:
    """All rights on the real test cluster."""
    return cluster.kubeconfig


def changed(kubeconfig: str, *, cluster: Any = None, user: Any = None) -> str:
    """The kubeconfig with other fields of its cluster or another user."""
    config = json.loads(kubeconfig)
    config["clusters"][0]["cluster"].update(cluster or {})
    if user is not None:
        config["users"][0]["user"] = user
    return json.dumps(config)


def to_port(kubeconfig: str, port: int) -> str:
    return changed(kubeconfig, cluster={"server": f"https://127.0.0.1:{port}"})
