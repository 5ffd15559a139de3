"""The way from a real cluster into PostgreSQL and out to the pages; and what stops on it."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from clusters import tasks
from clusters.collector import CORE, Collector, Shared, forever
from clusters.collector import cluster as collecting_one
from clusters.kube import kubeconfig
from clusters.kube.client import Client
from clusters.kube.types import SERVICE_ACCOUNT, Connection
from clusters.models import Cluster, KindState, Namespace, Object
from clusters.store import leases
from testbed.cluster import Cluster as RealCluster
from tests import factories
from tests.clusters.conftest import pod_manifest
from tests.clusters.sockets import cookie_of, in_database, opened
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]


@asynccontextmanager
async def collecting(cluster: Cluster) -> AsyncIterator[Collector]:
    """A collector of the cluster that runs during the block."""
    held = (await in_database(leases.renew_and_take)("test"))[cluster.pk]
    shared = Shared()
    running = Collector(cluster.connection, held.fence, shared)
    running.follow(held.customs)
    task = asyncio.create_task(running.run())
    try:
        yield running
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await asyncio.to_thread(shared.close)


def registered(real: RealCluster, name: str = "real") -> Cluster:
    return factories.ClusterFactory.create(name=name, connection=kubeconfig.parse(real.kubeconfig))


def listed(connection: Connection, kind: str) -> set[tuple[str, str, str]]:
    with Client(connection, SERVICE_ACCOUNT) as client:
        return {(row.uid, row.name, row.status) for row in client.rows(kind)}


def core(state: str) -> int:
    """How many of the core kinds are in this state."""
    return KindState.objects.filter(state=state, kind__in=CORE).count()


def agrees(cluster: Cluster) -> bool:
    """Whether the rows equal a fresh list of the cluster."""
    for kind in CORE:
        rows = Object.objects.filter(cluster=cluster, kind=kind)
        if set(rows.values_list("uid", "name", "status")) != listed(cluster.connection, kind):
            return False
    return True


@pytest.mark.usefixtures("quiet_hub")
async def test_a_pod_comes_changes_and_goes_on_the_page(
    admin: Any, cluster: RealCluster, namespace: str
) -> None:
    stored = await in_database(registered)(cluster)
    cookie = await in_database(cookie_of)(admin)
    pods = Object.objects.filter(kind="Pod", namespace=namespace)
    path = f"/api/v1/namespaces/{namespace}/pods"
    async with opened(cookie, "pods") as page, collecting(stored) as running:
        await until(lambda: core("watching") == 3)
        await asyncio.to_thread(cluster.api.post, path, pod_manifest("web"))
        while True:
            message = await page.until("changed")
            # It is told after the commit: the page that asks now finds the row.
            row = await in_database(pods.filter(pk__in=message.get("keys", [])).first)()
            if row is not None and row.status == "Running":
                break
        assert (row.name, row.health, row.images) == ("web", "healthy", ["registry.example/web:1"])
        assert row.node
        assert running.live
        await until(lambda: Cluster.objects.get().status == "active")
        await asyncio.to_thread(cluster.api.delete, f"{path}/web", {"gracePeriodSeconds": 0})
        while (
            str(row.pk) not in (await page.until("changed")).get("keys", [])
            or await in_database(pods.exists)()
        ):
            continue
        await until(lambda: Namespace.objects.filter(name=namespace).exists())
    assert not await in_database(pods.exists)()


@pytest.fixture(scope="module")
def own_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    """A cluster that these tests may kill, in a folder of this worker's own."""
    made = RealCluster("collected", tmp_path_factory.mktemp("collected"))
    made.start()
    yield made
    made.stop()


async def test_a_cluster_that_dies_and_comes_back(
    own_cluster: RealCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting_one, "PROBE_SECONDS", 0.3)
    stored = await in_database(registered)(own_cluster)
    path = "/api/v1/namespaces/default/pods"

    def status() -> str:
        return Cluster.objects.get().status

    async with collecting(stored) as running:
        await until(lambda: Object.objects.filter(kind="Node").count() == 3)
        await asyncio.to_thread(own_cluster.api.post, path, pod_manifest("before"))
        await until(lambda: Object.objects.filter(name="before").exists())

        own_cluster.kill()
        began = time.monotonic()
        await until(lambda: status() == "unreachable")
        assert time.monotonic() - began < 15
        assert not running.live
        assert await in_database(Object.objects.filter(name="before").exists)()
        await until(lambda: core("lost") == 3)

        await asyncio.to_thread(own_cluster.restart)
        await asyncio.to_thread(own_cluster.api.post, path, pod_manifest("after"))
        await until(lambda: status() == "active")
        await until(lambda: Object.objects.filter(name="after").exists())
        await until(lambda: agrees(stored))
        await until(lambda: running.live)


async def test_a_collector_that_lost_its_lease_ends(cluster: RealCluster, namespace: str) -> None:
    stored = await in_database(registered)(cluster)
    held = (await in_database(leases.renew_and_take)("one"))[stored.pk]
    await in_database(leases.release)("one")
    await in_database(leases.renew_and_take)("two")
    shared = Shared()
    running = Collector(stored.connection, held.fence, shared)
    await asyncio.wait_for(forever("test", running.run), 30)
    await asyncio.to_thread(shared.close)
    assert not await in_database(Object.objects.exists)()


def test_one_that_hangs_ends_in_time_and_stops_no_other(
    own_cluster: RealCluster,
    cluster: RealCluster,
    black_hole: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "DEADLINE", 1.0)
    paused, good = registered(own_cluster, "paused"), registered(cluster, "good")
    hole = factories.ClusterFactory.create(
        name="hole",
        connection=Connection(server=f"https://127.0.0.1:{black_hole}", token="planted"),
    )
    own_cluster.pause()
    try:
        took = {}
        for each in (paused, hole, good):
            began = time.monotonic()
            tasks.poll_cluster(str(each.pk))
            took[each.name] = time.monotonic() - began
    finally:
        own_cluster.resume()
    found = dict(Cluster.objects.values_list("name", "status"))
    assert found == {"paused": "unreachable", "hole": "unreachable", "good": "active"}
    assert max(took.values()) < 5
    assert "time" in Cluster.objects.get(name="hole").status_reason
