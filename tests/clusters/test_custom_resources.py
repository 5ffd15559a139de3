"""An admin of a cluster turns its custom resources on and off, by page and by API."""

import asyncio
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from clusters.kube import kubeconfig as kube
from clusters.models import Cluster, CustomResource, KindState
from clusters.services import kinds
from clusters.store import leases
from teams.models import AuditEvent, User
from testbed.cluster import Cluster as RealCluster
from testbed.waiting import wait_until
from tests import waiting
from tests.clusters.conftest import to_port
from tests.clusters.followed import entered, following
from tests.clusters.sockets import in_database

pytestmark = pytest.mark.cluster

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture
def resource(cluster: RealCluster) -> Iterator[str]:
    """The full name of a new custom resource of the real cluster."""
    group = f"test-{secrets.token_hex(4)}.example"
    name = f"widgets.{group}"
    schema = {"openAPIV3Schema": {"type": "object"}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
    metadata = {"name": name}
    cluster.api.post(
        DEFINITIONS,
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": metadata,
            "spec": spec,
        },
    )
    wait_until(
        lambda: cluster.api.answers(f"/apis/{group}/v1/widgets"), "the new resource", timeout=30
    )
    yield name
    cluster.api.delete(f"{DEFINITIONS}/{name}")


@pytest.fixture
def registered(prod: Cluster, kubeconfig: str) -> Cluster:
    prod.connection = kube.parse(kubeconfig)
    prod.save()
    return prod


@pytest.fixture
def mcm(client: Client, owner: User) -> Client:
    """The client of an admin of the cluster."""
    client.force_login(owner)
    return client


def patched(client: Client, cluster: Cluster, names: Any) -> Any:
    path, body = f"/api/v1/clusters/{cluster.pk}", {"customResources": names}
    return client.patch(path, body, content_type="application/json")


def test_the_page_turns_them_on_and_off(mcm: Client, registered: Cluster, resource: str) -> None:
    page = f"/clusters/{registered.pk}/kinds/"
    assert (
        f'id="switch-{resource}" role="switch" aria-checked="false"'
        in mcm.get(page).content.decode()
    )
    part = mcm.post(page, {"name": resource, "on": "true"}, headers={"HX-Request": "true"})
    assert f'id="switch-{resource}" role="switch" aria-checked="true"' in part.content.decode()
    row = CustomResource.objects.get()
    assert (row.cluster, row.version, row.plural, row.namespaced) == (
        registered, "v1", "widgets", True,
    )  # fmt: skip
    assert row.full_kind == f"Widget.{row.group}"
    assert mcm.post(page, {"name": resource, "on": "false"}).status_code == 302
    assert not CustomResource.objects.exists()
    events = AuditEvent.objects.filter(action="cluster.kinds").order_by("pk")
    assert [(each.detail["added"], each.detail["removed"]) for each in events] == [
        ([resource], []), ([], [resource]),
    ]  # fmt: skip


def test_the_api_names_all_that_are_on(mcm: Client, registered: Cluster, resource: str) -> None:
    assert patched(mcm, registered, [resource]).status_code == 200
    assert patched(mcm, registered, [resource]).status_code == 200
    assert CustomResource.objects.count() == 1
    assert AuditEvent.objects.filter(action="cluster.kinds").count() == 1
    assert patched(mcm, registered, []).status_code == 200
    assert not CustomResource.objects.exists()


def test_what_the_cluster_has_not_is_refused(mcm: Client, registered: Cluster) -> None:
    answer = patched(mcm, registered, ["none.example"])
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["customResources"])
    page = f"/clusters/{registered.pk}/kinds/"
    answer = mcm.post(page, {"name": "none.example", "on": "true"})
    assert answer.status_code == 422
    assert b"none.example" in answer.content
    assert not CustomResource.objects.exists()


def test_an_unreachable_cluster_still_shows_what_is_on(
    mcm: Client, registered: Cluster, resource: str, kubeconfig: str, closed_port: int
) -> None:
    patched(mcm, registered, [resource])
    registered.connection = kube.parse(to_port(kubeconfig, closed_port))
    registered.save()
    page = f"/clusters/{registered.pk}/kinds/"
    shown = mcm.get(page).content.decode()
    assert "nothing listens" in shown
    assert resource in shown
    assert patched(mcm, registered, ["a.example"]).status_code == 502
    assert mcm.post(page, {"name": resource, "on": "false"}).status_code == 302
    assert not CustomResource.objects.exists()


def test_many_are_searched(mcm: Client, registered: Cluster, resource: str) -> None:
    page = f"/clusters/{registered.pk}/kinds/"
    group = resource.partition(".")[2]
    assert resource in mcm.get(page, {"q": group.upper()}).content.decode()
    assert resource not in mcm.get(page, {"q": "no-such"}).content.decode()


@pytest.mark.django_db(transaction=True)
async def test_its_objects_are_rows_as_long_as_it_is_on(
    registered: Cluster, owner: User, cluster: RealCluster, resource: str
) -> None:
    plural, _, group = resource.partition(".")
    path = f"/apis/{group}/v1/namespaces/default/{plural}"
    widget = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "first"}}
    await asyncio.to_thread(cluster.api.post, path, widget)
    rows = registered.objects_seen.filter(kind=f"Widget.{group}")
    seen = rows.values_list("namespace", "name")

    def turn(*names: str) -> frozenset[leases.Custom]:
        added = kinds.wanted(registered, names, by=owner)
        kinds.watch_only(registered, names, added, by=owner)
        return leases.renew_and_take("test")[registered.pk].customs

    async with following(registered) as running:
        running.follow(await in_database(turn)(resource))
        await waiting.until(lambda: list(seen.all()) == [("default", "first")])
        await entered(f"Widget.{group}", "watching")
        widget["metadata"] = {"name": "second"}
        await asyncio.to_thread(cluster.api.post, path, widget)
        await waiting.until(lambda: seen.count() == 2)
        running.follow(await in_database(turn)())
        await waiting.until(lambda: not seen.exists())
        states = KindState.objects.filter(kind=f"Widget.{group}")
        await waiting.until(lambda: not states.exists())
        assert "Widget" not in str(set(running.followers))
