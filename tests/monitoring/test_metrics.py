"""MCM's own figures for Prometheus."""

from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from clusters.models import Cluster
from tests import factories

pytestmark = pytest.mark.django_db


def families(client: Client) -> dict[str, Any]:
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {
        family.name: family for family in text_string_to_metric_families(answer.content.decode())
    }


def samples(family: Any) -> dict[str, float]:
    return {next(iter(sample.labels.values())): sample.value for sample in family.samples}


def test_the_fleet_is_counted(client: Client) -> None:
    factories.ClusterFactory.create_batch(2)
    cluster = factories.ClusterFactory.create(status="unreachable")
    factories.OperationFactory.create(cluster=cluster)
    factories.OperationFactory.create(cluster=cluster, status="running")
    factories.OperationFactory.create(cluster=cluster, status="failed")
    found = families(client)
    assert samples(found["mcm_clusters_status"]) == {"active": 2, "unreachable": 1}
    assert samples(found["mcm_clusters_freshness"]) == {"unknown": 2, "unreachable": 1}
    assert samples(found["mcm_operations_active"]) == {"queued": 1, "running": 1}
    assert any(name.startswith("django_http_requests") for name in found)


def test_the_figures_follow_the_database(client: Client, prod: Cluster) -> None:
    assert samples(families(client)["mcm_clusters_status"]) == {"active": 1}
    prod.delete()
    assert samples(families(client)["mcm_clusters_status"]) == {}


def test_no_name_of_a_cluster_is_told(client: Client) -> None:
    name = "planted-name"
    cluster = factories.ClusterFactory.create(name=name)
    client.get(f"/clusters/{cluster.pk}/")
    client.get(f"/api/v1/releases?cluster={name}")
    text = client.get("/metrics").content.decode()
    assert name not in text
    assert str(cluster.pk) not in text


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", "Basic planted-token", "Bearer ü"])
def test_a_token_is_asked_for_where_one_is_set(
    given: str, client: Client, settings: Settings
) -> None:
    settings.METRICS_TOKEN = "planted-token"
    answer = client.get("/metrics", headers={"Authorization": given})
    assert answer.status_code == 401
    assert b"mcm_clusters" not in answer.content
    right = client.get("/metrics", headers={"Authorization": "Bearer planted-token"})
    assert right.status_code == 200


def test_it_is_only_read(client: Client) -> None:
    assert client.post("/metrics").status_code == 405
