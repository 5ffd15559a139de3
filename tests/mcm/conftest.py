"""Instances of MCM on a state folder and a port of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mcm.embedded import ports
from tests.mcm.instances import Run


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Starts instances; whatever a test leaves running ends with it."""
    started: list[Run] = []

    def start(home: Path | None = None, port: int | None = None) -> Run:
        log = tmp_path / f"{len(started)}.out"
        started.append(Run(home or tmp_path / "home", port or ports.choose(), log))
        return started[-1]

    yield start
    for instance in started:
        if instance.process.poll() is None:
            instance.stop()
