"""The socket of a page of logs: who may open it, and when it ends."""

import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from clusters.models import Cluster, Object
from explorer.collector import following, gathering
from explorer.consumers import logs as consumer
from teams import services
from teams.models import AuditEvent, Grant, User
from teams.roles import Level, Reach
from teams.services import tokens
from tests.clusters.sockets import cookie_of, in_database
from tests.explorer.logged import Page, Upstream, line, reading, serving

pytestmark = pytest.mark.django_db(transaction=True)
cookie = in_database(cookie_of)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "ASK_SECONDS", 20.0)


@pytest.fixture
async def upstream(prod: Cluster) -> AsyncIterator[Upstream]:
    async with serving(prod) as made:
        yield made


def revoke(user: User) -> None:
    services.revoke(Grant.objects.get(team__members=user), by=None)


def disable(user: User) -> None:
    user.is_active = False
    services.save_user(user, by=None)


def leave_team(user: User) -> None:
    services.delete_membership(user.membership_set.get(), by=None)


@pytest.mark.parametrize("end", [revoke, disable, leave_team], ids=lambda end: end.__name__)
async def test_logs_end_with_the_right_to_them(
    upstream: Upstream, shop_operator: User, pod: Object, end: Callable[[User], None]
) -> None:
    upstream.say("web-1", line(1, "one"))
    async with reading(f"object={pod.pk}", await cookie(shop_operator)) as page:
        await page.until_lines("one")
        await in_database(end)(shop_operator)
        began = time.monotonic()
        code, number = await page.closed()
        assert time.monotonic() - began < 5
        assert (code, number) in {("revoked", 4403), ("signed_out", 4401)}
        await upstream.until_left("web-1")


async def test_each_role_gets_its_answer(
    upstream: Upstream, request: pytest.FixtureRequest, pod: Object, cast: dict[str, User]
) -> None:
    upstream.say("web-1", line(1, "one"))
    found: dict[str, object] = {}
    for name, user in cast.items():
        async with reading(f"object={pod.pk}", await cookie(user)) as page:
            message = await page.next()
            while message["type"] == "sources":
                message = await page.next()
            found[name] = message.get("code", "read")
    async with reading(f"object={pod.pk}", "made-up") as page:
        assert await page.closed() == ("", 4401)
    assert found == {
        "outsider": "gone", "shop_viewer": "forbidden", "shop_operator": "read",
        "viewer": "forbidden", "operator": "read", "owner": "read", "admin": "read",
    }  # fmt: skip
    told = [row async for row in AuditEvent.objects.filter(result="denied")]
    assert {(row.action, row.actor_name, row.namespace) for row in told} == {
        ("socket logs", "viewer", "shop"), ("socket logs", "shop-viewer", "shop"),
    }  # fmt: skip


@pytest.fixture
def cast(
    outsider: User, shop_viewer: User, shop_operator: User, viewer: User, operator: User,
    owner: User, admin: User,
) -> dict[str, User]:  # fmt: skip
    return {
        "outsider": outsider, "shop_viewer": shop_viewer, "shop_operator": shop_operator,
        "viewer": viewer, "operator": operator, "owner": owner, "admin": admin,
    }  # fmt: skip


async def test_a_token_reads_as_far_as_it_reaches(
    upstream: Upstream, shop_operator: User, pod: Object
) -> None:
    upstream.say("web-1", line(1, "one"))

    def make(level: Level) -> str:
        return tokens.make(shop_operator, tokens.Wanted(timedelta(days=1), "t", Reach(level)),
                           by=None)[1]  # fmt: skip

    token = await in_database(make)(Level.OPERATE)
    async with reading(f"object={pod.pk}", bearer=token, origin=None) as page:
        await page.until_lines("one")
    token = await in_database(make)(Level.READ)
    async with reading(f"object={pod.pk}", bearer=token, origin=None) as page:
        assert await page.closed() == ("forbidden", 4403)


async def test_another_site_opens_no_logs(shop_operator: User, pod: Object) -> None:
    page = Page(f"object={pod.pk}", await cookie(shop_operator), origin=b"http://evil.example")
    assert not await page.connect()


@pytest.mark.parametrize("query", ["", "object=x", "object=1&since=never", "q=colour:red"])
async def test_what_cannot_be_read_is_told(shop_operator: User, query: str) -> None:
    async with reading(query, await cookie(shop_operator)) as page:
        assert await page.closed() == ("bad", 4400)


@pytest.mark.parametrize("said", ["{", "[]", '{"taken": "1"}', '{"taken": 99}', "x" * 500])
async def test_rubbish_ends_the_socket(
    upstream: Upstream, shop_operator: User, pod: Object, said: str
) -> None:
    async with reading(f"object={pod.pk}", await cookie(shop_operator)) as page:
        await page.say(said)
        assert (await page.closed())[1] == 1008


async def test_a_person_has_so_many_pages_and_no_more(
    upstream: Upstream, shop_operator: User, pod: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "MOST_SOCKETS", 1)
    upstream.say("web-1", line(1, "one"))
    mine = await cookie(shop_operator)
    async with reading(f"object={pod.pk}", mine) as page:
        await page.until_lines("one")
        async with reading(f"object={pod.pk}", mine) as second:
            assert await second.closed() == ("many", 4429)
    async with reading(f"object={pod.pk}", mine) as page:
        await page.until_lines("one")
    assert not consumer._open
    assert not following._open
