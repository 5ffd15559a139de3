"""Which clusters are to be polled: spread over the period, each once, whoever asks."""

from collections import Counter
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest
from django.db.models.functions import Now

from clusters.models import Cluster, PollDue
from clusters.store import polls, usage
from tests import factories
from tests.clusters.threads import together

pytestmark = pytest.mark.django_db
PERIOD = 30.0


def due_in(cluster_id: UUID) -> timedelta:
    return PollDue.objects.get(pk=cluster_id).due - usage.now()


def make_due() -> None:
    PollDue.objects.update(due=Now() - timedelta(seconds=1))


def test_a_new_cluster_is_polled_at_once_and_then_once_a_period(prod: Cluster) -> None:
    assert polls.take_due(PERIOD) == [prod.pk]
    assert polls.take_due(PERIOD) == []
    assert 0.4 * PERIOD < due_in(prod.pk).total_seconds() <= 1.5 * PERIOD
    make_due()
    assert polls.take_due(PERIOD) == [prod.pk]


def test_polls_are_spread_over_the_period(db: None) -> None:
    clusters = factories.ClusterFactory.create_batch(300)
    assert set(polls.take_due(PERIOD)) == {each.pk for each in clusters}
    moments = [row.due.timestamp() % PERIOD for row in PollDue.objects.all()]
    sixths = Counter(int(moment // 5) for moment in moments)
    assert set(sixths) == set(range(6))
    assert max(sixths.values()) < 90  # of 50 on average


def test_the_moment_of_a_cluster_stays_the_same(prod: Cluster) -> None:
    moments = set()
    for _ in range(3):
        polls.take_due(PERIOD)
        moments.add(round(PollDue.objects.get().due.timestamp() % PERIOD, 3))
        make_due()
    assert len(moments) == 1


def test_after_a_long_pause_each_is_polled_once(prod: Cluster, other: Cluster) -> None:
    polls.take_due(PERIOD)
    PollDue.objects.update(due=Now() - timedelta(hours=2))
    assert len(polls.take_due(PERIOD)) == 2
    assert polls.take_due(PERIOD) == []


def test_a_clock_that_was_set_back_stops_no_polls(prod: Cluster) -> None:
    polls.take_due(PERIOD)
    PollDue.objects.update(due=Now() + timedelta(hours=1))
    assert polls.take_due(PERIOD) == [prod.pk]
    assert polls.take_due(PERIOD) == []


@pytest.mark.django_db(transaction=True)
def test_two_beats_do_not_double_the_polls() -> None:
    clusters = factories.ClusterFactory.create_batch(50)
    for _ in range(5):
        start = Barrier(4)

        def tick(start: Barrier = start) -> list[UUID]:
            start.wait(10)
            return polls.take_due(PERIOD)

        taken = [key for each in together(*[tick] * 4) for key in each]
        assert sorted(taken) == sorted(each.pk for each in clusters)
        make_due()
