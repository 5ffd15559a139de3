"""Helm 3 and 4 against a real API server."""

from pathlib import Path

import pytest

from clusters.kube import kubeconfig
from clusters.kube.types import Connection
from deployments.helm import Helm, Program, programs
from testbed.build import ensure
from testbed.cluster import Cluster


@pytest.fixture(scope="session")
def connection(cluster: Cluster) -> Connection:
    """The test cluster with all rights."""
    return kubeconfig.parse(cluster.kubeconfig)


@pytest.fixture(params=["helm 4", "helm 3"], scope="session")
def program(request: pytest.FixtureRequest) -> Program:
    """The Helm of the wheel, then the last Helm 3, built from its module."""
    if request.param == "helm 4":
        return programs.probe("helm", programs.from_wheel("helm"))
    return programs.probe("helm", Path(ensure(["helm-3"], say=print)["helm-3"]))


@pytest.fixture
def helm(connection: Connection, program: Program) -> Helm:
    """The adapter on the test cluster, with each Helm."""
    return Helm(connection, program=program)
