"""Replacing credentials: the new ones are checked first, and are those of the same cluster."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from clusters.kube import kubeconfig as kube
from clusters.models import Cluster
from teams.models import AuditEvent, User
from testbed.cluster import Cluster as RealCluster
from tests.clusters.conftest import changed, to_port
from tests.clusters.test_steps import step_by_step

pytestmark = pytest.mark.cluster


@pytest.fixture
def mcm(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


@pytest.fixture
def registered(prod: Cluster, cluster: RealCluster, kubeconfig: str) -> Cluster:
    """The real cluster, registered with credentials that it does not accept any more."""
    prod.connection = kube.parse(changed(kubeconfig, user={"token": "planted-old-token"}))
    prod.system_uid = cluster.api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
    prod.status, prod.status_reason = "unauthorized", "planted"
    prod.save()
    return prod


def stored(cluster: Cluster) -> tuple[bytes, int]:
    cluster.refresh_from_db()
    return bytes(cluster.sealed_connection), cluster.connection_version


def test_the_dialog_replaces_them_after_all_steps(
    mcm: Client, registered: Cluster, kubeconfig: str
) -> None:
    _old, version = stored(registered)
    page = f"/clusters/{registered.pk}/credentials/"
    *_, last = step_by_step(mcm, {"kubeconfig": kubeconfig}, page)
    assert last.headers["HX-Redirect"] == f"/clusters/{registered.pk}/"
    assert stored(registered)[1] == version + 1
    assert registered.connection == kube.parse(kubeconfig)
    assert (registered.status, registered.status_reason) == ("active", "")
    assert registered.credential_kind == "certificate"
    assert registered.rights["kinds"]["Pod"]
    event = AuditEvent.objects.get(action="cluster.credentials")
    assert event.after is not None
    assert event.after["kind"] == "certificate"
    assert "BEGIN" not in json.dumps([event.detail, event.before, event.after])


def test_another_account_is_not_the_one_that_was_checked(
    mcm: Client, registered: Cluster, kubeconfig: str
) -> None:
    registered.identity_report = {"account": "somebody-else", "missing": [], "excess": []}
    registered.identity_fits, registered.identity_digest = True, "0"
    registered.save()
    step_by_step(mcm, {"kubeconfig": kubeconfig}, f"/clusters/{registered.pk}/credentials/")
    registered.refresh_from_db()
    assert registered.identity_state == "unchecked"
    assert registered.rights["account"] == "admin"


def test_the_api_replaces_them(mcm: Client, registered: Cluster, kubeconfig: str) -> None:
    path = f"/api/v1/clusters/{registered.pk}"
    body = {"kubeconfig": kubeconfig, "region": "eu"}
    answer = mcm.patch(path, body, content_type="application/json")
    assert (answer.status_code, answer.json()["region"]) == (200, "eu")
    assert stored(registered)[1] == 2
    assert "kubeconfig" not in answer.json()


def test_bad_ones_replace_nothing(
    mcm: Client, registered: Cluster, kubeconfig: str, closed_port: int
) -> None:
    before = stored(registered)
    wrong: list[tuple[Any, int]] = [
        (to_port(kubeconfig, closed_port), 502),
        (changed(kubeconfig, user={"token": "planted-unknown"}), 400),
        (changed(kubeconfig, user={"exec": {"command": "planted"}}), 400),
    ]
    for text, status in wrong:
        path = f"/api/v1/clusters/{registered.pk}"
        body = {"kubeconfig": text, "region": "eu"}
        answer = mcm.patch(path, body, content_type="application/json")
        assert answer.status_code == status
        assert mcm.post(f"/clusters/{registered.pk}/credentials/", body).status_code == 422
    assert stored(registered) == before
    assert registered.region == ""


def test_those_of_another_cluster_are_refused(
    mcm: Client, registered: Cluster, kubeconfig: str
) -> None:
    registered.system_uid = "another"
    registered.save()
    before = stored(registered)
    answer = mcm.post(f"/clusters/{registered.pk}/credentials/", {"kubeconfig": kubeconfig})
    assert answer.status_code == 422
    assert b"another cluster than prod" in answer.content
    assert stored(registered) == before


@pytest.mark.parametrize(
    ("left", "colour"), [(400, "healthy"), (20, "degraded"), (0.5, "failing"), (-1, "failing")]
)
def test_the_page_says_what_they_are_and_when_they_end(
    left: float, colour: str, mcm: Client, registered: Cluster, kubeconfig: str
) -> None:
    registered.connection = kube.parse(kubeconfig)
    registered.credential_kind = "certificate"
    registered.credential_expires = timezone.now() + timedelta(days=left)
    registered.save()
    page = mcm.get(f"/clusters/{registered.pk}/credentials/").content.decode()
    assert "Client certificate" in page
    assert "admin (system:masters)" in page
    assert f'class="status {colour}"' in page
    assert "BEGIN" not in page


def test_credentials_that_no_key_opens_can_be_replaced(
    mcm: Client, registered: Cluster, kubeconfig: str
) -> None:
    registered.sealed_connection = b"damaged"
    registered.save()
    page = f"/clusters/{registered.pk}/credentials/"
    assert mcm.get(page).status_code == 200
    assert mcm.post(page, {"kubeconfig": kubeconfig}).status_code == 302
    registered.refresh_from_db()
    assert registered.connection == kube.parse(kubeconfig)


def test_only_platform_admins_come_here(client: Client, owner: User, prod: Cluster) -> None:
    client.force_login(owner)
    assert client.get(f"/clusters/{prod.pk}/credentials/").status_code == 403
