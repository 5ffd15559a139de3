"""The page of logs, the file of them, and the API: who gets them, and what is in them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from clusters.models import Cluster, Namespace, Object
from explorer.filters.logs import LogQuery, select, text
from teams import services, throttles
from teams.models import Grant, User
from teams.roles import Role
from tests import factories
from tests.clusters.sockets import cookie_of, in_database
from tests.explorer.logged import POD, Upstream, line, serving
from tests.kubectl.conftest import token_of
from tests.kubectl.front import Front, Reply
from tests.kubectl.front import serving as serving_mcm


@pytest.fixture
def web(prod: Cluster) -> Object:
    """A Deployment with two pods of its own and one of another's."""
    make = factories.PodFactory.create
    owner = {"owner_kind": "Deployment", "owner_name": "web"}
    make(cluster=prod, kind="ReplicaSet", name="web-abc", **owner)
    make(cluster=prod, name="web-abc-1", owner_name="web-abc")
    make(cluster=prod, name="web-abc-2", owner_name="web-abc", health="idle")
    make(cluster=prod, name="web-1", owner_name="other")
    make(cluster=prod, name="web-abc-3", owner_name="web-abc", namespace="bank")
    found: Object = make(cluster=prod, kind="Deployment", name="web", owner_kind="", owner_name="")
    return found


# ---- the page ----
def test_the_page_is_for_who_operates_what_it_shows(
    client: Client, web: Object, request: pytest.FixtureRequest
) -> None:
    answers = {
        "outsider": 404, "shop_viewer": 403, "shop_operator": 200, "viewer": 403, "operator": 200,
        "owner": 200, "admin": 200,
    }  # fmt: skip
    for address in ("/logs/", "/logs/file/"):
        for role, status in answers.items():
            client.force_login(request.getfixturevalue(role))
            assert client.get(f"{address}?object={web.pk}").status_code == status, role


def test_the_page_of_a_workload_names_it_and_keeps_the_address(
    client: Client, shop_operator: User, web: Object
) -> None:
    client.force_login(shop_operator)
    page = client.get(f"/logs/?object={web.pk}&since=1h&container=app&wrap=0")
    html = page.content.decode()
    assert "Logs of web" in html
    assert f'data-chosen="object={web.pk}"' in html
    assert '<option value="1h" selected>' in html
    assert '<option value="app" selected>' in html
    assert page.context["found"].withheld == 0


def test_without_a_choice_it_says_what_to_do(client: Client, viewer: User, operator: User) -> None:
    client.force_login(operator)
    assert "Choose what to read" in client.get("/logs/").content.decode()
    client.force_login(viewer)
    assert "You may read no logs yet" in client.get("/logs/").content.decode()
    assert client.get("/logs/file/").status_code == 404


def test_what_cannot_be_read_of_the_address_is_told(client: Client, admin: User) -> None:
    client.force_login(admin)
    page = client.get("/logs/?object=7,x&since=yesterday&tail=many").content.decode()
    assert "named by their numbers" in page
    assert "how long ago" in page
    assert "a number of lines" in page
    # Before all calendars: that is all there is, and no mistake.
    assert client.get("/logs/?object=7&since=999999d").status_code == 404
    assert client.get("/logs/?q=web&since=1h30m").status_code == 200


def test_the_way_to_logs_tells_who_may_not_go_it(
    client: Client, viewer: User, operator: User, web: Object, pod: Object
) -> None:
    node = factories.NodeFactory.create(cluster=web.cluster)
    for address in (f"/objects/{web.pk}/", f"/pods/{pod.pk}/"):
        client.force_login(operator)
        assert f"/logs/?object={address.split('/')[2]}" in client.get(address).content.decode()
        client.force_login(viewer)
        page = client.get(address).content.decode()
        assert "/logs/?object=" not in page
        assert "Logs take the role operator" in page
    assert "file-text" not in client.get(f"/objects/{node.pk}/").content.decode()
    assert 'data-select="logs"' in client.get("/objects/deployments/").content.decode()
    assert 'data-select="logs"' not in client.get("/nodes/").content.decode()


# ---- which pods ----
def names(user: User, query: str) -> list[str]:
    return [row.name for row in select(user, LogQuery.of(QueryDict(query))).pods]


def test_the_pods_of_a_workload_are_its_own(shop_operator: User, web: Object) -> None:
    assert names(shop_operator, f"object={web.pk}") == ["web-abc-1", "web-abc-2"]


def test_a_filter_finds_what_one_operates_alone(
    web: Object, shop_operator: User, admin: User, viewer: User, bank: Namespace
) -> None:
    assert names(admin, "q=web") == ["web-abc-3", "web-1", "web-abc-1", "web-abc-2"]
    assert names(shop_operator, "q=web") == ["web-1", "web-abc-1", "web-abc-2"]
    assert names(shop_operator, "namespace=bank") == []
    assert names(viewer, "q=web") == []
    factories.give(viewer, Role.OPERATOR, bank)
    found = select(viewer, LogQuery.of(QueryDict("q=web")))
    assert ([row.name for row in found.pods], found.withheld) == (["web-abc-3"], 3)


# ---- what is read ----
@pytest.fixture
async def front(tmp_path: Path, settings: Any) -> AsyncIterator[Front]:
    settings.ALLOWED_HOSTS = ["mcm"]
    async with serving_mcm(tmp_path) as made:
        yield made


@pytest.fixture
async def upstream(prod: Cluster) -> AsyncIterator[Upstream]:
    async with serving(prod) as made:
        yield made


async def got(front: Front, user: User, path: str) -> Reply:
    return await front.ask("GET", path, await in_database(token_of)(user))


@pytest.mark.django_db(transaction=True)
async def test_a_pods_log_by_the_api(
    front: Front, upstream: Upstream, shop_operator: User, pod: Object
) -> None:
    upstream.say("web-1", line(1, "one"), line(2, "\x1b[31mtwo\x1b[0m \x1b[2J"), line(3, "three"))
    path = f"/api/v1/objects/{pod.pk}/logs"
    reply = await got(front, shop_operator, f"{path}?tail=2")
    assert (reply.status, reply.whole) == (200, True)
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.body.decode() == "two \nthree\n"
    marked = f"{path}?timestamps=true&prefix=true&since=2026-01-31T12:00:03Z"
    reply = await got(front, shop_operator, marked)
    assert reply.body.decode() == ("[prod/shop/web-1/app] 2026-01-31T12:00:03.000000000Z three\n")
    assert upstream.asked[-1][1]["sinceTime"] == ["2026-01-31T12:00:03Z"]
    for wrong in ("tail=x", "colour=red", "prefix=yes", "since=x", "container=none"):
        assert (await got(front, shop_operator, f"{path}?{wrong}")).status == 400, wrong
    await got(front, shop_operator, f"{path}?previous=true")
    assert upstream.asked[-1][1]["previous"] == ["true"]


@pytest.mark.django_db(transaction=True)
async def test_a_workloads_logs_are_merged_and_failures_told(
    front: Front, upstream: Upstream, shop_operator: User, web: Object
) -> None:
    upstream.say("web-abc-1", line(1, "one"), line(3, "three"))
    upstream.say("web-abc-2", line(2, "two"))
    path = f"/api/v1/objects/{web.pk}/logs"
    reply = await got(front, shop_operator, path)
    assert reply.body.decode().splitlines() == [
        "[prod/shop/web-abc-1/app] one",
        "[prod/shop/web-abc-2/app] two",
        "[prod/shop/web-abc-1/app] three",
    ]
    upstream.refusals["web-abc-2"] = ("403 Forbidden", "not for you")
    said = (await got(front, shop_operator, path)).body.decode().splitlines()
    assert "# MCM: prod/shop/web-abc-2/app: not for you" in said
    assert "[prod/shop/web-abc-1/app] three" in said


@pytest.mark.django_db(transaction=True)
async def test_a_followed_log_goes_on_and_ends_with_the_right_to_it(
    front: Front, upstream: Upstream, shop_operator: User, pod: Object
) -> None:
    token = await in_database(token_of)(shop_operator)
    upstream.say("web-1", line(1, "one"))
    path = f"/api/v1/objects/{pod.pk}/logs?follow=true"
    async with front.call("GET", path, token) as call:
        await call.until(b"one\n")
        await upstream.until_followed("web-1")
        upstream.say("web-1", line(2, "two"))
        await call.until(b"two\n")
        await in_database(services.revoke)(
            await in_database(Grant.objects.get)(team__members=shop_operator), by=None
        )
        await call.until(b"# MCM: Your right to read these logs has ended.")
    await upstream.until_left("web-1")
    upstream.say("web-1", line(3, "not theirs"))


@pytest.mark.django_db(transaction=True)
async def test_who_leaves_is_not_read_for(
    front: Front, upstream: Upstream, shop_operator: User, pod: Object
) -> None:
    token = await in_database(token_of)(shop_operator)
    upstream.say("web-1", line(1, "one"))
    path = f"/api/v1/objects/{pod.pk}/logs?follow=true"
    async with front.call("GET", path, token) as call:
        await call.until(b"one\n")
    await upstream.until_left("web-1")


@pytest.mark.django_db(transaction=True)
async def test_a_file_has_a_bound_and_says_so(
    front: Front, upstream: Upstream, shop_operator: User, pod: Object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(text, "MOST", 1_000_000)
    upstream.written["web-1"] = [line(n % 3600, "x" * 900) for n in range(3_000)]
    cookie = await in_database(cookie_of)(shop_operator)
    path = f"/logs/file/?object={pod.pk}"
    reply = await front.ask("GET", path, cookie=f"sessionid={cookie}")
    assert 'filename="web-1-' in reply.headers["content-disposition"]
    assert reply.body.endswith(b"# MCM: Only the first 0 MiB are in this file.\n")
    assert 1_000_000 < len(reply.body) < 2_000_000
    await upstream.until_left("web-1")


@pytest.mark.django_db(transaction=True)
async def test_what_is_refused_is_told_by_a_status(
    front: Front, upstream: Upstream, shop_operator: User, shop_viewer: User, outsider: User,
    pod: Object, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = f"/api/v1/objects/{pod.pk}/logs"
    assert (await got(front, outsider, path)).status == 404
    assert (await got(front, shop_viewer, path)).status == 403
    assert (await front.ask("GET", path)).status == 401
    upstream.pods["web-1"] = "404 Not Found"
    assert (await got(front, shop_operator, path)).status == 404
    upstream.pods["web-1"] = "403 Forbidden"
    assert (await got(front, shop_operator, path)).status == 403
    upstream.pods["web-1"] = POD
    monkeypatch.setattr(throttles.Costly, "allow_request", lambda *_args: False)
    assert (await got(front, shop_operator, path)).status == 429
