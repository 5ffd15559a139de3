"""The socket of a page of logs: what comes, in which order, what is told, and when it ends."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from clusters.models import Cluster, Namespace, Object
from explorer.collector import desk, gathering, source
from explorer.consumers import logs as consumer
from teams.models import User
from tests import factories
from tests.clusters.sockets import cookie_of, in_database
from tests.explorer.logged import POD, Page, Upstream, line, reading, serving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again, and looked at again, is so at once."""
    monkeypatch.setattr(source, "FIRST_WAIT", 0.1)
    monkeypatch.setattr(source.Source, "wait", 0.1)
    monkeypatch.setattr(gathering, "ASK_SECONDS", 20.0)


@pytest.fixture
async def upstream(prod: Cluster) -> AsyncIterator[Upstream]:
    async with serving(prod) as made:
        yield made


@pytest.fixture
async def other_upstream(other: Cluster) -> AsyncIterator[Upstream]:
    async with serving(other) as made:
        yield made


cookie = in_database(cookie_of)


async def two_pods(prod: Cluster, shop: Namespace) -> list[Object]:
    return await in_database(factories.pods)(prod, ["web-1", "web-2"])


async def test_lines_of_two_clusters_are_merged_by_their_moments(
    upstream: Upstream, other_upstream: Upstream, admin: User, pod: Object, other: Cluster
) -> None:
    theirs = await in_database(factories.PodFactory.create)(cluster=other, name="far-1")
    for n in range(0, 60, 2):
        upstream.say("web-1", line(n, f"a{n}"))
        other_upstream.say("far-1", line(n + 1, f"b{n}"))
    query = f"object={pod.pk},{theirs.pk}&tail=25"
    async with reading(query, await cookie(admin)) as page:
        await page.until_lines("a58", "b58")
        assert len(page.lines) == 50
        texts = [text for _pod, text in page.lines]
        assert texts == [f"{'ab'[n % 2]}{n - n % 2}" for n in range(10, 60)]
        clusters = {each["pod"]: each["cluster"] for each in page.sources.values()}
        assert clusters == {"web-1": "prod", "far-1": "other"}
        upstream.say("web-1", line(70, "\x1b[31mnew\x1b[2J\x07"))
        await page.until_lines("\x1b[31mnew␇")
    await upstream.until_left("web-1")  # who leaves is not read for any longer
    await other_upstream.until_left("far-1")


async def test_the_cluster_is_asked_as_the_person(
    upstream: Upstream, shop_operator: User, pod: Object, prod: Cluster
) -> None:
    prod.identity_mode = "impersonation"
    await in_database(prod.save)()
    upstream.say("web-1", line(1, "mine"))
    async with reading(f"object={pod.pk}", await cookie(shop_operator)) as page:
        await page.until_lines("mine")
    assert upstream.heads
    for head in upstream.heads:
        assert "Impersonate-User: mcm:shop-operator\r\n" in head


async def test_pods_of_a_workload_join_and_leave(
    upstream: Upstream, shop_operator: User, prod: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "LOOK_SECONDS", 0.1)
    make = in_database(factories.PodFactory.create)
    web = await make(cluster=prod, kind="Deployment", name="web", owner_kind="", owner_name="")
    owner = {"owner_kind": "Deployment", "owner_name": "web"}
    await make(cluster=prod, kind="ReplicaSet", name="web-abc", **owner)
    await make(cluster=prod, kind="ReplicaSet", name="web-x-abc", owner_name="web-x",
               owner_kind="Deployment")  # fmt: skip
    await make(cluster=prod, name="web-abc-1", owner_name="web-abc")
    await make(cluster=prod, name="web-x-abc-1", owner_name="web-x-abc")
    async with reading(f"object={web.pk}", await cookie(shop_operator)) as page:
        upstream.say("web-abc-1", line(1, "first"))
        await page.until_lines("first")
        new = await make(cluster=prod, name="web-abc-2", owner_name="web-abc")
        await page.until_note("joined")
        upstream.say("web-abc-2", line(2, "second"))
        await page.until_lines("second")
        await in_database(new.delete)()
        await page.until_note("left")
        await upstream.until_left("web-abc-2")
        assert [note[0] for note in page.notes] == ["web-abc-2", "web-abc-2"]
        assert upstream.readers["web-abc-1"]
        assert "web-x-abc-1" not in upstream.readers


async def test_a_container_that_starts_again_is_followed_on(
    upstream: Upstream, shop_operator: User, pod: Object
) -> None:
    upstream.say("web-1", line(1, "one"), line(2, "two"), line(2, "two again"))
    async with reading(f"object={pod.pk}", await cookie(shop_operator)) as page:
        await page.until_lines("two again")
        await upstream.until_followed("web-1")
        upstream.end("web-1")
        await page.until_note("waiting")
        upstream.say("web-1", line(3, "three"))
        await page.until_lines("three")
        assert [text for _pod, text in page.lines] == ["one", "two", "two again", "three"]
        await page.until_note("again")
        upstream.pods["web-1"] = POD | {"status": {"phase": "Succeeded"}}
        await upstream.until_followed("web-1")
        upstream.end("web-1")
        await page.until_state("web-1", "ended")


@pytest.mark.parametrize(
    ("refusal", "state"),
    [
        (("403 Forbidden", "pods is forbidden"), "failed"),
        (("400 Bad Request", "container is waiting to start"), "waiting"),
        (("500 Oh", "kubelet away"), "waiting"),
    ],
)
async def test_a_source_that_fails_says_why_and_ends_no_other(
    upstream: Upstream, shop_operator: User, prod: Cluster, shop: Namespace,
    refusal: tuple[str, str], state: str,
) -> None:  # fmt: skip
    bad, good = await two_pods(prod, shop)
    upstream.refusals["web-1"] = refusal
    upstream.say("web-2", line(1, "fine"))
    async with reading(f"object={bad.pk},{good.pk}", await cookie(shop_operator)) as page:
        found = await page.until_state("web-1", state)
        assert refusal[1] in found["why"]
        await page.until_lines("fine")
        upstream.say("web-2", line(2, "still"))
        await page.until_lines("still")
        if state == "waiting":
            del upstream.refusals["web-1"]
            upstream.say("web-1", line(3, "there it is"))
            await page.until_lines("there it is")


async def test_a_pod_that_is_gone_and_a_cluster_that_is_away_say_so(
    upstream: Upstream, admin: User, prod: Cluster, shop: Namespace, other: Cluster
) -> None:
    gone, good = await two_pods(prod, shop)
    away = await in_database(factories.PodFactory.create)(cluster=other, name="far-1")
    upstream.pods["web-1"] = "404 Not Found"
    upstream.say("web-2", line(1, "fine"))
    async with reading(f"object={gone.pk},{good.pk},{away.pk}", await cookie(admin)) as page:
        await page.until_lines("fine")
        assert "no such pod" in (await page.until_state("web-1", "waiting"))["why"]
        assert (await page.until_state("far-1", "waiting"))["why"]


async def test_a_cluster_that_is_cut_off_goes_on_where_it_was(
    upstream: Upstream, shop_operator: User, pod: Object, prod: Cluster
) -> None:
    upstream.say("web-1", line(1, "one"), line(1, "one more"))
    async with reading(f"object={pod.pk}", await cookie(shop_operator)) as page:
        await page.until_lines("one more")
        await upstream.until_followed("web-1")
        for queue in upstream.readers["web-1"]:
            queue.put_nowait(b"2026-01-31T12:00:02.0Z unfini")
        upstream.refusals["web-1"] = ("503 Away", "restarting")
        upstream.cut("web-1")
        while "restarting" not in (await page.until_state("web-1", "waiting"))["why"]:
            await page.next()
        upstream.say("web-1", line(2, "unfinished"))
        del upstream.refusals["web-1"]
        await page.until_lines("unfinished")
        assert [text for _pod, text in page.lines] == ["one", "one more", "unfinished"]


async def test_a_page_that_takes_nothing_in_lets_the_cluster_wait_and_loses_nothing(
    upstream: Upstream, shop_operator: User, pod: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "MOST_WAITING", 100_000)
    many = [line(n // 20, f"{n:06} {'x' * 400}") for n in range(40_000)]
    upstream.written["web-1"] = many
    page = Page(f"object={pod.pk}&tail=40000&follow=0", await cookie(shop_operator))
    page.takes = False
    assert await page.connect()
    told = 0
    while told < consumer.WINDOW:
        told += (await page.next())["type"] == "lines"
    before = -1
    while before != upstream.sent:
        before = upstream.sent
        await asyncio.sleep(1)
    # What is on its way: the window, what waits to be merged, what sockets take.
    assert len(page.lines) <= upstream.sent < 30_000
    assert page.socket.output_queue.qsize() < 50  # pings
    page.takes = True
    await page.say(json.dumps({"taken": consumer.WINDOW}))
    await page.until_count(40_000)
    assert [text[:6] for _pod, text in page.lines] == [f"{n:06}" for n in range(40_000)]
    await page.leave()


async def test_a_hundred_thousand_lines_come_in_order(
    upstream: Upstream, shop_operator: User, prod: Cluster, shop: Namespace
) -> None:
    one, two = await two_pods(prod, shop)
    upstream.written["web-1"] = [
        b"".join(line(n // 100, f"{n}") for n in range(begin, begin + 1000))
        for begin in range(0, 100_000, 1000)
    ]
    upstream.say("web-2", line(500, "between"))
    query = f"object={one.pk},{two.pk}&tail=100000&follow=0"
    async with reading(query, await cookie(shop_operator)) as page:
        await page.until_count(100_001)
        numbers = [text for pod, text in page.lines if pod == "web-1"]
        assert numbers == [str(n) for n in range(100_000)]
        at = page.lines.index(("web-2", "between"))
        assert int(page.lines[at - 1][1]) // 100 in {499, 500}


async def test_so_many_logs_are_read_at_once_and_the_rest_is_told(
    upstream: Upstream, shop_operator: User, prod: Cluster, shop: Namespace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(desk, "MOST_SOURCES", 2)
    await in_database(factories.pods)(prod, [f"web-{n}" for n in range(5)])
    async with reading("q=web", await cookie(shop_operator)) as page:
        left_out: list[Any] = []
        while 3 not in left_out:
            message = await page.next()
            left_out.append(message.get("leftOut"))
        assert len(page.sources) == 2
