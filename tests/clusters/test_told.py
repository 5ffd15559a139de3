"""What a page is told of changes: merged, by name, or that it must ask for everything."""

import asyncio
import json
import time
from typing import Any

import pytest

from clusters import live
from clusters.live import MOST_KEYS, WHOLE, Change, Scopes, Subscriber, pages
from clusters.models import Cluster
from tests.clusters.sockets import in_database, published

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet_hub")]


class Deaf:
    """A socket that is never read."""

    async def send(self, text_data: str) -> None:
        raise AssertionError(text_data)


def said(cluster: Cluster, *keys: str) -> dict[str, Any]:
    return {"topic": "pods", "cluster": str(cluster.pk), "keys": [[key, "shop"] for key in keys]}


def change(cluster: Cluster, *keys: str) -> Change:
    return Change.read(said(cluster, *keys))


def taken(subscriber: Subscriber) -> list[dict[str, Any]]:
    return [json.loads(text) for text in subscriber._take()]


async def test_a_storm_is_one_message(prod: Cluster) -> None:
    subscriber = Subscriber(Deaf(), Scopes(True, frozenset(), frozenset(), frozenset()))
    subscriber.topics = frozenset({"pods"})
    for number in range(50):
        subscriber.offer(change(prod, str(number), str(number + 1)))
    (message,) = taken(subscriber)
    assert message["keys"] == sorted(map(str, range(51)))
    assert taken(subscriber) == []


async def test_more_names_than_a_page_can_use_become_one(prod: Cluster) -> None:
    subscriber = Subscriber(Deaf(), Scopes(True, frozenset(), frozenset(), frozenset()))
    subscriber.topics = frozenset({"pods"})
    for number in range(MOST_KEYS * 3):
        subscriber.offer(change(prod, str(number)))
    (message,) = taken(subscriber)
    assert "keys" not in message


@pytest.mark.parametrize(
    ("names", "pause"),
    [(1, pages.COALESCE + pages.COALESCE_MORE), (300, 0.25), (MOST_KEYS * 3, 0.25)],
)
async def test_the_more_changes_the_rarer_the_messages(
    prod: Cluster, names: int, pause: float
) -> None:
    """So that no storm is more than five messages a second, not even one without names."""
    subscriber = Subscriber(Deaf(), Scopes(True, frozenset(), frozenset(), frozenset()))
    subscriber.topics = frozenset({"pods"})
    for number in range(names):
        subscriber.offer(change(prod, str(number)))
    assert subscriber._pause() == pytest.approx(pause)


async def test_a_busy_process_tells_its_pages_less_often(prod: Cluster) -> None:
    """What they ask for then would leave it no time for anybody else."""
    told: asyncio.Queue[float] = asyncio.Queue()

    class Read:
        async def send(self, _text: str) -> None:
            told.put_nowait(time.monotonic())

    subscriber = Subscriber(Read(), Scopes(True, frozenset(), frozenset(), frozenset()))
    subscriber.topics = frozenset({"pods"})
    pump = asyncio.create_task(subscriber.pump())
    async with asyncio.timeout(20):
        for number in range(3):
            subscriber.offer(change(prod, str(number)))
            at = await told.get()
            if number == 0:
                time.sleep(0.3)  # noqa: ASYNC251 - the loop gets no time
            elif number == 1:
                late = at
    pump.cancel()
    # It woke at least 0.25 s late.
    assert at - late >= 4 * 0.25


@pytest.mark.parametrize(("late", "more"), [(0.0, 0.0), (0.04, 0.0), (0.5, 2.0), (60.0, 4.0)])
async def test_the_later_the_longer_up_to_a_limit(late: float, more: float) -> None:
    subscriber = Subscriber(Deaf(), Scopes(True, frozenset(), frozenset(), frozenset()))
    assert subscriber._pause(late) - subscriber._pause() == pytest.approx(more)


async def test_a_huge_change_is_published_by_namespace(told: Any, prod: Cluster) -> None:
    with told() as messages:
        keys = [(number, ("shop", "bank")[number % 2]) for number in range(MOST_KEYS + 1)]
        await published("pods", prod.pk, keys)
    (message,) = messages
    assert sorted(message["keys"]) == [[WHOLE, "bank"], [WHOLE, "shop"]]


async def test_what_changes_together_is_told_by_topic(told: Any, prod: Cluster) -> None:
    with told() as messages:
        changes: Any = {"pods": [(1, "shop")], "events": [(2, "shop"), (3, "bank")]}
        await in_database(live.publish_all)(prod.pk, changes)
    assert [(message["topic"], len(message["keys"])) for message in messages] == [
        ("pods", 1), ("events", 2),
    ]  # fmt: skip


async def test_a_storm_in_one_topic_does_not_trouble_the_pages_of_another(prod: Cluster) -> None:
    hub = live.Hub()
    hub._fan_out(json.dumps(said(prod, "web")).encode())
    for number in range(live.MOST_RECENT):
        hub._fan_out(json.dumps({**said(prod, str(number)), "topic": "events"}).encode())
    everything = Scopes(True, frozenset(), frozenset(), frozenset())
    pods = Subscriber(Deaf(), everything, frozenset({"pods"}))
    events = Subscriber(Deaf(), everything, frozenset({"events"}))
    for subscriber in (pods, events):
        hub.replay(subscriber)
    assert [message["keys"] for message in taken(pods)] == [["web"]]
    assert taken(events) == [{"type": "refresh"}]
