"""The live socket: who is let in, what each hears, and when it ends."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.test import Client

from clusters import consumers, live
from clusters.models import Cluster, Namespace
from teams import services
from teams.models import Grant, User
from teams.roles import Role
from tests import factories
from tests.clusters.sockets import Page, cookie_of, in_database, opened, published

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet_hub")]

HEARD = {
    "admin": {"prod", "node", "shop", "bank", "other"},
    "viewer": {"prod", "node", "shop", "bank"},
    "shop_viewer": {"prod", "shop"},
    "outsider": {"other"},
}


async def say(prod: Cluster, other: Cluster) -> None:
    """One change of everything."""
    await published("pods", prod.pk, [("prod", None), ("node", ""), ("shop", "shop")])
    await published("pods", prod.pk, [("bank", "bank")])
    await published("pods", other.pk, [("other", "shop")])


@pytest.fixture
def cookies(request: pytest.FixtureRequest) -> dict[str, str]:
    """A session of everybody who listens."""
    return {role: cookie_of(request.getfixturevalue(role)) for role in HEARD}


@pytest.mark.parametrize("cookie", ["", "made-up"])
async def test_who_is_not_signed_in_is_closed(cookie: str) -> None:
    page = Page(cookie)
    assert await page.connect()
    assert await page.next() == {"type": "close", "code": 4401}
    await page.watch("pods")  # what still comes in is not even read
    await page.leave()


@pytest.mark.parametrize("origin", [b"http://evil.example", b"null", None], ids=repr)
async def test_a_foreign_page_may_not_connect(origin: bytes | None, viewer: User) -> None:
    page = Page(await in_database(cookie_of)(viewer), origin)
    assert not await page.connect()


async def test_everybody_hears_of_what_they_see(
    cookies: dict[str, str], prod: Cluster, other: Cluster, bank: Namespace
) -> None:
    async with (
        opened(cookies["admin"], "pods") as a,
        opened(cookies["viewer"], "pods") as b,
        opened(cookies["shop_viewer"], "pods") as c,
        opened(cookies["outsider"], "pods") as d,
        opened(cookies["admin"], "releases") as deaf,
    ):
        await say(prod, other)
        await published("releases", other.pk, [("end", "")])
        for role, page in zip(HEARD, (a, b, c, d), strict=True):
            keys: set[str] = set()
            while keys < HEARD[role]:
                keys |= set((await page.until("changed"))["keys"])
            assert keys == HEARD[role], role
        assert (await deaf.until("changed"))["keys"] == ["end"]


async def test_a_revoked_grant_is_felt_at_once(
    cookies: dict[str, str], viewer: User, prod: Cluster, other: Cluster, outsider: User
) -> None:
    async with opened(cookies["viewer"], "pods") as page:
        began = time.monotonic()
        grant = await in_database(Grant.objects.get)(team__members=viewer)
        await in_database(services.revoke)(grant, by=None)
        await page.until("refresh")
        assert time.monotonic() - began < 5
        await in_database(factories.give)(viewer, Role.VIEWER, other)
        await page.until("refresh")
        await say(prod, other)
        assert (await page.until("changed"))["keys"] == ["other"]


async def test_who_shows_rights_hears_when_those_of_others_change(
    cookies: dict[str, str], outsider: User, prod: Cluster
) -> None:
    async with opened(cookies["admin"], "grants") as page:
        grant = await in_database(Grant.objects.get)(team__members=outsider)
        await in_database(services.revoke)(grant, by=None)
        assert (await page.until("changed"))["topic"] == "grants"


async def test_the_change_of_somebody_else_disturbs_nobody(
    cookies: dict[str, str], outsider: User, prod: Cluster, other: Cluster
) -> None:
    async with opened(cookies["viewer"], "pods") as page:
        grant = await in_database(Grant.objects.get)(team__members=outsider)
        await in_database(services.revoke)(grant, by=None)
        await published("pods", prod.pk, [("prod", None)])
        assert (await page.next())["type"] == "changed"


def sign_out(cookie: str, user: User) -> None:
    client = Client()
    client.cookies["sessionid"] = cookie
    assert client.post("/logout/").status_code == 302


def disable(cookie: str, user: User) -> None:
    user.is_active = False
    services.save_user(user, by=None)


def remove(cookie: str, user: User) -> None:
    services.delete_user(user, by=None)


@pytest.mark.parametrize("end", [sign_out, disable, remove], ids=lambda end: end.__name__)
async def test_a_socket_ends_with_its_person(
    end: Any, cookies: dict[str, str], viewer: User, prod: Cluster
) -> None:
    async with opened(cookies["viewer"], "pods") as page, opened(cookies["admin"], "pods") as kept:
        began = time.monotonic()
        await in_database(end)(cookies["viewer"], viewer)
        assert (await page.next())["type"] == "closed"
        assert await page.next() == {"type": "close", "code": 4401}
        assert time.monotonic() - began < 5
        await published("pods", prod.pk, [("x", "")])
        assert (await kept.until("changed"))["keys"] == ["x"]


RUBBISH: list[tuple[str, dict[str, Any], int]] = [
    ("no json", {"text": "x"}, 1008),
    ("a list", {"text": "[]"}, 1008),
    ("no topics", {"text": '{"watch": {}}'}, 1008),
    ("numbers", {"text": '{"watch": {"topics": [1]}}'}, 1008),
    ("deep", {"text": "[" * 9000}, 1008),
    ("bytes", {"data": b"\xff\x00"}, 1008),
    ("large", {"text": json.dumps({"watch": {"topics": ["x" * 20_000]}})}, 1009),
]


@pytest.mark.parametrize(
    ("data", "code"), [case[1:] for case in RUBBISH], ids=[c[0] for c in RUBBISH]
)
async def test_rubbish_ends_the_socket(data: Any, code: int, cookies: dict[str, str]) -> None:
    async with opened(cookies["viewer"], "pods") as page:
        await page.say(**data)
        assert await page.next() == {"type": "close", "code": code}


async def test_a_flood_ends_its_socket_and_no_other(cookies: dict[str, str], prod: Cluster) -> None:
    async with opened(cookies["admin"], "pods") as kept, opened(cookies["viewer"], "pods") as page:
        for _ in range(20_000):
            await page.watch("pods")
        assert await page.next() == {"type": "close", "code": 1008}
        await published("pods", prod.pk, [("after", "shop")])
        assert (await kept.until("changed"))["keys"] == ["after"]


@pytest.mark.usefixtures("watched")
async def test_a_page_hears_what_was_said_while_it_was_on_its_way(
    cookies: dict[str, str], prod: Cluster
) -> None:
    async with opened(cookies["admin"], "pods") as first:
        await published("pods", prod.pk, [("early", "shop")])
        assert (await first.until("changed"))["keys"] == ["early"]
        async with opened(cookies["viewer"], "pods") as late:
            assert (await late.until("changed"))["keys"] == ["early"]


def cut() -> None:
    """Ends every subscription of this worker."""
    store = live._redis()
    ours = str(store.connection_pool.connection_kwargs["db"])
    for connection in store.client_list(_type="pubsub"):
        if connection["db"] == ours:  # those of other workers are none of our business
            store.client_kill_filter(_id=connection["id"])


@pytest.fixture
def watched() -> Iterator[None]:
    """A watcher lives, so that the hub has no other reason to say "refresh"."""
    live._redis().set(live.WATCHER_ALIVE, "test", ex=120)
    yield
    live._redis().delete(live.WATCHER_ALIVE)


@pytest.mark.usefixtures("watched")
async def test_a_lost_subscription_makes_the_pages_ask_again(
    cookies: dict[str, str], prod: Cluster
) -> None:
    async with opened(cookies["viewer"], "pods") as page:
        await asyncio.to_thread(cut)
        await page.until("refresh")
        await published("pods", prod.pk, [("after", "shop")])
        assert (await page.until("changed"))["keys"] == ["after"]


@pytest.mark.usefixtures("watched")
async def test_a_page_of_a_deaf_process_is_not_told_that_it_is_live(
    cookies: dict[str, str], closed_port: int, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "PING_SECONDS", 0.05)
    right = settings.REDIS_URL
    async with opened(cookies["viewer"], "pods") as page:
        assert (await page.any())["type"] == "ping"
        settings.REDIS_URL = f"redis://127.0.0.1:{closed_port}/0"
        await asyncio.to_thread(cut)
        async with asyncio.timeout(5):
            while live.hub().hears:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        while not page.socket.output_queue.empty():
            await page.any()
        assert await page.socket.receive_nothing(timeout=1)
        settings.REDIS_URL = right
        await page.until("refresh")
        assert (await page.any())["type"] == "ping"


@pytest.mark.usefixtures("watched")
async def test_after_a_lost_message_the_pages_ask_for_everything(
    cookies: dict[str, str], prod: Cluster, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(cookies["viewer"], "pods") as page:
        with monkeypatch.context() as away:
            away.setattr(live, "_redis", lambda: redis.Redis(port=closed_port))
            await published("pods", prod.pk, [("lost", "shop")])
        await published("releases", prod.pk, [("next", "shop")])
        assert (await page.next())["type"] == "refresh"


def test_pages_that_come_back_together_ask_one_after_the_other() -> None:
    hub = live.Hub()
    turns = [hub.turn() for _ in range(1000)]
    assert turns[0] == 0
    assert turns[1:4] == pytest.approx([live.TURN, 2 * live.TURN, 3 * live.TURN], abs=0.05)
    assert all(after < live.CROWD + 0.1 or after > live.UNTIL_CALM for after in turns)
    assert max(turns) == turns[-1] == live.LONGEST_TURN + live.UNTIL_CALM
