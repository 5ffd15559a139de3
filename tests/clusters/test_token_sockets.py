"""Sockets that are opened by a token: no origin is asked for, and they end with the token."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from clusters.models import Cluster, Namespace
from teams import services
from teams.models import Team, Token, User
from teams.roles import Level, Reach, Role
from teams.services import tokens
from tests import factories
from tests.clusters.sockets import Page, in_database, opened_by, published

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet_hub")]
DAY = timedelta(days=1)


def make(user: User, reach: Reach | None = None) -> str:
    wanted = tokens.Wanted(DAY, "t", reach or Reach(Level.READ))
    return tokens.make(user, wanted, by=None)[1]


async def test_a_token_needs_no_origin_and_counts_alone(viewer: User, prod: Cluster) -> None:
    token = await in_database(make)(viewer)
    for origin in (None, b"http://evil.example"):
        page = Page("made-up", origin, bearer=token)
        assert await page.connect()
        assert (await page.next())["type"] == "hello"
        await page.leave()
    page = Page("", bearer="mcm_made_up")
    assert await page.connect()
    assert await page.next() == {"type": "close", "code": 4401}
    await page.leave()


async def test_a_token_for_a_cluster_hears_of_it_alone(
    admin: User, prod: Cluster, other: Cluster, shop: Namespace
) -> None:
    token = await in_database(make)(admin, Reach(Level.READ, frozenset({prod.pk})))
    async with opened_by(Page("", None, bearer=token), "pods") as page:
        await published("pods", other.pk, [("theirs", None)])
        await published("pods", prod.pk, [("mine", "shop")])
        assert (await page.until("changed"))["keys"] == ["mine"]


def revoke(user: User) -> None:
    tokens.revoke(Token.objects.get(), by=user)


def disable(user: User) -> None:
    user.is_active = False
    services.save_user(user, by=None)


def remove(user: User) -> None:
    services.delete_user(user, by=None)


@pytest.mark.parametrize("end", [revoke, disable, remove], ids=lambda end: end.__name__)
async def test_a_socket_ends_with_its_token(end: Any, viewer: User, prod: Cluster) -> None:
    token = await in_database(make)(viewer)
    async with opened_by(Page("", None, bearer=token), "pods") as page:
        began = time.monotonic()
        await in_database(end)(viewer)
        assert (await page.next())["type"] == "closed"
        assert await page.next() == {"type": "close", "code": 4401}
        assert time.monotonic() - began < 5


async def test_a_socket_ends_at_the_moment_when_its_token_is_over(
    viewer: User, prod: Cluster
) -> None:
    token = await in_database(make)(viewer)
    over = timezone.now() + timedelta(seconds=8)
    await Token.objects.aupdate(expiry=over)
    async with opened_by(Page("", None, bearer=token), "pods") as page:
        await page.until("closed")
        assert await page.next() == {"type": "close", "code": 4401}
        assert timedelta() < timezone.now() - over < timedelta(seconds=5)


def make_robot(team: Team) -> str:
    by = factories.UserFactory.create(is_superuser=True)
    return tokens.make_robot(team, tokens.Wanted(DAY, "ci"), by=by)[1]


async def test_a_robot_hears_no_more_when_its_team_loses_a_role(
    prod: Cluster, other: Cluster
) -> None:
    team = await in_database(factories.team)("crew")
    grant = await in_database(services.grant)(team, Role.VIEWER, prod, by=None)
    await in_database(services.grant)(team, Role.VIEWER, other, by=None)
    token = await in_database(make_robot)(team)
    async with opened_by(Page("", None, bearer=token), "pods") as page:
        await in_database(services.revoke)(grant, by=None)
        await page.until("refresh")
        await published("pods", prod.pk, [("lost", None)])
        await published("pods", other.pk, [("kept", None)])
        assert (await page.until("changed"))["keys"] == ["kept"]
