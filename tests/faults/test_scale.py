"""Faults that need size or time: rows 18, 26, 27 and 40. `make faults` runs them."""

import asyncio
import gc
import json
import statistics
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clusters import tasks
from clusters.kube import kubeconfig
from clusters.models import Cluster, Object
from teams.models import User
from testbed.proxy import Proxy
from testbed.replay import PODS, Collection, Hang, Refuse, Server, objects
from tests import factories
from tests.clusters.sockets import Page, cookie_of, in_database, opened
from tests.faults.conftest import Say
from tests.faults.processes import Taken, watcher
from tests.faults.watched import read
from tests.waiting import until

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(1800),
    pytest.mark.django_db(transaction=True),
]

FLEET = 100
ROUNDS = 20
MANY = 50_000
STORM_PODS = 2000
STORM_RATE = 2000.0
STORM_SECONDS = 60.0
# A page hears at most this often of one topic.
MESSAGES_A_SECOND = 5
# Of one CPU; it takes a sixth of a quiet one.
MOST_CPU = 0.5
EVICTED = "/api/v1/objects?kind=Pod&status=Evicted&limit=1"
POLLS = 10_000
POLLED = 50


def registered(server: Server, at: str = "") -> Cluster:
    connection = kubeconfig.parse(server.kubeconfig())
    seen = msgspec.structs.replace(connection, server=at or server.url)
    return factories.ClusterFactory.create(connection=seen)


async def refreshed(server: Server, wanted: set[Any], word: str) -> list[float]:
    """Seconds from a change of a pod to its row, for each of the clusters."""
    began = datetime.now(UTC)
    server.at(PODS).touch("a", word)
    rows = Object.objects.filter(cluster__in=wanted, name="a", kind="Pod", status=word)
    await until(lambda: rows.count() == len(wanted), 60)
    times = await in_database(lambda: list(rows.values_list("observed_at", flat=True)))()
    return [(at - began).total_seconds() for at in times]


async def p95(server: Server, wanted: set[Any], label: str) -> float:
    """Of the clusters in a round; of the rounds the median, since the machine has its moods."""
    rounds = []
    for number in range(ROUNDS):
        times = await refreshed(server, wanted, f"{label}{number}")
        rounds.append(statistics.quantiles(times, n=20)[-1])
        await asyncio.sleep(0.5)
    return statistics.median(rounds)


def are_unreachable(count: int) -> bool:
    return Cluster.objects.filter(status="unreachable").count() == count


async def test_18_clusters_in_a_black_hole_slow_no_other(
    replay: Server, tmp_path: Path, admin: User, say: Say
) -> None:
    with ExitStack() as stack:
        proxies = [stack.enter_context(Proxy(replay.port)) for _ in range(FLEET)]
        rows = [await in_database(registered)(replay, proxy.url) for proxy in proxies]
        stack.enter_context(watcher(tmp_path / "log"))
        pods = Object.objects.filter(kind="Pod", name="a")
        await until(lambda: pods.count() == FLEET, 300)
        await until(lambda: not Cluster.objects.filter(observed_at=None).exists(), 300)
        figures = {}
        for lost in (0, 1, FLEET // 2):
            for proxy in proxies[:lost]:
                proxy.black_hole()
            await until(partial(are_unreachable, lost), 30)
            await in_database(shows_lost)(admin, lost)
            wanted = {row.pk for row in rows[lost:]}
            figures[lost] = await p95(replay, wanted, f"Lost{lost}x")
        say(f"p95 in s, by how many of {FLEET} are lost: {figures}")
        # Below a hundredth of a second the ratio is the noise of the clock.
        assert figures[1] <= 1.2 * figures[0] + 0.02
        assert figures[FLEET // 2] <= 1.2 * figures[0] + 0.02


def shows_lost(reader: User, lost: int) -> None:
    """The API and the list of clusters tell the lost ones from the others."""
    wanted = Counter({"unreachable": lost, "live": FLEET - lost})
    told = json.loads(read(reader, "/api/v1/clusters"))["clusters"]
    assert Counter(each["freshness"] for each in told) == +wanted
    page = read(reader, "/clusters/")
    assert {word: page.count(f'data-fresh="{word}"') for word in wanted} == wanted


@pytest.mark.parametrize("watch_list", [True, False], ids=["streaming list", "list in pages"])
async def test_26_huge_objects_and_very_many(
    replay: Server, tmp_path: Path, admin: User, say: Say, watch_list: bool
) -> None:
    replay.watch_list = watch_list
    pods = replay.at(PODS)
    pods.put(*(objects.pod(f"pod-{number:05d}") for number in range(MANY)))
    huge = {"annotations": {"note": "x" * 1_500_000}}
    pods.put(objects.pod("huge", metadata=huge))
    await in_database(registered)(replay)
    with watcher(tmp_path / "log") as pid:
        stored = Object.objects.filter(kind="Pod")
        await until(lambda: stored.count() == MANY + 3, 300)
        pods.remove("huge")
        await until(lambda: not stored.filter(name="huge").exists(), 30)
        taken = Taken.by(pid)
        say(f"the watcher took {taken.peak:.0f} MB at most, {taken.megabytes:.0f} MB at last")
        assert taken.peak < 400
    if not watch_list:
        pages = [request for request in replay.asked(PODS, "list") if request.query.get("limit")]
        assert len(pages) > MANY / 1000
    took, answer = await in_database(page)(admin)
    say(f"the page of {MANY:,} pods takes {took:.2f} s")
    assert took < 2
    assert len(answer) < 2_000_000


def page(reader: User) -> tuple[float, str]:
    """How long the list of pods takes, as a median, and what it is."""
    read(reader, "/pods/")  # the first one compiles the templates
    times = []
    for _ in range(5):
        began = time.monotonic()
        content = read(reader, "/pods/")
        times.append(time.monotonic() - began)
    return statistics.median(times), content


@pytest.mark.usefixtures("quiet_hub")
async def test_27_a_storm_of_changes_is_merged_and_leaves_nothing(
    replay: Server, tmp_path: Path, admin: User, say: Say
) -> None:
    pods = replay.at(PODS)
    pods.put(*(objects.pod(f"pod-{number:04d}") for number in range(STORM_PODS)))
    await in_database(registered)(replay)
    cookie = await in_database(cookie_of)(admin)
    stored = Object.objects.filter(kind="Pod")
    with watcher(tmp_path / "log") as pid:
        await until(lambda: stored.count() == STORM_PODS + 2, 120)
        async with opened(cookie, "pods") as listener:
            # The first quarter is where buffers and caches grow to their size.
            await told_of(listener, pods, STORM_SECONDS / 4)
            before, began = Taken.by(pid), time.monotonic()
            told = await told_of(listener, pods, STORM_SECONDS * 3 / 4)
            rate = told / (time.monotonic() - began)
        truth = {(thing.name, status(thing)) for thing in pods.things}
        await until(lambda: set(stored.values_list("name", "status")) == truth, 60)
        after = Taken.by(pid)  # with what it had still to do when the storm was over
    shown = json.loads(await in_database(read)(admin, EVICTED))
    assert shown["total"] == sum(word == "Evicted" for _, word in truth)
    share = (after.cpu - before.cpu) / (STORM_SECONDS * 3 / 4)
    say(f"{rate:.1f} messages a second, {share:.0%} of a CPU; {before}, then {after}")
    assert share <= MOST_CPU
    assert rate <= MESSAGES_A_SECOND
    assert after.megabytes <= before.megabytes * 1.1
    assert after.descriptors <= before.descriptors + 2


async def told_of(listener: Page, pods: Collection, seconds: float) -> int:
    """How many messages of changes a page gets during so many seconds of the storm."""
    storm = asyncio.create_task(asyncio.to_thread(pods.storm, STORM_RATE, seconds))
    told = 0
    while not storm.done():
        told += (await listener.any())["type"] == "changed"
    return told


def status(thing: Any) -> str:
    return str(thing.body["status"].get("reason", "Running"))


def test_40_ten_thousand_polls_leave_nothing_behind(
    replay: Server, tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "DEADLINE", 0.5)
    monkeypatch.setattr(tasks, "KNOCK", 0.2)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    rows = [str(registered(replay).pk) for _ in range(POLLED)]
    # Of the requests, of which a poll makes several; each that hangs costs its whole deadline.
    replay.fault(Hang(), share=0.002)
    replay.fault(Refuse(503), share=0.1)
    replay.fault(Refuse(401), share=0.1)
    poll(rows, POLLS // 5, replay)
    before = Taken.by()
    poll(rows, POLLS - POLLS // 5, replay)
    after = Taken.by()
    say(f"{before} before, {after} after")
    assert list(tmp_path.iterdir()) == []
    assert after.descriptors <= before.descriptors * 1.1
    assert after.threads <= before.threads * 1.1
    assert after.megabytes <= before.megabytes * 1.1
    found = set(Cluster.objects.values_list("status", flat=True))
    assert found <= {"active", "degraded", "unauthorized", "unreachable"}


def poll(rows: list[str], count: int, server: Server) -> None:
    for number in range(count):
        tasks.poll_cluster(rows[number % len(rows)])
        server.requests.clear()  # its log is in this process
    gc.collect()
