"""Kinds of work that exist only in tests."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy

from clusters.models import Cluster, Namespace
from operations import executor, services, store
from operations.executor import Job
from operations.models import LABELS, Operation
from operations.services import Place
from teams.models import User


class Works:
    """Says what the kind `test.work` does, and remembers what was repaired."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.repaired: list[Operation] = []
        self.does: Callable[[Job], Any] = lambda job: None

    def run(self, job: Job) -> None:
        self.runs.append(str(job.operation.pk))
        self.does(job)


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> Iterator[Works]:
    """The kind `test.work`, which does what a test says."""
    made = Works()
    monkeypatch.setattr(executor, "_works", dict(executor._works))
    monkeypatch.setattr(executor, "_repairs", dict(executor._repairs))
    monkeypatch.setattr(executor, "LOG_SECONDS", 0.02)
    monkeypatch.setattr(executor, "BEAT_SECONDS", 0.05)
    executor.register("test.work", gettext_lazy("Work"), made.run, repair=made.repaired.append)
    yield made
    del LABELS["test.work"]


@pytest.fixture
def queued(operator: User, prod: Cluster, shop: Namespace, works: Works) -> Operation:
    """Work that the operator asked for."""
    return services.request("test.work", Place(prod, "shop", "web"), b"{}", by=operator)


def silence(operation: Operation) -> None:
    """As if its worker had been silent for long."""
    Operation.objects.filter(pk=operation.pk).update(heartbeat=Now() - 2 * store.SILENCE)


def ended(operation: Operation) -> tuple[str, str]:
    operation.refresh_from_db()
    return operation.status, operation.error
