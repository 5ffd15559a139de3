"""A real cluster that is told of its people, and those people."""

import secrets
from collections.abc import Iterator

import pytest
import yaml

from clusters.kube import kubeconfig, manifest
from clusters.models import Cluster, IdentityMode, Namespace
from clusters.services import identity as services
from clusters.store import identity
from teams.models import User
from teams.roles import Role
from testbed.cluster import Cluster as RealCluster
from testbed.waiting import wait_until
from tests import factories
from tests.clusters.identity.acting import RBAC, Applied


@pytest.fixture
def account(cluster: RealCluster) -> Iterator[str]:
    """The name of a service account for MCM, which watches and no more."""
    name = f"mcm-{secrets.token_hex(4)}"
    text = manifest.manifest(["watch", "metrics", "secrets"])
    objects = [each for each in yaml.safe_load_all(text) if each["kind"] != "Namespace"]
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    for each in [space, *objects]:
        each["metadata"]["name"] = name
        if "namespace" in each["metadata"]:
            each["metadata"]["namespace"] = name
        for subject in each.get("subjects", []):
            subject |= {"name": name, "namespace": name}
        if "roleRef" in each:
            each["roleRef"]["name"] = name
        cluster.api.apply(each)
    yield name
    for path in (f"{RBAC}/clusterrolebindings", f"{RBAC}/clusterroles", "/api/v1/namespaces"):
        cluster.api.delete(f"{path}/{name}")


@pytest.fixture
def real(db: None, cluster: RealCluster, account: str) -> Iterator[Cluster]:
    """The test cluster, registered with that account, where people are impersonated."""
    made = factories.ClusterFactory.create(
        name="real",
        connection=kubeconfig.parse(cluster.account_kubeconfig(account, account)),
        identity_mode=IdentityMode.IMPERSONATION,
        rights={"account": f"system:serviceaccount:{account}:{account}"},
    )
    yield made
    for kind in ("clusterrolebindings", "clusterroles"):
        label = f"app.kubernetes.io/instance={made.pk}"
        cluster.api.delete(f"{RBAC}/{kind}", labelSelector=label)


@pytest.fixture
def space(real: Cluster, namespace: str) -> Namespace:
    return factories.NamespaceFactory.create(cluster=real, name=namespace)


@pytest.fixture
def tenant(space: Namespace) -> User:
    """Operates one namespace."""
    return _holder("tenant", Role.OPERATOR, space)


@pytest.fixture
def operator(real: Cluster) -> User:
    """Operates the whole cluster."""
    return _holder("operator", Role.OPERATOR, real)


@pytest.fixture
def owner(real: Cluster) -> User:
    """Administers the whole cluster."""
    return _holder("owner", Role.ADMIN, real)


def _holder(name: str, role: Role, scope: Cluster | Namespace) -> User:
    """Whose name no other test has: the audit log of the cluster is one for all of them."""
    user = factories.UserFactory.create(username=f"{name}-{secrets.token_hex(3)}")
    factories.give(user, role, scope)
    return user


@pytest.fixture
def applied(real: Cluster, cluster: RealCluster, owner: User) -> Applied:
    """Applies the manifest as the page gives it, until the authorizer has heard of it."""

    def apply() -> None:
        for each in yaml.safe_load_all(identity.manifest(real)):
            cluster.api.apply(each)
        wait_until(lambda: services.check(real, by=owner).fits, "the new rules", timeout=60)
        real.refresh_from_db()

    return apply
