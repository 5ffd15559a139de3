"""Real and dead clusters, and somebody who operates them."""

import pytest

from clusters.kube import kubeconfig
from clusters.models import Cluster, Namespace
from explorer.filters import candidates
from teams.models import User
from teams.roles import Role
from testbed.cluster import Cluster as RealCluster
from tests import factories


@pytest.fixture
def real(db: None, cluster: RealCluster) -> Cluster:
    """The real test cluster, registered."""
    connection = kubeconfig.parse(cluster.kubeconfig)
    return factories.ClusterFactory.create(name="real", connection=connection)


@pytest.fixture
def dead(db: None) -> Cluster:
    """A cluster at which nobody answers."""
    return factories.ClusterFactory.create(name="dead")


@pytest.fixture
def space(real: Cluster, namespace: str) -> Namespace:
    return factories.NamespaceFactory.create(cluster=real, name=namespace)


@pytest.fixture
def worker(real: Cluster, dead: Cluster) -> User:
    """Operates both clusters."""
    user = factories.UserFactory.create(username="worker")
    for cluster in (real, dead):
        factories.give(user, Role.OPERATOR, cluster)
    return user


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no reason to find nothing."""
    monkeypatch.setattr(candidates, "PATIENCE", "15s")
