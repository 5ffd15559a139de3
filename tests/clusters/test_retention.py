"""What is kept of the past, for how long, and that two may tidy up at once."""

from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db.models import QuerySet
from django.db.models.functions import Now

from clusters.models import Cluster, Object, Scope, Tally, Usage, UsageHour, Watcher
from clusters.store import partitions, retention, usage
from clusters.store.usage import Sample
from tests import factories
from tests.clusters.threads import together

pytestmark = pytest.mark.django_db
AT = datetime(2026, 6, 1, 10, 7, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def used(cluster: Cluster, at: datetime, cpu: int, scope: Scope = "node", memory: int = 0) -> None:
    # As polls do: never without a sample of the cluster as a whole.
    whole = Sample("cluster", "", "", cpu, memory)
    usage.write(cluster.pk, [whole, Sample(scope, "", "node-1", cpu, memory)], at)


def summed() -> QuerySet[UsageHour]:
    return UsageHour.objects.filter(scope="node")


def month(cluster: Cluster, at: datetime = AT) -> usage.Series:
    return usage.series(cluster.pk, "node", "node-1", hours=720, at=at)


def test_a_finished_hour_becomes_one_average(prod: Cluster) -> None:
    for minute, cpu in enumerate((100, 200, 301)):
        used(prod, AT - HOUR + timedelta(minutes=minute), cpu, memory=cpu)
    used(prod, AT, 5)
    retention.sweep(AT)
    row = summed().get()
    assert (row.day, row.cpu, row.memory) == (AT.date(), [None] * 9 + [200], [None] * 9 + [200])
    found = month(prod)
    assert len(found.times) == 720
    assert (found.times[-1], found.cpu[-3:]) == (int(AT.timestamp()) // 3600 * 3600, [None, 200, 5])


def test_hours_join_their_day(prod: Cluster) -> None:
    for hour in (8, 9, 10, 12):
        used(prod, AT.replace(hour=hour), hour)
        retention.sweep(AT.replace(hour=hour) + HOUR)
    assert summed().get().cpu == [None] * 8 + [8, 9, 10, None, 12]


def test_pods_have_no_averages(prod: Cluster) -> None:
    used(prod, AT - HOUR, 1, "pod")
    retention.sweep(AT)
    assert UsageHour.objects.get().scope == "cluster"


def test_to_sweep_again_changes_nothing(prod: Cluster, django_assert_max_num_queries: Any) -> None:
    used(prod, AT - HOUR, 100)
    retention.sweep(AT)
    Usage.objects.update(cpu=[7], memory=[7])
    with django_assert_max_num_queries(20):
        retention.sweep(AT)
    assert summed().get().cpu[-1] == 100


@pytest.mark.parametrize(
    ("hours", "left"),
    [(24, 1), (48, 1), (48.9, 1), (49, 0)],
    ids=["a day later", "kept until its end is a day old", "an hour more", "gone"],
)
def test_a_day_of_minutes_goes_as_a_whole(hours: float, left: int, prod: Cluster) -> None:
    start = datetime(2026, 6, 1, tzinfo=UTC)
    used(prod, start, 1)
    retention.sweep(start + timedelta(hours=hours))
    assert Usage.objects.filter(scope="node").count() == left
    assert (start.date() in partitions.days()) == bool(left)


def test_a_whole_day_of_minutes_is_always_there(prod: Cluster) -> None:
    begun = datetime(2026, 6, 1, 23, 58, tzinfo=UTC)
    for minute in range(5):
        used(prod, begun + timedelta(minutes=minute), minute)
    at = begun + DAY
    for minute in range(5):
        retention.sweep(at + timedelta(minutes=minute))
    line = usage.series(prod.pk, "node", "node-1", at=at + timedelta(minutes=2))
    assert line.cpu[:2] == [3, 4]


def test_days_are_made_ahead(prod: Cluster) -> None:
    retention.sweep(datetime(2026, 5, 31, 23, 59, tzinfo=UTC))
    assert {date(2026, 5, 31), date(2026, 6, 1)} <= set(partitions.days())


def test_what_nobody_summed_up_for_days_is_summed_up_before_it_goes(prod: Cluster) -> None:
    used(prod, AT, 9)
    later = AT + 5 * DAY
    retention.sweep(later)
    assert AT.date() not in partitions.days()
    assert month(prod, later).cpu.count(9) == 1


def test_hours_are_kept_for_thirty_days(prod: Cluster) -> None:
    used(prod, AT - HOUR, 9)
    retention.sweep(AT)
    retention.sweep(AT + 30 * DAY)
    assert summed().exists()
    retention.sweep(AT + 31 * DAY)
    assert not summed().exists()


def test_tallies_of_nothing_go(prod: Cluster) -> None:
    factories.PodFactory.create(cluster=prod, status="Pending", health="progressing")
    Object.objects.update(status="Running", health="healthy")
    assert Tally.objects.count() == 2
    retention.sweep(AT)
    assert [(row.status, row.n) for row in Tally.objects.all()] == [("Running", 1)]
    Object.objects.update(status="Pending", health="progressing")
    assert Tally.objects.get(status="Pending").n == 1


def test_watchers_that_are_long_gone_are_forgotten() -> None:
    for owner, age in (("here", -HOUR), ("just away", HOUR / 2), ("gone", 2 * HOUR)):
        Watcher.objects.create(owner=owner, expires=Now() - age)
    retention.sweep(AT)
    assert set(Watcher.objects.values_list("owner", flat=True)) == {"here", "just away"}


@pytest.mark.django_db(transaction=True)
def test_two_may_sweep_and_write_at_once(prod: Cluster) -> None:
    used(prod, AT - HOUR, 100)
    used(prod, AT - 5 * DAY, 50)
    start = Barrier(4)

    def sweep() -> None:
        start.wait(10)
        retention.sweep(AT)

    def write() -> None:
        start.wait(10)
        used(prod, AT + DAY, 1)

    together(sweep, sweep, write, write)
    assert summed().count() == 2
    assert (AT - 5 * DAY).date() not in partitions.days()
    assert Usage.objects.filter(scope="node").count() == 2
