"""What only some kinds are read by: metadata alone, Helm's Secrets, custom resources in JSON."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from clusters.kube import stream, watch
from clusters.kube.client import Client
from clusters.kube.discovery import CustomResourceFound, custom_resources
from clusters.kube.kinds import KINDS, Kind, custom
from clusters.kube.timing import Timing
from clusters.kube.types import SERVICE_ACCOUNT, Connection, Row
from testbed.cluster import Cluster
from testbed.waiting import wait_until
from tests.kube import helm_secrets
from tests.kube.following import Watched, following

pytestmark = pytest.mark.cluster

TIMING = Timing(first_pause=0.05, longest_pause=0.2, connect=5, silence=60, sync=20)
VALUE = "planted-value"


@pytest.fixture(params=["streaming list", "list"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How the first state is read; a server that refuses the first way is asked the other way."""
    if request.param == "list":
        monkeypatch.setitem(watch.WATCH_LIST, "resourceVersionMatch", "Unheard-of")


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> bytearray:
    """Everything that any cluster sends from now on."""
    found = bytearray()
    read = stream.Response.read

    async def listen(response: stream.Response, wait: float) -> bytes:
        data = await read(response, wait)
        found.extend(data)
        return data

    monkeypatch.setattr(stream.Response, "read", listen)
    return found


def named(watched: Watched, namespace: str) -> dict[str, Row]:
    return {row.name: row for row in watched.rows.values() if row.namespace == namespace}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("kind", "field"), [("ConfigMap", "data"), ("Secret", "stringData")], ids=str
)
async def test_no_value_reaches_mcm(
    cluster: Cluster,
    connection: Connection,
    namespace: str,
    received: bytearray,
    kind: str,
    field: str,
) -> None:
    plural = KINDS[kind].topic
    path = f"/api/v1/namespaces/{namespace}/{plural}"
    api = cluster.api

    def manifest(name: str) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, field: {"a": VALUE}}

    await asyncio.to_thread(api.post, path, manifest("first"))
    async with following(connection, kind, TIMING) as watched:
        await watched.until(lambda: "first" in named(watched, namespace))
        await asyncio.to_thread(api.post, path, manifest("second"))
        await watched.until(lambda: "second" in named(watched, namespace))
        await asyncio.to_thread(api.patch, f"{path}/first", {"metadata": {"labels": {"a": "b"}}})
        await watched.until(lambda: named(watched, namespace)["first"].labels == {"a": "b"})
        await asyncio.to_thread(api.delete, f"{path}/first")
        await watched.until(lambda: "first" not in named(watched, namespace))
        assert not watched.lost
    assert b"second" in received
    assert VALUE.encode() not in received
    # Secrets are base64 in JSON.
    assert b"cGxhbnRlZC12YWx1ZQ" not in received


@pytest.mark.usefixtures("way")
async def test_releases_are_followed(
    cluster: Cluster, connection: Connection, namespace: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/secrets"
    api = cluster.api
    plain = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "other"}}
    broken = helm_secrets.manifest("broken", 1, "deployed")
    broken["data"]["release"] = "bm8gcmVsZWFzZQ=="
    for each in (plain, helm_secrets.manifest("web", 1, "deployed"), broken):
        await asyncio.to_thread(api.post, path, each)

    def states(watched: Watched) -> dict[str, tuple[str, str]]:
        rows = named(watched, namespace).values()
        return {row.facts["release"] + row.facts["revision"]: (row.status, row.health)
                for row in rows}  # fmt: skip

    async with following(connection, "HelmRelease", TIMING) as watched:
        await watched.until(lambda: states(watched) == {"web1": ("deployed", "healthy")})
        assert watched.listed[0].skipped >= 1
        later = helm_secrets.manifest("web", 2, "pending-upgrade")
        await asyncio.to_thread(api.post, path, later)
        await watched.until(
            lambda: states(watched).get("web2") == ("pending-upgrade", "progressing")
        )
        later = helm_secrets.manifest("web", 2, "failed")
        await asyncio.to_thread(api.patch, f"{path}/{later['metadata']['name']}", later)
        await watched.until(lambda: states(watched).get("web2") == ("failed", "failing"))
        await asyncio.to_thread(api.delete, f"{path}/sh.helm.release.v1.web.v1")
        await watched.until(lambda: set(states(watched)) == {"web2"})
        assert VALUE not in str(watched.events)


@pytest.fixture
def widgets(cluster: Cluster, namespace: str) -> Iterator[Kind]:
    """A custom resource of its own group, ready to be used."""
    group = f"{namespace}.example.com"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    name = {"plural": "widgets", "kind": "Widget"}
    versions = [
        {"name": each, "served": True, "storage": each == "v1",
         "schema": {"openAPIV3Schema": schema}}
        for each in ("v1beta1", "v1")
    ]  # fmt: skip
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": name, "versions": versions},
    }
    cluster.api.post(path, definition)
    wait_until(lambda: cluster.api.answers(f"/apis/{group}/v1/widgets"), "the widgets", timeout=20)
    yield custom(group, "v1", "widgets", "Widget", namespaced=True)
    cluster.api.delete(f"{path}/widgets.{group}")


@pytest.mark.usefixtures("way")
async def test_custom_resources_are_followed(
    cluster: Cluster, connection: Connection, namespace: str, widgets: Kind
) -> None:
    group = widgets.name.partition(".")[2]
    path = f"/apis/{group}/v1/namespaces/{namespace}/widgets"
    api = cluster.api

    def manifest(name: str, status: Any) -> dict[str, Any]:
        metadata = {"name": name, "labels": {"app": name}}
        version = f"{group}/v1"
        return {"apiVersion": version, "kind": "Widget", "metadata": metadata, "status": status}

    def states(watched: Watched) -> dict[str, tuple[str, str]]:
        return {row.name: (row.status, row.health) for row in watched.rows.values()}

    await asyncio.to_thread(api.post, path, manifest("a", {"phase": "Running"}))
    async with following(connection, widgets, TIMING) as watched:
        await watched.until(lambda: states(watched) == {"a": ("Running", "healthy")})
        await asyncio.to_thread(api.post, path, manifest("b", None))
        await watched.until(lambda: states(watched).get("b") == ("", "idle"))
        ready = {"conditions": [{"type": "Ready", "status": "False", "reason": "Broken"}]}
        await asyncio.to_thread(api.patch, f"{path}/b", {"status": ready})
        await watched.until(lambda: states(watched).get("b") == ("Broken", "degraded"))
        await asyncio.to_thread(api.delete, f"{path}/a")
        await watched.until(lambda: set(states(watched)) == {"b"})
        assert not watched.lost
        assert {row.kind for row in watched.rows.values()} == {f"Widget.{group}"}


def test_custom_resources_are_found(connection: Connection, widgets: Kind) -> None:
    group = widgets.name.partition(".")[2]
    mine = CustomResourceFound(group, "v1", "widgets", "Widget", namespaced=True)
    with Client(connection, SERVICE_ACCOUNT) as client:
        wait_until(lambda: mine in custom_resources(client), "the discovery", timeout=20)
        found = custom_resources(client)
    assert not {each.kind for each in found} & {"Deployment", "Lease", "APIService", "NodeMetrics"}
