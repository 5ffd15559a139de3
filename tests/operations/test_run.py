"""Running work: once, with a live log, with the rights of now, to a true end."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from clusters.models import Cluster, Namespace
from operations import executor, services, store, tasks
from operations.executor import Cancelled, Failed, Job
from operations.models import LogLine, Operation
from operations.services import Held, Place
from teams import services as teams
from teams.models import AuditEvent, Grant, User
from teams.roles import Role
from tests import factories
from tests.operations.conftest import Works, ended, silence

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What the calls give, all begun together in threads of their own."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            barrier.wait()
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [done.result() for done in [pool.submit(run, call) for call in calls]]


def test_work_succeeds_with_its_log_and_result(queued: Operation, works: Works) -> None:
    def work(job: Job) -> None:
        job.log("first")
        job.log("second")
        job.result["revision"] = 3

    works.does = work
    executor.run(str(queued.pk))
    assert ended(queued) == ("succeeded", "")
    assert list(queued.lines.values_list("text", flat=True)) == ["first", "second"]
    assert queued.result == {"revision": 3}
    assert queued.started
    assert queued.finished
    actions = AuditEvent.objects.filter(object_id=str(queued.pk)).order_by("pk")
    assert [event.action for event in actions] == ["test.work", "test.work.succeeded"]


def test_a_failure_keeps_its_words(queued: Operation, works: Works) -> None:
    def work(job: Job) -> None:
        raise Failed("The pod did not start.")

    works.does = work
    executor.run(str(queued.pk))
    assert ended(queued) == ("failed", "The pod did not start.")


def test_what_nobody_thought_of_is_a_failure_without_details(
    queued: Operation, works: Works
) -> None:
    def work(job: Job) -> None:
        raise RuntimeError("planted-detail")

    works.does = work
    executor.run(str(queued.pk))
    status, error = ended(queued)
    assert status == "failed"
    assert "planted" not in error


@pytest.mark.parametrize("times", range(3))
def test_three_deliveries_are_one_run(times: int, queued: Operation, works: Works) -> None:
    at_once(*[lambda: tasks.run_operation(str(queued.pk))] * 3)
    assert works.runs == [str(queued.pk)]
    queued.refresh_from_db()
    assert (queued.status, queued.fence) == ("succeeded", 1)


def test_a_delivery_after_the_end_does_nothing(queued: Operation, works: Works) -> None:
    executor.run(str(queued.pk))
    executor.run(str(queued.pk))
    assert len(works.runs) == 1


def test_of_two_requests_for_one_release_one_wins(
    operator: User, owner: User, prod: Cluster, shop: Namespace, works: Works
) -> None:
    def ask(user: User) -> Operation | Held:
        try:
            return services.request("test.work", Place(prod, "shop", "web"), b"{}", by=user)
        except Held as held:
            return held

    for _ in range(10):
        found = at_once(lambda: ask(operator), lambda: ask(owner))
        (won,) = [one for one in found if isinstance(one, Operation)]
        (lost,) = [one for one in found if isinstance(one, Held)]
        assert lost.operation == won
        executor.run(str(won.pk))
    assert Operation.objects.filter(status="succeeded").count() == 10


def test_other_releases_are_not_held(
    queued: Operation, operator: User, prod: Cluster, other: Cluster
) -> None:
    factories.give(operator, Role.OPERATOR, other)
    for place in (
        Place(prod, "shop", "db"),
        Place(prod, "bank", "web"),
        Place(other, "shop", "web"),
    ):
        services.request("test.work", place, b"{}", by=operator)
    assert Operation.objects.count() == 4


def test_the_api_names_the_holder(queued: Operation, operator: User, client: Any) -> None:
    release = factories.ReleaseFactory.create(cluster=queued.cluster, namespace="shop", name="web")
    client.force_login(operator)
    answer = client.delete(f"/api/v1/releases/{release.pk}")
    assert answer.status_code == 409
    said = answer.json()
    assert said["operation"] == {"id": str(queued.pk), "status": "queued"}
    assert set(said) == {"error", "fields", "operation"}


def test_a_queued_one_is_cancelled_at_once(queued: Operation, operator: User, works: Works) -> None:
    services.cancel(queued, by=operator)
    assert ended(queued) == ("cancelled", "")
    executor.run(str(queued.pk))
    assert works.runs == []


def test_a_running_one_is_cancelled_as_soon_as_it_stops(
    queued: Operation, operator: User, works: Works
) -> None:
    def work(job: Job) -> None:
        services.cancel(queued, by=operator)
        assert job.stopped.wait(20)
        assert job.cancelled()
        raise Cancelled

    works.does = work
    executor.run(str(queued.pk))
    assert ended(queued) == ("cancelled", "")


def test_who_is_stopping_is_not_taken_for_dead(
    queued: Operation, operator: User, works: Works
) -> None:
    def work(job: Job) -> None:
        services.cancel(queued, by=operator)
        assert job.stopped.wait(20)
        silence(queued)  # cleaning up takes long …
        while store.lost().exists():  # … but the worker still beats
            pass
        raise Cancelled

    works.does = work
    executor.run(str(queued.pk))
    assert ended(queued) == ("cancelled", "")


def test_rights_are_asked_again_when_it_runs(
    queued: Operation, operator: User, works: Works
) -> None:
    teams.revoke(Grant.objects.get(team__members=operator), by=None)
    executor.run(str(queued.pk))
    assert ended(queued) == ("failed", "Whoever asked for this may no longer do it.")
    assert works.runs == []


def test_who_is_gone_may_do_nothing(queued: Operation, operator: User, works: Works) -> None:
    teams.delete_user(operator, by=None)
    executor.run(str(queued.pk))
    assert ended(queued)[0] == "failed"
    assert works.runs == []


def test_a_right_in_the_namespace_is_enough(
    shop_operator: User, prod: Cluster, works: Works
) -> None:
    made = services.request("test.work", Place(prod, "shop", "web"), b"{}", by=shop_operator)
    executor.run(str(made.pk))
    assert ended(made)[0] == "succeeded"
    with pytest.raises(PermissionDenied):
        services.request("test.work", Place(prod, "bank", "web"), b"{}", by=shop_operator)
    assert Operation.objects.count() == 1


def test_a_cluster_deleted_under_a_job_stops_it(queued: Operation, works: Works) -> None:
    def work(job: Job) -> None:
        Cluster.objects.get(pk=queued.cluster.pk).delete()
        while not job.stopped.wait(0.01):
            job.log("still there")

    works.does = work
    executor.run(str(queued.pk))
    assert not Operation.objects.exists()
    assert not LogLine.objects.exists()
    executor.run(str(queued.pk))
    assert len(works.runs) == 1


def test_the_log_ends_at_its_cap(
    queued: Operation, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_LINES", 10)

    def work(job: Job) -> None:
        for _ in range(50):
            job.log("x" * 9000)

    works.does = work
    executor.run(str(queued.pk))
    lines = list(queued.lines.values_list("text", flat=True))
    assert len(lines) == 10
    assert len(lines[0]) == 4000
    assert "full" in lines[-1]


def test_the_page_hears_of_every_step(queued: Operation, works: Works, told: Any) -> None:
    with told() as messages:
        works.does = lambda job: job.log("hello")
        executor.run(str(queued.pk))
    topics = [message["topic"] for message in messages]
    assert topics.count("operations") >= 2
    assert topics.count(f"operation:{queued.pk}") >= 2
    assert {message["cluster"] for message in messages} == {str(queued.cluster_id)}
    assert all(key[1] == "shop" for message in messages for key in message["keys"])
