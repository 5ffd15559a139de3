"""What happens to work whose worker died, lost its claim, or whose message never came."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from operations import executor, store, tasks
from operations.executor import Job
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
    sent: list[str] = []
    monkeypatch.setattr(tasks.run_operation, "delay", sent.append)
    tasks.sweep_operations()
    assert sent == []
    Operation.objects.update(created=Now() - store.UNSENT - timedelta(seconds=1))
    tasks.sweep_operations()
    assert sent == [str(queued.pk)]
