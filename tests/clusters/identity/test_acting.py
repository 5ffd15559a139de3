"""People in a real cluster: its audit log names them, and its RBAC bounds them."""

import secrets

import pytest
from django.test import Client

from clusters.models import Cluster, Namespace
from deployments import services as deployments
from teams import services as teams
from teams.models import User
from teams.roles import Role
from testbed.cluster import Cluster as RealCluster
from tests import factories
from tests.clusters.identity.acting import Applied, as_whom, installed
from tests.helm.archives import DEPLOYMENT, chart
from tests.helm.releases import DEMO

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]


def test_an_install_and_a_read_bear_the_persons_name(
    real: Cluster, tenant: User, applied: Applied, cluster: RealCluster, space: Namespace,
    client: Client,
) -> None:  # fmt: skip
    applied()
    made = installed(real, space.name, deployments.upload_chart(DEMO, by=tenant), tenant)
    assert made.status == "succeeded", made.error
    me = {(f"mcm:{tenant.username}", (f"mcm:team:{tenant.teams.get()}:operator:{space.name}",))}
    assert as_whom(cluster, space.name, "deployments", "create", "patch") == me
    client.force_login(tenant)
    answer = client.get(f"/api/v1/clusters/{real.pk}/resources")
    assert answer.status_code == 200, answer.json()
    assert answer.json()["nodes"] == []
    read = {
        (event["impersonatedUser"]["username"], event["objectRef"].get("namespace"))
        for event in cluster.audit()
        if event.get("objectRef", {}).get("apiGroup") == "metrics.k8s.io"
        and event.get("impersonatedUser", {}).get("username") == f"mcm:{tenant.username}"
    }
    assert read == {(f"mcm:{tenant.username}", space.name)}


def test_who_holds_the_whole_cluster_is_named_too(
    real: Cluster, owner: User, applied: Applied, cluster: RealCluster, client: Client
) -> None:
    applied()
    name = f"new-{secrets.token_hex(3)}"
    made = installed(real, name, deployments.upload_chart(DEMO, by=owner), owner)
    assert made.status == "succeeded", made.error
    me = {(f"mcm:{owner.username}", (f"mcm:team:{owner.teams.get()}:admin",))}
    assert as_whom(cluster, name, "deployments", "create", "patch") == me
    client.force_login(owner)
    assert client.get(f"/clusters/{real.pk}/kinds/").context["failure"] == ""
    answer = client.get(f"/api/v1/clusters/{real.pk}/resources")
    assert answer.status_code == 200, answer.json()
    cluster.api.delete(f"/api/v1/namespaces/{name}")


def test_an_operator_of_the_whole_cluster_installs_in_old_and_new_namespaces(
    real: Cluster, operator: User, applied: Applied, cluster: RealCluster, space: Namespace
) -> None:
    applied()
    demo = deployments.upload_chart(DEMO, by=operator)
    made = installed(real, space.name, demo, operator)
    assert made.status == "succeeded", made.error
    name = f"new-{secrets.token_hex(3)}"
    made = installed(real, name, demo, operator)
    assert made.status == "succeeded", made.error
    assert cluster.api.delete(f"/api/v1/namespaces/{name}")


def test_the_cluster_refuses_what_the_role_does_not_give(
    real: Cluster, tenant: User, applied: Applied, space: Namespace
) -> None:
    applied()
    role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: taken}\n"
    greedy = chart({**DEPLOYMENT, "templates/role.yaml": role})
    made = installed(real, space.name, deployments.upload_chart(greedy, by=tenant), tenant)
    assert made.status == "failed"
    assert "clusterroles" in made.error
    assert "tab Access, Identity" in made.error


def test_a_lost_namespace_is_closed_before_the_manifest_is_applied_again(
    real: Cluster, tenant: User, applied: Applied, cluster: RealCluster, space: Namespace
) -> None:
    name = f"lost-{secrets.token_hex(3)}"
    cluster.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    lost = factories.NamespaceFactory.create(cluster=real, name=name)
    grant = teams.grant(tenant.teams.get(), Role.OPERATOR, lost, by=None)
    applied()
    outside = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: out, namespace: {name}}}\n"
    reaching = deployments.upload_chart(chart({"templates/config.yaml": outside}), by=tenant)
    made = installed(real, space.name, reaching, tenant)
    assert made.status == "succeeded", made.error
    cluster.api.delete(f"/api/v1/namespaces/{name}/configmaps/out")
    teams.revoke(grant, by=None)
    made = installed(real, space.name, reaching, tenant, release="again")
    assert made.status == "failed"
    assert "configmaps" in made.error
    cluster.api.delete(f"/api/v1/namespaces/{name}")
