"""Kubeconfigs of the real test cluster, good and bad; a collector without one."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import pytest

from clusters.collector import Collector, running
from clusters.kube import watch
from clusters.kube.kinds import Kind
from clusters.models import Cluster
from testbed.cluster import Cluster as RealCluster
from tests.clusters import followed


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


def pod_manifest(name: str) -> dict[str, Any]:
    """A pod that an API server takes, whatever its namespace."""
    container = {"name": "app", "image": "registry.example/web:1"}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"containers": [container]},
    }  # fmt: skip


def to_port(kubeconfig: str, port: int) -> str:
    return changed(kubeconfig, cluster={"server": f"https://127.0.0.1:{port}"})


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> followed.Says:
    """What the watch of each kind tells, as a test puts it in; every probe is answered."""
    queues: followed.Says = defaultdict(asyncio.Queue)

    async def follow(
        _connection: Any, _identity: Any, kind: Kind, *, turn: watch.Turn, **_options: Any
    ) -> AsyncIterator[watch.Event]:
        async with turn() as end_turn:
            while True:
                event = await queues[kind.name].get()
                end_turn()
                yield event

    async def probe(*_args: Any) -> float:
        return 0.0

    # Most kinds of a test are never listed: they must not keep the others waiting.
    monkeypatch.setattr(running, "LISTS_OF_A_CLUSTER", 100)
    monkeypatch.setattr(watch, "follow", follow)
    monkeypatch.setattr(watch, "probe", probe)
    return queues


@pytest.fixture(name="running")
async def running_collector(prod: Cluster, says: followed.Says) -> AsyncIterator[Collector]:
    """A collector of prod."""
    async with followed.following(prod) as made:
        yield made
