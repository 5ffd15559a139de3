"""Watches that break, end, lie or forget: rows 20 to 24 of the table of faults."""

import asyncio
import json
import time
from collections import Counter
from typing import Any

import msgspec
import pytest

from clusters.kube.decode import LARGEST_FRAME
from clusters.models import Cluster
from testbed.cluster import Cluster as RealCluster
from testbed.proxy import Proxy
from testbed.replay import (
    PODS,
    Broken,
    End,
    ErrorEvent,
    Refuse,
    Request,
    Server,
    Thing,
    objects,
    wire,
)  # fmt: skip
from testbed.replay.faults import Asks
from tests.clusters.conftest import pod_manifest
from tests.faults.watched import FAST, Fleet, Watched, hurry, port_of
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

# FAST is twenty times as fast as the real times.
MINUTE = 60 / 20
BAD_NAME = objects.pod("x" * 9)


def frame(type_: str, raw: bytes) -> bytes:
    """A protobuf event about a pod of these bytes."""
    return wire.frame(type_, wire.unknown("v1", "Pod", raw))


WHOLE = frame("ADDED", objects.pod("never-whole").message)
DAMAGE = {
    "cut off inside an event": (WHOLE[:-7], True),
    "not UTF-8": (frame("ADDED", BAD_NAME.message.replace(b"x" * 9, b"\xff" * 9)), False),
    "of an unknown type": (frame("SURPRISE", objects.pod("x").message), False),
    "no object": (frame("ADDED", b"\xff\xff\xff"), False),
    "no frame": (b"\x00\x00\x00\x03abc", False),
    "larger than anything": (b"\x7f\xff\xff\xff", False),
}


@pytest.mark.parametrize(("data", "ends"), DAMAGE.values(), ids=DAMAGE.keys())
async def test_20_a_damaged_stream_costs_nothing_but_the_damage(
    replay: Server, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, data: bytes, ends: bool
) -> None:
    hurry(monkeypatch)
    watched = await fleet.add(replay.kubeconfig())
    await watched.agrees()
    replay.inject(PODS, data, ends=ends)
    replay.at(PODS).put(objects.pod("after"))
    replay.at(PODS).remove("a")
    await watched.agrees()
    await shows(watched, "b", "after")
    await watched.lives()
    await watched.tells("active", freshness="live")
    # The stream was taken up where it was left, and no state was asked for twice.
    assert len(replay.asked(PODS, "stream")) == 1


WIDGETS = "/apis/example.com/v1/widgets"
WIDGET = "Widget.example.com"


def widget(name: str) -> Thing:
    return Thing("Widget", name, "shop", api_version="example.com/v1")


def line(type_: str, name: str) -> bytes:
    """A JSON event about a widget."""
    return objects.event(type_, widget(name), protobuf=False)


JSON_DAMAGE = {
    "cut off inside an event": (line("ADDED", "never-whole")[:-7], True),
    "not UTF-8": (line("ADDED", "x" * 9).replace(b"x" * 9, b"\xff" * 9), False),
    "of an unknown type": (line("SURPRISE", "x"), False),
    "no object": (b'{"type": "ADDED"}\n', False),
    "no JSON": (b"{]\n", False),
    "larger than anything": (b"x" * (LARGEST_FRAME + 1), False),
}


@pytest.mark.parametrize(("data", "ends"), JSON_DAMAGE.values(), ids=JSON_DAMAGE.keys())
async def test_20_a_damaged_stream_of_custom_resources(
    replay: Server, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, data: bytes, ends: bool
) -> None:
    hurry(monkeypatch)
    widgets = replay.at(WIDGETS)
    widgets.put(widget("a"), widget("b"))
    watched = await fleet.add(replay.kubeconfig())
    await watched.turn_on("example.com", "widgets", "Widget")
    await watched.has("a", "b", kind=WIDGET)
    replay.inject(WIDGETS, data, ends=ends)
    widgets.put(widget("after"))
    widgets.remove("a")
    await watched.has("b", "after", kind=WIDGET)
    listed = json.loads(await watched.read(f"/api/v1/objects?kind={WIDGET}"))
    assert {each["name"] for each in listed["objects"]} == {"b", "after"}
    assert len(replay.asked(WIDGETS, "stream")) == 1
    # The other kinds did not notice.
    assert len(replay.asked(PODS)) == 1
    await watched.tells("active", freshness="live")


@pytest.mark.cluster
async def test_20_a_real_cluster_behind_answers_that_break_off(
    cluster: RealCluster, namespace: str, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch, msgspec.structs.replace(FAST, silence=20))
    path = f"/api/v1/namespaces/{namespace}/pods"
    with Proxy(port_of(cluster.kubeconfig)) as proxy:
        watched = await fleet.add(cluster.kubeconfig, at=proxy.url)
        for number, size in enumerate((1, 700, 5000)):
            proxy.truncate(size)
            await asyncio.to_thread(cluster.api.post, path, pod_manifest(f"web-{number}"))
            proxy.reset()
            await asyncio.sleep(0.3)
        proxy.flow()
        await watched.agrees()
        assert {"web-0", "web-1", "web-2"} <= await watched.names()
        await watched.lives()


GONE = {
    "an event": ErrorEvent(410, "too old resource version"),
    "HTTP": Refuse(410, "too old resource version"),
}


@pytest.mark.parametrize("answer", GONE.values(), ids=GONE.keys())
async def test_21_gone_once_means_one_list(
    replay: Server, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    hurry(monkeypatch)
    watched = await fleet.add(replay.kubeconfig())
    await watched.agrees()
    replay.fault(answer, path=PODS, on=("watch",), times=1)
    replay.at(PODS).remove("a", silently=True)
    replay.inject(PODS, b"", ends=True)
    await watched.agrees()
    await watched.lives()
    await shows(watched, "b")
    asks = [request.asks for request in replay.asked(PODS, "stream", "watch")]
    assert asks == ["stream", "watch", "stream"]


@pytest.mark.parametrize("answer", GONE.values(), ids=GONE.keys())
async def test_21_gone_for_ever_is_asked_less_than_once_a_second(
    replay: Server, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    hurry(monkeypatch)
    watched = await fleet.add(replay.kubeconfig())
    await watched.agrees()
    replay.fault(answer, path=PODS)
    replay.inject(PODS, b"", ends=True)
    asked = await count_a_minute(replay)
    assert asked[PODS] < 60
    assert asked[PODS] <= 10
    assert await watched.names() == {"a", "b"}
    assert not watched.collector.live
    # The API server is well: its copy is what is old, and the pages say so.
    await until(lambda: Cluster.objects.get().freshness == "stale")
    await watched.tells("active", freshness="stale")
    await shows(watched, "a", "b")
    replay.heal()
    await watched.lives()
    await watched.tells("active", freshness="live")


@pytest.mark.parametrize("answer", [End(), Broken(b"")], ids=["in order", "broken off"])
async def test_22_a_watch_that_ends_at_once_for_ever_is_asked_ten_times_a_minute(
    replay: Server, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    hurry(monkeypatch)
    watched = await fleet.add(replay.kubeconfig())
    await watched.agrees()
    replay.fault(answer, on=("watch", "stream"))
    replay.disconnect()
    asked = await count_a_minute(replay)
    del asked["/readyz"]
    assert max(asked.values()) <= 10
    assert asked[PODS] >= 1
    await shows(watched, "a", "b")
    replay.heal()
    replay.at(PODS).put(objects.pod("c"))
    await watched.agrees()
    await watched.lives()
    await watched.tells("active", freshness="live")
    await shows(watched, "a", "b", "c")


async def count_a_minute(server: Server) -> Counter[str]:
    """How often each list is asked for in the 3 s that stand for a minute of the real times."""
    began = time.monotonic()
    await asyncio.sleep(MINUTE)
    asked: list[Request] = [request for request in server.requests if request.at >= began]
    # Two kinds may be read from one path, each by its own selector.
    return Counter(request.path + request.query.get("fieldSelector", "") for request in asked)


@pytest.mark.parametrize("watch_list", [True, False], ids=["streaming list", "list in pages"])
async def test_23_a_missed_delete_is_gone_after_the_next_list(
    replay: Server, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, watch_list: bool
) -> None:
    hurry(monkeypatch, msgspec.structs.replace(FAST, relist=5.0))
    replay.watch_list = watch_list
    watched = await fleet.add(replay.kubeconfig())
    await watched.agrees()
    listing: tuple[Asks, ...] = ("stream",) if watch_list else ("list",)
    replay.at(PODS).remove("a", silently=True)
    await watched.agrees()
    assert await watched.names() == {"b"}
    await watched.lives()
    await shows(watched, "b")
    # No watch told of it: a list did.
    assert len(replay.asked(PODS, *listing)) >= 2


@pytest.mark.parametrize("watch_list", [True, False], ids=["streaming list", "list in pages"])
async def test_24_a_cluster_restored_from_a_backup_leaves_no_ghosts(
    replay: Server, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, watch_list: bool
) -> None:
    hurry(monkeypatch)
    replay.watch_list = watch_list
    watched = await fleet.add(replay.kubeconfig())
    await watched.agrees()
    # The same name with another uid, and a version below all that was seen.
    replay.restore({PODS: [objects.pod("a"), objects.pod("old")]})
    await watched.agrees()
    assert await watched.names() == {"a", "old"}
    await watched.lives()
    replay.at(PODS).touch("old", "Evicted")
    await watched.agrees()
    await shows(watched, "a", "old")


EVERY_NAME = ("a", "b", "c", "old", "after", "never-whole")


async def shows(watched: Watched, *names: str) -> None:
    """The page lists just these pods."""
    page = await watched.read("/pods/")
    assert {name for name in EVERY_NAME if f">{name}<" in page} == set(names)
