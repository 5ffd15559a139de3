"""Helm 3 and 4 against a real API server."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusters.kube import kubeconfig
from clusters.kube.types import Connection
from deployments.helm import Helm, Program, programs
from deployments.helm.workspace import PREFIX
from testbed.build import ensure
from testbed.cluster import Cluster
from tests.helm.releases import children


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


@pytest.fixture
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test leaves no folder and no process."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    assert list(tmp_path.glob(f"{PREFIX}*")) == []
    assert children() == []
