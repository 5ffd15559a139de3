"""One object is read as the person: the cluster's own RBAC bounds what is told of it."""

import pytest
from django.test import Client

from clusters.models import Cluster, Namespace
from teams.models import User
from testbed.cluster import Cluster as RealCluster
from testbed.waiting import wait_until
from tests import factories
from tests.clusters.identity.acting import Applied, as_whom

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]


def test_a_pod_is_read_as_the_person_who_looks(
    real: Cluster, tenant: User, applied: Applied, cluster: RealCluster, space: Namespace,
    client: Client,
) -> None:  # fmt: skip
    applied()
    container = {"name": "app", "image": "web:1", "resources": {"requests": {"cpu": "1000"}}}
    spec = {"containers": [container], "automountServiceAccountToken": False}
    path = f"/api/v1/namespaces/{space.name}/pods"
    cluster.api.post(path, {"metadata": {"name": "web-1"}, "spec": spec})
    told = f"{path}/web-1"
    wait_until(lambda: "conditions" in cluster.api.get(told)["status"], "the word", timeout=30)
    pod = factories.PodFactory.create(cluster=real, namespace=space.name, name="web-1")
    client.force_login(tenant)
    why = client.get(f"/api/v1/objects/{pod.pk}/why")
    assert why.status_code == 200, why.json()
    assert why.json()["causes"][0]["code"].startswith("pending")
    refused = {each["part"]: each["reason"] for each in why.json()["unknown"]}
    assert "forbidden" in refused["nodes"]
    related = client.get(f"/api/v1/objects/{pod.pk}/related").json()
    assert (related["problem"], related["unread"]) == (None, [])
    me = {(f"mcm:{tenant.username}", (f"mcm:team:{tenant.teams.get()}:operator:{space.name}",))}
    assert as_whom(cluster, space.name, "services", "list") == me


def test_what_the_cluster_does_not_let_the_person_read_says_so(
    real: Cluster, tenant: User, space: Namespace, client: Client
) -> None:
    """Nobody has told the cluster of its people: the page stands, with the cluster's reason."""
    pod = factories.PodFactory.create(cluster=real, namespace=space.name, name="web-1")
    client.force_login(tenant)
    assert client.get(f"/api/v1/objects/{pod.pk}/yaml").status_code == 403
    for part in ("why", "related", "yaml"):
        page = client.get(f"/objects/{pod.pk}/{part}/")
        assert page.status_code == 200
        assert b"You may not read this in the cluster." in page.content, part
