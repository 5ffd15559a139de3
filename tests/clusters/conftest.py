"""Kubeconfigs of the real test cluster, good and bad."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from testbed.cluster import Cluster as RealCluster


@pytest.fixture
def kubeconfig(cluster: RealCluster) -> str:
    """All rights on the real test cluster."""
    return cluster.kubeconfig


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=8) as server:
        yield int(server.getsockname()[1])


def changed(kubeconfig: str, *, cluster: Any = None, user: Any = None) -> str:
    """The kubeconfig with other fields of its cluster or another user."""
    config = json.loads(kubeconfig)
    config["clusters"][0]["cluster"].update(cluster or {})
    if user is not None:
        config["users"][0]["user"] = user
    return json.dumps(config)


def to_port(kubeconfig: str, port: int) -> str:
    return changed(kubeconfig, cluster={"server": f"https://127.0.0.1:{port}"})
