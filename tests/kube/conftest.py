"""What the tests of the adapter share."""

import pytest

from clusters.kube import kubeconfig
from clusters.kube.types import Connection
from testbed.cluster import Cluster
from tests.kube.certificates import Authority, Pair


@pytest.fixture(scope="session")
def authority() -> Authority:
    """A certificate authority."""
    return Authority()


@pytest.fixture(scope="session")
def pair(authority: Authority) -> Pair:
    """A client certificate with its key."""
    return authority.sign("client.example")


@pytest.fixture
def connection(cluster: Cluster) -> Connection:
    """The real test cluster, with all rights."""
    return kubeconfig.parse(cluster.kubeconfig)
