"""The rows that open pages ask for over their sockets."""

import asyncio
import json
import re
import threading
from collections.abc import Collection, Iterator
from typing import Any

import pytest
from django.http import QueryDict

from clusters import live
from clusters.live.asked import LOOKS, MOST_TOGETHER
from clusters.models import Cluster, Namespace, Object
from explorer.views.lists import PodRows
from teams import services
from teams.models import Grant, User
from teams.roles import Role
from tests import factories
from tests.clusters.sockets import Page, cookie_of, in_database, opened

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet_hub")]

SEEN = {
    "admin": {"in-shop", "in-bank", "elsewhere"},
    "viewer": {"in-shop", "in-bank"},
    "shop_viewer": {"in-shop"},
    "outsider": {"elsewhere"},
}


@pytest.fixture
def pods(prod: Cluster, other: Cluster, shop: Namespace, bank: Namespace) -> dict[str, str]:
    """The keys of three pods by name."""
    make = factories.PodFactory.create
    found = [
        make(cluster=prod, namespace="shop", name="in-shop"),
        make(cluster=prod, namespace="bank", name="in-bank", status="Error", health="failing"),
        make(cluster=other, namespace="shop", name="elsewhere"),
    ]
    return {pod.name: str(pod.pk) for pod in found}


@pytest.fixture
def cookies(request: pytest.FixtureRequest) -> dict[str, str]:
    return {role: cookie_of(request.getfixturevalue(role)) for role in SEEN}


def question(keys: Collection[str], **changes: Any) -> str:
    asked = {"number": 7, "url": "/pods/rows/", "language": "en", "keys": list(keys), **changes}
    return json.dumps({"rows": asked})


async def rows(page: Page, keys: Collection[str], **changes: Any) -> str | None:
    """The answer as HTML."""
    await page.say(question(keys, **changes))
    answer = await page.until("rows")
    assert answer["number"] == changes.get("number", 7)
    html: str | None = answer["html"]
    return html


def names(html: str | None) -> set[str]:
    assert html is not None
    return set(re.findall(r'data-drawer class="mono">([^<]*)</a>', html))


async def test_everybody_is_told_the_rows_that_they_see(
    cookies: dict[str, str], pods: dict[str, str]
) -> None:
    async with (
        opened(cookies["admin"], "pods") as a,
        opened(cookies["viewer"], "pods") as b,
        opened(cookies["shop_viewer"], "pods") as c,
        opened(cookies["outsider"], "pods") as d,
    ):
        pages = dict(zip(SEEN, (a, b, c, d), strict=True))
        answers = await asyncio.gather(*(rows(page, pods.values()) for page in pages.values()))
        for (role, seen), html in zip(SEEN.items(), answers, strict=True):
            assert names(html) == seen, role
        assert f'data-key="{pods["in-shop"]}"' in str(await rows(c, pods.values()))


async def test_the_filter_and_the_language_are_those_of_the_page(
    cookies: dict[str, str], pods: dict[str, str]
) -> None:
    async with opened(cookies["admin"], "pods") as page:
        failing = await rows(page, pods.values(), url="/pods/rows/?health=failing")
        assert names(failing) == {"in-bank"}
        english = await rows(page, [pods["in-shop"]])
        chinese = await rows(page, [pods["in-shop"]], language="zh-hans")
        assert names(english) == names(chinese) == {"in-shop"}
        assert english != chinese


async def test_a_revoked_grant_is_felt_by_the_next_question(
    cookies: dict[str, str], viewer: User, pods: dict[str, str], prod: Cluster
) -> None:
    async with opened(cookies["viewer"], "pods") as page:
        assert names(await rows(page, pods.values())) == {"in-shop", "in-bank"}
        grant = await in_database(Grant.objects.get)(team__members=viewer)
        await in_database(services.revoke)(grant, by=None)
        await page.until("refresh")
        assert await rows(page, pods.values()) == ""


class Slow:
    """Stands before the search for rows and holds it until it is let go."""

    def __init__(self) -> None:
        self.asked: list[set[str]] = []
        self.go = threading.Event()

    def find(self, user: User, query: QueryDict, keys: Collection[str]) -> dict[str, str]:
        self.asked.append(set(keys))
        assert self.go.wait(20)
        return dict.fromkeys(keys, user.username)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    held = Slow()
    monkeypatch.setattr(PodRows, "find", held.find)
    yield held
    held.go.set()


def alike(user: User) -> live.Question:
    return live.Question.of("/pods/rows/", "en", live.scopes(user))


async def test_who_asks_alike_meanwhile_is_answered_by_one_look(slow: Slow, admin: User) -> None:
    desk, same = live.Desk(), await in_database(alike)(admin)
    first = [asyncio.create_task(desk.ask(same, admin, {str(n)})) for n in range(LOOKS)]
    # Those begin before the others ask, so what they find may be too old for these.
    await asyncio.sleep(0)
    other = await in_database(alike)(await in_database(factories.UserFactory.create)())
    assert other != same
    waiting = [asyncio.create_task(desk.ask(same, admin, {str(n), "9"})) for n in range(40)]
    stranger = asyncio.create_task(desk.ask(other, admin, {"x"}))
    await asyncio.sleep(0)
    waiting[3].cancel()  # its page is closed; the others get their answer
    slow.go.set()
    for n, answer in enumerate(first):
        assert str(n) in await answer
    for n, answer in enumerate(waiting):
        if n != 3:
            assert {str(n), "9"} <= (await answer).keys()
    assert set(await stranger) == {"x"}
    assert {str(n) for n in range(40)} | {"9"} in slow.asked
    assert {"x"} in slow.asked
    assert len(slow.asked) <= LOOKS + 2


async def test_no_look_grows_without_bounds(slow: Slow, admin: User) -> None:
    desk, same = live.Desk(), await in_database(alike)(admin)
    slow.go.set()
    keys = [{str(n) for n in range(first, first + 300)} for first in range(0, 6000, 300)]
    answers = await asyncio.gather(*(desk.ask(same, admin, some) for some in keys))
    assert all(some <= found.keys() for some, found in zip(keys, answers, strict=True))
    assert max(map(len, slow.asked)) <= MOST_TOGETHER


UNKNOWN: list[dict[str, Any]] = [
    {"url": "/nowhere/"},
    {"url": "/pods/"},
    {"url": "/api/v1/objects"},
    {"url": "https://elsewhere.example/"},
    {"language": "tlh"},
]


@pytest.mark.parametrize("changes", UNKNOWN, ids=lambda case: next(iter(case.values())))
async def test_what_has_no_rows_is_left_to_its_address(
    changes: dict[str, Any], cookies: dict[str, str]
) -> None:
    async with opened(cookies["admin"], "pods") as page:
        assert await rows(page, ["1"], **changes) is None


async def test_a_search_that_fails_is_left_to_its_address(
    cookies: dict[str, str], pods: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(cookies["admin"], "pods") as page:
        with monkeypatch.context() as broken:
            broken.setattr(PodRows, "find", lambda *_: 1 / 0)
            assert await rows(page, pods.values()) is None
        assert names(await rows(page, pods.values())) == SEEN["admin"]


async def test_a_deaf_process_answers_nothing(
    cookies: dict[str, str], pods: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would not hear either that rights were taken away."""
    async with opened(cookies["admin"], "pods") as page:
        monkeypatch.setattr(live.hub(), "hears", False)
        assert await rows(page, pods.values()) is None


async def test_keys_that_are_none_are_nothing(
    cookies: dict[str, str], pods: dict[str, str]
) -> None:
    node = await in_database(factories.NodeFactory.create)(cluster=await first_cluster())
    async with opened(cookies["admin"], "pods") as page:
        keys = ["", "-1", "x", "9" * 40, str(2**40), str(node.pk), pods["in-shop"]]
        assert names(await rows(page, keys)) == {"in-shop"}


async def first_cluster() -> Cluster:
    return await in_database(lambda: Object.objects.select_related("cluster")[0].cluster)()


RUBBISH: list[dict[str, Any]] = [
    {"number": "7"},
    {"url": None},
    {"language": 1},
    {"keys": [1]},
    {"keys": "1,2"},
]


@pytest.mark.parametrize("changes", RUBBISH, ids=str)
async def test_rubbish_ends_the_socket(changes: dict[str, Any], cookies: dict[str, str]) -> None:
    async with opened(cookies["admin"], "pods") as page:
        await page.say(json.dumps({"rows": json.loads(question(["1"]))["rows"] | changes}))
        assert await page.next() == {"type": "close", "code": 1008}


@pytest.mark.usefixtures("slow")
async def test_who_asks_without_waiting_for_answers_is_closed(cookies: dict[str, str]) -> None:
    async with opened(cookies["admin"], "pods") as page:
        for number in range(20):
            await page.say(question(["1"], number=number))
        assert await page.next() == {"type": "close", "code": 1008}


async def test_a_person_with_new_rights_is_answered_with_them(
    cookies: dict[str, str], outsider: User, pods: dict[str, str], bank: Namespace
) -> None:
    async with opened(cookies["outsider"], "pods") as page:
        assert names(await rows(page, pods.values())) == {"elsewhere"}
        await in_database(factories.give)(outsider, Role.VIEWER, bank)
        await page.until("refresh")
        assert names(await rows(page, pods.values())) == {"elsewhere", "in-bank"}
