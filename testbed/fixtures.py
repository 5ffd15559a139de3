"""Fixtures for pytest: `fleet`, `cluster` and `namespace`.

All workers of pytest-xdist share one set of clusters. It runs in a process of its own; every
worker holds a shared lock on a file, and that process stops when nobody holds it any more. The
kernel drops the lock of a worker that is killed, so nothing is ever left behind.
"""

import fcntl
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from testbed import detached
from testbed.cluster import Cluster
from testbed.fleet import DEMO, Fleet


@pytest.fixture(scope="session")
def testbed_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all shared clusters of this test run, the same one for every worker."""
    base = tmp_path_factory.getbasetemp()
    # Workers get folders of their own (popen-gw0, ...) below the one of the run.
    run = base.parent if base.name.startswith("popen-gw") else base
    home = run / "testbed"
    home.mkdir(mode=0o700, exist_ok=True)
    return home


@pytest.fixture(scope="session")
def fleet(testbed_home: Path) -> Iterator[Fleet]:
    """dev, staging and prod with the demo workloads. Change nothing outside of `namespace`s."""
    home = testbed_home / "fleet"
    with _shared(home, DEMO):
        yield Fleet(home)


@pytest.fixture(scope="session")
def cluster(testbed_home: Path) -> Iterator[Cluster]:
    """One small cluster without workloads, named `test`. Other tests use it at the same time."""
    home = testbed_home / "test"
    with _shared(home, ("test",)):
        yield Cluster("test", home)


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """The name of a new namespace of `cluster`; it goes after the test, unwaited for."""
    with fresh_namespace(cluster) as name:
        yield name


@contextmanager
def fresh_namespace(cluster: Cluster) -> Iterator[str]:
    """A new namespace in any cluster; it goes at the end, unwaited for."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    cluster.api.create_missing(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    )
    yield name
    cluster.api.delete(f"/api/v1/namespaces/{name}")


@contextmanager
def _shared(home: Path, names: tuple[str, ...]) -> Iterator[None]:
    home.mkdir(mode=0o700, exist_ok=True)
    users = home / "users.lock"
    with users.open("a") as use:
        # Waits while a fleet that has lost its last user is stopping.
        fcntl.flock(use, fcntl.LOCK_SH)
        with (home / "start.lock").open("a") as first:
            fcntl.flock(first, fcntl.LOCK_EX)
            detached.up(home, names, say=_drop, until_unused=users)
        yield


def _drop(_line: str) -> None:
    """Pytest shows nothing while fixtures are made."""
