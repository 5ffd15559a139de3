"""The terminal: who may open it, and when it ends."""

import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session as Stored

from clusters.models import Cluster, Object
from explorer.consumers import session
from teams import services
from teams.models import Grant, User
from teams.roles import Level, Reach, Role
from teams.services import tokens
from tests import factories
from tests.clusters.sockets import cookie_of, in_database
from tests.explorer.shelled import Containers, Page, at, denied, lines, running

pytestmark = pytest.mark.django_db(transaction=True)
cookie = in_database(cookie_of)
CONFIRMED = {"confirmed": "prod/shop/web-1/app"}


@pytest.fixture
async def containers(prod: Cluster) -> AsyncIterator[Containers]:
    async with running(prod) as made:
        yield made


def revoke(user: User) -> None:
    services.revoke(Grant.objects.get(team__members=user), by=None)


def disable(user: User) -> None:
    user.is_active = False
    services.save_user(user, by=None)


def sign_out(user: User) -> None:
    Stored.objects.all().delete()


@pytest.mark.parametrize("end", [revoke, disable, sign_out], ids=lambda end: end.__name__)
async def test_a_terminal_ends_with_the_right_to_it(
    containers: Containers, shop_operator: User, pod: Object, end: Callable[[User], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(session, "ASK_SECONDS", 20.0)
    async with at(pod.pk, await cookie(shop_operator), asks=CONFIRMED) as page:
        await page.until_shown(b"$ ")
        await in_database(end)(shop_operator)
        began = time.monotonic()
        assert await page.ended() in {("revoked", 4403), ("signed_out", 4401)}
        assert time.monotonic() - began < 5
    begun, ended = await lines()
    assert ended.detail["status"] in {"revoked", "signed_out"}
    assert ended.detail["transcript"]["event"] == begun.pk


async def test_another_right_than_at_the_begin_ends_it(
    containers: Containers, shop_operator: User, pod: Object, prod: Cluster
) -> None:
    """The cluster judged the groups of then."""
    prod.identity_mode = "impersonation"
    await in_database(prod.save)()
    async with at(pod.pk, await cookie(shop_operator), asks=CONFIRMED) as page:
        await page.until_shown(b"$ ")
        await in_database(more)(shop_operator, prod)
        assert await page.ended() == ("revoked", 4403)


def more(user: User, prod: Cluster) -> None:
    factories.give(user, Role.OPERATOR, prod)


async def test_each_role_gets_its_answer(
    containers: Containers, pod: Object, outsider: User, shop_viewer: User, shop_operator: User,
    viewer: User, operator: User, owner: User, admin: User,
) -> None:  # fmt: skip
    found: dict[str, str] = {}
    for user in (outsider, shop_viewer, shop_operator, viewer, operator, owner, admin):
        async with at(pod.pk, await cookie(user), asks=CONFIRMED) as page:
            while (message := await page.any())["type"] not in {"open", "ended"}:
                continue
            found[user.username] = message.get("why", "open")
    async with at(pod.pk, "made-up", asks=CONFIRMED) as page:
        assert await page.ended() == ("signed_out", 4401)
    assert found == {
        "outsider": "gone", "shop-viewer": "forbidden", "shop-operator": "open",
        "viewer": "forbidden", "operator": "open", "owner": "open", "admin": "open",
    }  # fmt: skip
    assert {(row.action, row.actor_name, row.namespace) for row in await denied()} == {
        ("socket terminal", "viewer", "shop"), ("socket terminal", "shop-viewer", "shop"),
    }  # fmt: skip


async def test_only_a_pod_has_a_terminal(
    containers: Containers, shop_operator: User, pod: Object
) -> None:
    pod.kind = "Secret"
    await in_database(pod.save)()
    async with at(pod.pk, await cookie(shop_operator), asks=CONFIRMED) as page:
        assert await page.ended() == ("gone", 4404)


async def test_a_token_opens_as_far_as_it_reaches(
    containers: Containers, shop_operator: User, pod: Object
) -> None:
    def make(level: Level) -> str:
        wanted = tokens.Wanted(timedelta(days=1), "t", Reach(level))
        return tokens.make(shop_operator, wanted, by=None)[1]

    token = await in_database(make)(Level.OPERATE)
    async with at(pod.pk, bearer=token, origin=None, asks=CONFIRMED) as page:
        await page.until_shown(b"$ ")
    assert {each.token.split()[0] for each in await lines()} == {"t"}
    token = await in_database(make)(Level.READ)
    async with at(pod.pk, bearer=token, origin=None, asks=CONFIRMED) as page:
        assert await page.ended() == ("forbidden", 4403)


async def test_another_site_opens_no_terminal(shop_operator: User, pod: Object) -> None:
    page = Page(pod.pk, await cookie(shop_operator), origin=b"http://evil.example")
    assert not await page.connect()
