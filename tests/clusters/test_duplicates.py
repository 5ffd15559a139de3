"""The same cluster registered twice is noticed, and allowed only on purpose."""

from typing import Any

import pytest
from django.test import Client

from clusters.models import Cluster
from teams.models import User
from testbed.cluster import Cluster as RealCluster
from tests import factories

pytestmark = pytest.mark.cluster

API = "/api/v1/clusters"


@pytest.fixture
def mcm(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


@pytest.fixture
def first(cluster: RealCluster, db: None) -> Cluster:
    """The real cluster, registered already."""
    uid = cluster.api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
    return factories.ClusterFactory.create(name="first", system_uid=uid)


def wanted(kubeconfig: str, **fields: Any) -> dict[str, Any]:
    return {"name": "second", "environment": "dev", "kubeconfig": kubeconfig, **fields}


def test_the_api_names_the_one_that_is_there(mcm: Client, first: Cluster, kubeconfig: str) -> None:
    answer = mcm.post(API, wanted(kubeconfig), content_type="application/json")
    assert answer.status_code == 409
    assert "as first" in answer.json()["error"]
    assert Cluster.objects.get() == first


def test_on_purpose_it_is_registered_twice(mcm: Client, first: Cluster, kubeconfig: str) -> None:
    body = wanted(kubeconfig, allowDuplicate=True)
    assert mcm.post(API, body, content_type="application/json").status_code == 201
    assert Cluster.objects.filter(system_uid=first.system_uid).count() == 2


def test_the_page_offers_the_choice_then(mcm: Client, first: Cluster, kubeconfig: str) -> None:
    offered = b'type="checkbox" name="allow_duplicate"'
    assert offered not in mcm.get("/clusters/register/").content
    answer = mcm.post("/clusters/register/", wanted(kubeconfig))
    assert answer.status_code == 422
    assert offered in answer.content
    assert "as first" in str(answer.context["form"].errors["allow_duplicate"])
    answer = mcm.post("/clusters/register/", wanted(kubeconfig, allow_duplicate="on"))
    assert answer.status_code == 302
