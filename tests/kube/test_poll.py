"""One poll of a cluster: what it finds, and that it ends in time whatever the cluster does."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clusters.kube import errors, metrics, poll
from clusters.kube.client import Client
from clusters.kube.types import SERVICE_ACCOUNT, Connection
from testbed.cluster import Cluster
from tests.kube.fake import Fake, Handler, Request, forever, head, serve, whole

NODES = {"metadata": {"remainingItemCount": 2, "continue": "more"}, "items": [{}]}
ANSWERS: dict[str, Any] = {
    "/version": {"gitVersion": "v1.37.2"},
    "/readyz": "ok",
    "/api/v1/nodes?limit=1": NODES,
    f"{metrics.PATH}/nodes": {"items": []},
    f"{metrics.PATH}/pods": {"items": []},
}


def answer_of(status: str, body: bytes = b"{}") -> bytes:
    """The server closes each connection, and says so."""
    return whole(status, body, "Connection: close")


def saying(**changed: Any) -> Handler:
    """A cluster that answers; `changed` replaces answers by the last word of their path."""

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        said = ANSWERS.get(request.target)
        for word, other in changed.items():
            if request.target.split("?")[0].endswith(f"/{word.replace('_', '/')}"):
                said = other
        match said:
            case bytes():
                writer.write(said)
            case _ if callable(said):
                await said(writer)
            case _:
                writer.write(answer_of("200 OK", json.dumps(said).encode()))

    return answer


async def hang(_writer: asyncio.StreamWriter) -> None:
    await forever()


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(head(length=10_000))
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def asked(fake: Fake, budget: float = 5) -> poll.Found:
    return await asyncio.to_thread(poll.ask, fake.connection, budget)


def targets(fake: Fake) -> list[str]:
    return [request.target for request in fake.requests]


@pytest.mark.cluster
def test_a_real_cluster_tells_all(cluster: Cluster, connection: Connection) -> None:
    found = poll.ask(connection, 10)
    assert found.version.startswith("v1.")
    assert found.node_count == cluster.spec.nodes
    assert 0 <= found.latency_ms < 10_000
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert found.certificate_expires
    assert found.certificate_expires > tomorrow
    assert found.credential_expires
    assert found.credential_expires > tomorrow


async def test_nodes_are_counted_without_reading_them() -> None:
    async with serve(saying()) as fake:
        assert (await asked(fake)).node_count == 3
    assert [each for each in targets(fake) if "/nodes" in each and "metrics" not in each] == [
        "/api/v1/nodes?limit=1"
    ]


async def test_a_count_that_no_cluster_has_is_cut() -> None:
    much = {"metadata": {"remainingItemCount": 2**62}, "items": [{}]}
    async with serve(saying(v1_nodes=much)) as fake:
        assert (await asked(fake)).node_count == 2**31 - 1


async def test_nodes_may_be_forbidden() -> None:
    async with serve(saying(v1_nodes=answer_of("403 Forbidden"))) as fake:
        found = await asked(fake)
    assert (found.node_count, found.metrics_reason) == (None, "")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("404 Not Found", metrics.MISSING),
        ("403 Forbidden", "The cluster forbids this."),
        ("503 Service Unavailable", "The API server failed (503)."),
    ],
)
async def test_a_cluster_without_metrics_is_polled_all_the_same(status: str, reason: str) -> None:
    async with serve(saying(v1beta1_nodes=answer_of(status))) as fake:
        found = await asked(fake)
    assert (found.version, found.node_count, found.metrics_reason) == ("v1.37.2", 3, reason)
    assert f"{metrics.PATH}/pods" not in targets(fake)


async def test_one_that_is_not_ready_is_asked_nothing_more() -> None:
    async with serve(saying(readyz=answer_of("500 Internal Server Error", b"etcd failed"))) as fake:
        with pytest.raises(errors.ServerFailed):
            await asked(fake)
    assert targets(fake) == ["/version", "/readyz"]


@pytest.mark.parametrize("stuck", [hang, drip], ids=["silent", "dripping"])
@pytest.mark.parametrize("word", ["version", "readyz", "v1_nodes"])
async def test_all_questions_share_one_deadline(word: str, stuck: Any) -> None:
    async with serve(saying(**{word: stuck})) as fake:
        begun = time.monotonic()
        with pytest.raises(errors.TimedOut):
            await asked(fake, budget=0.8)
    assert time.monotonic() - begun < 2


async def test_metrics_that_hang_cost_the_rest_of_the_deadline() -> None:
    async with serve(saying(v1beta1_nodes=hang)) as fake:
        begun = time.monotonic()
        found = await asked(fake, budget=0.8)
    assert time.monotonic() - begun < 2
    assert (found.node_count, found.metrics_reason) == (3, "The cluster did not answer in time.")


def test_a_black_hole_ends_a_knock_in_time(black_hole: int) -> None:
    begun = time.monotonic()
    with pytest.raises(errors.TimedOut):
        poll.knock(Connection(server=f"https://127.0.0.1:{black_hole}"), 0.5)
    assert time.monotonic() - begun < 2


async def test_odd_objects_cost_only_themselves() -> None:
    pod = {
        "metadata": {"name": "web", "namespace": "shop"},
        "containers": [
            {"name": "app", "usage": {"cpu": "100400u", "memory": "10Mi"}},
            {"name": "side", "usage": {"cpu": "200300000n", "memory": "1572864"}},
        ],
    }
    bad: list[Any] = [
        {**pod, "containers": None}, {"metadata": {}}, 7, {**pod, "metadata": {"name": "a\nb"}},
        {**pod, "metadata": {"name": "x", "namespace": "y" * 64}},
    ]  # fmt: skip
    async with serve(saying(v1beta1_pods={"items": [*bad, pod]})) as fake:
        found = await asked(fake)
    # 100.4 + 200.3 millicores, 10 + 1.5 MiB: rounded once, as a whole.
    assert found.pods == [metrics.PodUsage("shop", "web", 301, 12)]


async def test_what_is_no_list_is_a_reason() -> None:
    async with serve(saying(v1beta1_nodes=answer_of("200 OK", b"<html>"))) as fake:
        assert (await asked(fake)).metrics_reason == "The answer is not what Kubernetes sends."


async def test_where_the_count_is_left_out_all_are_counted() -> None:
    async with serve(saying(v1_nodes={"items": [{}], "metadata": {}})) as fake:
        with await asyncio.to_thread(Client, fake.connection, SERVICE_ACCOUNT) as client:
            assert await asyncio.to_thread(client.count, "Node") == 1
