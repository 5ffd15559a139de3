"""The watch beside a real API server."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clusters.kube import errors, kubeconfig
from clusters.kube.client import Client
from clusters.kube.kinds import KINDS
from clusters.kube.types import SERVICE_ACCOUNT, Connection, Identity, Row
from clusters.kube.watch import Timing, follow, probe
from testbed.cluster import Cluster
from tests.kube.following import Watched, following

pytestmark = pytest.mark.cluster

# Slow pauses would make the test slow, not truer.
TIMING = Timing(first_pause=0.1, longest_pause=1, connect=2, silence=90)


def manifest(name: str, **labels: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {"containers": [{"name": "app", "image": "registry.example.com/web:1"}]},
    }


def listed(connection: Connection) -> dict[str, Row]:
    with Client(connection, SERVICE_ACCOUNT) as client:
        return {row.uid: row for row in client.pods()}


def shown(rows: dict[str, Row]) -> dict[str, tuple[object, ...]]:
    """Everything but the version, which moves without showing."""
    return {uid: (r.name, r.status, r.ready, r.node, tuple(r.labels)) for uid, r in rows.items()}


async def settle(watched: Watched, connection: Connection) -> None:
    """Waits until the watch and a fresh list tell the same."""
    for _ in range(200):
        if shown(watched.rows) == shown(await asyncio.to_thread(listed, connection)):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the watch and a fresh list differ")


async def test_a_pod_is_seen_as_it_comes_changes_and_goes(
    cluster: Cluster, connection: Connection, namespace: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods"
    api = cluster.api

    def mine(watched: Watched) -> list[Row]:
        return [row for row in watched.rows.values() if row.namespace == namespace]

    async with following(connection, timing=TIMING) as watched:
        await watched.until(lambda: watched.listed)
        await asyncio.to_thread(api.post, path, manifest("web", app="web"))
        await watched.until(lambda: [row.status for row in mine(watched)] == ["Running"])
        assert mine(watched)[0].node
        patch = {"metadata": {"labels": {"app": "other"}}}
        await asyncio.to_thread(api.patch, f"{path}/web", patch)
        await watched.until(lambda: mine(watched)[0].labels["app"] == "other")
        await asyncio.to_thread(api.delete, f"{path}/web", {"gracePeriodSeconds": 0})
        await watched.until(lambda: not mine(watched))
        assert not watched.lost
        await settle(watched, connection)


async def test_nodes_are_seen(connection: Connection) -> None:
    async with following(connection, kind="Node", timing=TIMING) as watched:
        await watched.until(lambda: watched.listed)
        assert {row.status for row in watched.rows.values()} == {"Ready"}


async def test_an_identity_without_rights_is_told_so(connection: Connection) -> None:
    somebody = Identity("mcm:nobody", ("mcm:team:none:viewer",))
    async for event in follow(connection, somebody, KINDS["Pod"], timing=TIMING):
        error = getattr(event, "error", None)
        assert isinstance(error, errors.Forbidden)
        assert "mcm:nobody" in str(error)
        break


async def test_a_probe_takes_milliseconds(connection: Connection) -> None:
    assert await probe(connection, SERVICE_ACCOUNT) < 1


async def test_open_sockets_do_not_pile_up(connection: Connection) -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    await probe(connection, SERVICE_ACCOUNT)
    before = count()
    for _ in range(30):
        await probe(connection, SERVICE_ACCOUNT)
    await asyncio.sleep(0.1)
    assert count() <= before + 1


@pytest.fixture
def own_cluster(testbed_home: Path) -> Iterator[Cluster]:
    """A cluster that this test may kill."""
    made = Cluster("fault", testbed_home / "kube-watch-fault")
    made.home.mkdir(mode=0o700, exist_ok=True)
    made.start()
    yield made
    made.stop()


async def test_a_watch_survives_what_happens_to_the_api_server(own_cluster: Cluster) -> None:
    connection = kubeconfig.parse(own_cluster.kubeconfig)
    api = own_cluster.api
    path = "/api/v1/namespaces/default/pods"
    chance = random.Random(7)

    async def churn(first: int) -> None:
        for number in range(first, first + 10):
            await asyncio.to_thread(api.post, path, manifest(f"web-{number}", app="web"))
        for number in chance.sample(range(first, first + 10), 4):
            await asyncio.to_thread(api.delete, f"{path}/web-{number}", {"gracePeriodSeconds": 0})

    async with following(connection, timing=TIMING) as watched:
        await watched.until(lambda: watched.listed)
        await churn(0)
        await settle(watched, connection)

        own_cluster.kill()
        await watched.until(lambda: watched.lost)
        assert watched.lost[-1].error.code == "unreachable"
        assert watched.rows
        await asyncio.to_thread(own_cluster.restart)
        await churn(10)
        await settle(watched, connection)

        own_cluster.pause()
        with pytest.raises(errors.TimedOut):
            await probe(connection, SERVICE_ACCOUNT, 0.5)
        own_cluster.resume()
        await churn(20)
        await settle(watched, connection)
