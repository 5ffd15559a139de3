"""What happens to work whose worker died, lost its claim, or whose message never came."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from operations import executor, store, tasks
from operations.executor import Cancelled, Job
from operations.models import Operation, Status
from tests import factories
from tests.operations.conftest import Works, ended, silence

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_lost_worker_is_found_and_repaired(queued: Operation, works: Works) -> None:
    store.claim(str(queued.pk), "a dead worker")
    tasks.sweep_operations()
    assert ended(queued)[0] == "running"
    silence(queued)
    tasks.sweep_operations()
    status, error = ended(queued)
    assert (status, "worker" in error) == ("failed", True)
    assert works.repaired == [queued]
    tasks.sweep_operations()
    assert len(works.repaired) == 1


def test_a_repair_that_fails_holds_up_no_other(
    queued: Operation, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = factories.OperationFactory.create(cluster=queued.cluster)
    for operation in (queued, second):
        store.claim(str(operation.pk), "a dead worker")
        silence(operation)

    def fail(operation: Operation) -> None:
        works.repaired.append(operation)
        raise RuntimeError("no")

    monkeypatch.setitem(executor._repairs, "test.work", fail)
    tasks.sweep_operations()
    assert {ended(queued)[0], ended(second)[0]} == {"failed"}
    assert len(works.repaired) == 2


def test_an_end_without_its_repair_is_tried_again(
    queued: Operation, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.claim(str(queued.pk), "a dead worker")
    silence(queued)

    def fail(operation: Operation) -> None:
        raise OperationalError("the database went away")

    with monkeypatch.context() as patched:
        patched.setitem(executor._repairs, "test.work", fail)
        tasks.sweep_operations()
    assert ended(queued)[0] == "running"
    tasks.sweep_operations()
    assert (ended(queued)[0], works.repaired) == ("failed", [queued])


def test_what_ended_meanwhile_is_not_repaired(queued: Operation, works: Works) -> None:
    lost = store.claim(str(queued.pk), "a slow worker")
    assert lost is not None
    executor.end(lost, Status.SUCCEEDED, "", {})
    executor.reap(lost)
    assert (ended(queued)[0], works.repaired) == ("succeeded", [])


def refuse(operation: Operation) -> bool:
    raise OperationalError("the database is away")


def hang(operation: Operation) -> bool:
    time.sleep(2)
    raise OperationalError("the database is away")


@pytest.mark.parametrize("beat", [refuse, hang], ids=lambda beat: beat.__name__)
def test_a_worker_without_its_database_ends_the_work(
    beat: Any, queued: Operation, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the sweep takes it for dead and another repairs the release beside it."""
    assert store.SILENCE.total_seconds() > executor.CUT_OFF_SECONDS + 5
    monkeypatch.setattr(executor, "CUT_OFF_SECONDS", 0.3)
    monkeypatch.setattr(store, "beat", beat)
    took: list[float] = []

    def work(job: Job) -> None:
        began = time.monotonic()
        while not job.cancelled() and time.monotonic() - began < 20:
            time.sleep(0.01)
        took.append(time.monotonic() - began)
        raise Cancelled

    works.does = work
    executor.run(str(queued.pk))
    assert took[0] < 1.5
    assert ended(queued) == ("failed", executor.LOST)


def test_who_lost_the_claim_writes_nothing_more(queued: Operation, works: Works) -> None:
    def work(job: Job) -> None:
        # Meanwhile another takes it for lost and runs it again.
        rows = Operation.objects.filter(pk=queued.pk)
        rows.update(status=Status.QUEUED)
        assert store.claim(str(queued.pk), "the other") is not None
        assert job.stopped.wait(20)

    works.does = work
    executor.run(str(queued.pk))
    queued.refresh_from_db()
    assert (queued.status, queued.fence, queued.worker) == ("running", 2, "the other")


def test_a_message_that_got_lost_is_sent_again(
    queued: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(
        tasks.run_operation, "apply_async", lambda args, expires: sent.append((*args, expires))
    )
    tasks.sweep_operations()
    assert sent == []
    Operation.objects.update(created=Now() - store.UNSENT - timedelta(seconds=1))
    tasks.sweep_operations()
    assert sent == [(str(queued.pk), 20)]
