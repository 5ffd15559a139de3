"""Who holds a namespace only is impersonated: the cluster's own RBAC keeps a chart inside it."""

import pytest

from clusters.models import Cluster
from deployments import services
from deployments.models import Chart
from deployments.services import InstallRequest
from operations import executor
from operations.models import Operation
from teams.models import User
from teams.roles import Role
from testbed.cluster import Cluster as RealCluster
from tests import factories
from tests.helm.archives import DEPLOYMENT, chart

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]

TAKEOVER = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: "takeover-{{ .Release.Namespace }}"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: mallory}]
"""


@pytest.fixture
def tenant(real: Cluster, namespace: str) -> User:
    """Operates one namespace of the real cluster."""
    user = factories.UserFactory.create(username="tenant")
    space = factories.NamespaceFactory.create(cluster=real, name=namespace)
    factories.give(user, Role.OPERATOR, space)
    return user


@pytest.fixture
def bound(tenant: User, cluster: RealCluster, namespace: str) -> None:
    """The cluster lets the tenant's team administer the namespace."""
    group = f"mcm:team:{tenant.teams.get().name}:operator:{namespace}"
    cluster.api.apply(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "tenants", "namespace": namespace},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "admin",
            },
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}],
        }
    )


def installed(real: Cluster, namespace: str, what: Chart, by: User) -> Operation:
    wanted = InstallRequest(real, namespace, "web", what, timeout=60)
    operation = services.request_install(wanted, by=by)
    executor.run(str(operation.pk))
    operation.refresh_from_db()
    return operation


def test_without_a_binding_the_cluster_refuses(
    real: Cluster, tenant: User, demo: Chart, namespace: str
) -> None:
    made = installed(real, namespace, demo, tenant)
    assert made.status == "failed"
    assert "mcm:tenant" in made.error


@pytest.mark.usefixtures("bound")
def test_with_one_it_installs_as_the_person(
    real: Cluster, tenant: User, demo: Chart, namespace: str, cluster: RealCluster
) -> None:
    assert installed(real, namespace, demo, tenant).status == "succeeded"
    writers = {
        event["impersonatedUser"]["username"]
        for event in cluster.audit()
        if event["verb"] in {"create", "patch"}
        and event.get("objectRef", {}).get("namespace") == namespace
        and event.get("objectRef", {}).get("resource") == "deployments"
        and "impersonatedUser" in event
    }
    assert writers == {"mcm:tenant"}


@pytest.mark.usefixtures("bound")
def test_a_chart_that_reaches_for_the_cluster_is_refused(
    real: Cluster, tenant: User, namespace: str, cluster: RealCluster
) -> None:
    greedy = services.upload_chart(
        chart({**DEPLOYMENT, "templates/takeover.yaml": TAKEOVER}), by=tenant
    )
    made = installed(real, namespace, greedy, tenant)
    assert made.status == "failed"
    assert "clusterrolebindings" in made.error
    bindings = cluster.api.get("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings")
    assert f"takeover-{namespace}" not in {one["metadata"]["name"] for one in bindings["items"]}


def test_who_operates_the_whole_cluster_uses_mcms_account(
    real: Cluster, deployer: User, demo: Chart, namespace: str, cluster: RealCluster
) -> None:
    assert installed(real, namespace, demo, deployer).status == "succeeded"
    assert not any(
        "impersonatedUser" in event
        for event in cluster.audit()
        if event.get("objectRef", {}).get("namespace") == namespace
    )
