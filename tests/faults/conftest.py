"""What the fault tests share: a replay server, and the seed and versions in their output."""

import platform
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Iterator

import django
import google.protobuf
import pytest

from teams.models import User
from testbed.build import PROGRAMS
from testbed.replay import NODES, PODS, Server, objects
from tests.faults.watched import Fleet, running

Say = Callable[[str], None]


def pytest_report_header() -> str:
    """What a fault was survived with; pytest-randomly tells the seed."""
    return (
        f"faults: Python {platform.python_version()}, Django {django.__version__}, protobuf"
        f" {google.protobuf.__version__}, {ssl.OPENSSL_VERSION}, Kubernetes"
        f" {PROGRAMS['kube-apiserver'].version}"
    )


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Where the chances of this run begin."""
    return int(request.config.getoption("randomly_seed"))


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Puts a line of figures into the output, whatever the outcome."""

    def write(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{line}\n")

    return write


@pytest.fixture
def replay(seed: int) -> Iterator[Server]:
    """A cluster of one node with the pods a and b."""
    with Server(seed=seed) as server:
        server.bookmark_seconds = 1.0
        server.at(NODES).put(objects.node("node-1"))
        server.at(PODS).put(objects.pod("a"), objects.pod("b"))
        yield server


@pytest.fixture
async def fleet(admin: User) -> AsyncIterator[Fleet]:
    """A watcher in this process; `add` gives it clusters."""
    async with running(admin) as made:
        yield made
