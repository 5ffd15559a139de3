"""Samples of CPU and memory: one slot a minute, read as lines."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection

from clusters.models import Capacity, Cluster, Usage
from clusters.store import partitions, usage
from clusters.store.usage import Sample

pytestmark = pytest.mark.django_db
AT = datetime(2026, 6, 1, 10, 7, 42, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def pod(name: str = "web-1", cpu: int = 100, memory: int = 50) -> Sample:
    return Sample("pod", "shop", name, cpu, memory)


def line(cluster: Cluster, **values: Any) -> usage.Series:
    return usage.series(cluster.pk, "pod", "web-1", "shop", **{"at": AT, **values})


def test_a_sample_is_the_last_point_of_a_day_of_minutes(prod: Cluster) -> None:
    usage.write(prod.pk, [pod(cpu=120, memory=64)], AT)
    found = line(prod)
    assert len(found.times) == len(found.cpu) == len(found.memory) == 24 * 60
    assert found.times[-1] == int(AT.timestamp()) // 60 * 60
    assert found.times[0] == found.times[-1] - 60 * (24 * 60 - 1)
    assert (found.cpu[-1], found.memory[-1]) == (120, 64)
    assert found.cpu[:-1] == [None] * (24 * 60 - 1)


def test_what_was_not_measured_is_unknown(prod: Cluster) -> None:
    usage.write(prod.pk, [pod(cpu=1)], AT - 3 * MINUTE)
    usage.write(prod.pk, [pod(cpu=4)], AT)
    assert line(prod, hours=1).cpu[-5:] == [None, 1, None, None, 4]


def test_a_second_poll_in_the_minute_replaces_the_first(prod: Cluster) -> None:
    usage.write(prod.pk, [pod(cpu=1)], AT)
    usage.write(prod.pk, [pod(cpu=2, memory=3)], AT + timedelta(seconds=10))
    found = line(prod)
    assert (found.cpu[-2:], found.memory[-1]) == ([None, 2], 3)


def test_an_hour_is_one_row(prod: Cluster) -> None:
    for minute in range(60):
        usage.write(prod.pk, [pod(cpu=minute)], datetime(2026, 6, 1, 9, minute, tzinfo=UTC))
    stored = Usage.objects.get()
    assert stored.cpu == list(range(60))
    assert line(prod).cpu[-68:-8] == list(range(60))


def test_samples_over_midnight_lie_in_two_days(prod: Cluster) -> None:
    midnight = datetime(2026, 6, 2, tzinfo=UTC)
    usage.write(prod.pk, [pod(cpu=1)], midnight - timedelta(seconds=1))
    usage.write(prod.pk, [pod(cpu=2)], midnight)
    assert {date(2026, 6, 1), date(2026, 6, 2)} <= set(partitions.days())
    assert line(prod, at=midnight).cpu[-2:] == [1, 2]


def test_series_of_the_same_name_are_told_apart(prod: Cluster, other: Cluster) -> None:
    usage.write(prod.pk, [pod(cpu=1), Sample("node", "", "web-1", 2, 0)], AT)
    usage.write(other.pk, [pod(cpu=3)], AT)
    assert line(prod).cpu[-1] == 1
    assert usage.series(prod.pk, "node", "web-1", at=AT).cpu[-1] == 2


def test_what_a_hostile_cluster_says_twice_or_too_large_is_taken(prod: Cluster) -> None:
    usage.write(prod.pk, [pod(cpu=1), pod(cpu=2**60, memory=2**60)], AT)
    assert line(prod).cpu[-1] == line(prod).memory[-1] == 2**31 - 1


def test_the_newest_samples_of_a_scope(prod: Cluster) -> None:
    usage.write(prod.pk, [pod("gone", 9, 9)], AT - 6 * MINUTE)
    usage.write(prod.pk, [pod("late", 8, 7), pod("web-1", 5, 5)], AT - 5 * MINUTE)
    usage.write(prod.pk, [pod("web-1", 1, 2), Sample("node", "", "node-1", 3, 4)], AT)
    assert usage.latest(prod.pk, "pod", AT) == {("shop", "late"): (8, 7), ("shop", "web-1"): (1, 2)}
    assert usage.latest(prod.pk, "node", AT) == {("", "node-1"): (3, 4)}


def test_the_newest_sample_may_be_of_the_last_hour(prod: Cluster) -> None:
    full = datetime(2026, 6, 1, 10, tzinfo=UTC)
    usage.write(prod.pk, [pod("web-1", 1, 2)], full - MINUTE)
    assert usage.latest(prod.pk, "pod", full + MINUTE) == {("shop", "web-1"): (1, 2)}


def test_a_day_of_a_cluster_as_a_line_of_half_hours(prod: Cluster, other: Cluster) -> None:
    Capacity.objects.create(cluster=prod, cpu_allocatable=1000, sampled_at=AT)
    for back, cpu in ((0, 400), (1, 600), (30, 250), (24 * 60, 999)):
        usage.write(prod.pk, [Sample("cluster", "", "", cpu, 0)], AT - back * MINUTE)
    usage.write(other.pk, [Sample("cluster", "", "", 1, 0)], AT)
    lines = usage.day_lines([prod.pk, other.pk], AT)
    assert lines[prod.pk] == [None] * 46 + [0.25, 0.5]
    assert lines[other.pk] == [None] * 48  # what it has is not known


def test_the_samples_go_with_their_cluster(prod: Cluster) -> None:
    usage.write(prod.pk, [pod()], AT)
    prod.delete()
    assert not Usage.objects.exists()


def test_nothing_is_written_of_a_cluster_that_is_gone(prod: Cluster) -> None:
    key = prod.pk
    prod.delete()
    with pytest.raises(IntegrityError):
        usage.write(key, [pod()], AT)


def test_without_a_time_the_database_says_when(prod: Cluster) -> None:
    usage.write(prod.pk, [pod(cpu=7)])
    assert usage.latest(prod.pk, "pod") == {("shop", "web-1"): (7, 50)}
    assert usage.series(prod.pk, "pod", "web-1", "shop").cpu[-2:].count(7) == 1


def test_ten_thousand_pods_take_a_handful_of_statements(
    prod: Cluster, django_assert_max_num_queries: Any
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '2s'")
    for minute in range(2):
        with django_assert_max_num_queries(12):
            usage.write(
                prod.pk, (pod(f"pod-{n}", n, n) for n in range(10_000)), AT + minute * MINUTE
            )
    assert Usage.objects.count() == 10_000
