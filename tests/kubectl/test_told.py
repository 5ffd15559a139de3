"""What the trail tells of a change by kubectl: its begin before it is sent, then its outcome."""

import asyncio
import json
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from clusters.models import Cluster
from kubectl import services
from kubectl.consumers import under_way
from teams import audit
from teams import services as teams
from teams.audit import context
from teams.audit.outcomes import begin_of, outcomes
from teams.models import AuditEvent, Grant, User
from teams.trail import Named, Result
from tests.clusters.sockets import in_database
from tests.kubectl.conftest import Upstream
from tests.kubectl.front import Front
from tests.kubectl.test_passing import PODS, events, new_token
from tests.kubectl.test_streams import watching

pytestmark = pytest.mark.django_db(transaction=True)

POD = f"{PODS}/web-1"
REVIEWS = "/k8s/clusters/prod/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@in_database
def lines() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action__startswith="kubectl.").order_by("pk"))


async def results() -> list[Any]:
    return [each["result"] for each in await events()]


async def test_the_begin_stands_there_before_the_cluster_hears_of_it(
    front: Front, upstream: Upstream, shop_operator: User
) -> None:
    seen: list[Any] = []

    async def look() -> None:
        seen.extend(await results())

    upstream.before_answering = look
    assert (await front.ask("DELETE", POD, await new_token(shop_operator))).status == 200
    assert seen == ["begun"]
    begun, ended = await lines()
    assert (begun.result, ended.result) == (Result.BEGUN, Result.DONE)
    assert begun.request_id == ended.request_id != ""
    assert await in_database(outcomes)([begun, ended]) == {begun.pk: ended.pk}
    assert await in_database(begin_of)(ended) == begun.pk


async def test_requests_of_one_connection_are_told_apart(
    front: Front, upstream: Upstream, shop_operator: User
) -> None:
    token = await new_token(shop_operator)
    for _ in range(2):
        await front.ask("DELETE", POD, token)
    first, one, second, two = await lines()
    assert await in_database(outcomes)([first, second]) == {first.pk: one.pk, second.pk: two.pk}


async def test_what_cannot_be_told_is_not_sent(
    front: Front, upstream: Upstream, shop_operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(services, "begin", away)
    reply = await front.ask("DELETE", POD, await new_token(shop_operator))
    assert reply.refusal[:2] == (503, "ServiceUnavailable")
    assert upstream.requests == []
    assert await events() == []


async def test_an_outcome_that_cannot_be_told_keeps_the_answer_from_nobody(
    front: Front, upstream: Upstream, shop_operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(services, "end", away)
    assert (await front.ask("DELETE", POD, await new_token(shop_operator))).status == 200
    (begun,) = await lines()
    assert await in_database(outcomes)([begun]) == {begun.pk: None}


async def _never() -> None:
    await asyncio.Event().wait()


async def test_who_leaves_a_change_gets_no_outcome_and_it_may_have_been_done(
    front: Front, upstream: Upstream, shop_operator: User
) -> None:
    upstream.before_answering = _never
    async with front.call("DELETE", POD, await new_token(shop_operator)):
        async with asyncio.timeout(10):
            while not upstream.requests:  # noqa: ASYNC110 - the cluster tells nobody
                await asyncio.sleep(0.02)
    async with asyncio.timeout(10):
        while len(found := await lines()) < 2:
            continue
    assert [each.result for each in found] == [Result.BEGUN, Result.FAILED]
    assert found[1].reason == "It was sent, and no answer was seen: it may have been done."


async def test_a_change_that_is_cut_off_is_not_told_as_denied(
    front: Front, upstream: Upstream, shop_operator: User
) -> None:
    upstream.before_answering = _never
    async with front.call("DELETE", POD, await new_token(shop_operator)) as call:
        async with asyncio.timeout(10):
            while not upstream.requests:  # noqa: ASYNC110 - the cluster tells nobody
                await asyncio.sleep(0.02)
        await in_database(_revoke)(shop_operator)
        assert (await call.end()).status == 403
    assert [each.result for each in await lines()] == [Result.BEGUN, Result.FAILED]
    assert await results() == ["begun", "unknown"]


def _revoke(user: User) -> None:
    teams.revoke(Grant.objects.get(team__members=user), by=None)


async def test_what_mcm_answers_instead_is_told_with_its_reason(
    front: Front, prod: Cluster, shop_operator: User
) -> None:
    reply = await front.ask("DELETE", POD, await new_token(shop_operator))  # nobody listens there
    assert reply.status == 503
    assert await results() == ["begun", 503]
    assert (await lines())[1].reason == reply.json["message"]


async def test_asking_for_ones_own_rights_changes_nothing(
    front: Front, upstream: Upstream, shop_viewer: User
) -> None:
    body = json.dumps({"spec": {}}).encode()
    assert (await front.ask("POST", REVIEWS, await new_token(shop_viewer), body)).status == 200
    assert await events() == []


async def test_a_change_costs_one_insert_more(
    front: Front, upstream: Upstream, shop_operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose place it is, is looked up for the begin alone."""
    asked: list[str] = []
    place: Any = services.Told.__dict__["named"]
    named = place.func

    def note(told: services.Told) -> Named:
        asked.append(told.info.name)
        found: Named = named(told)
        return found

    monkeypatch.setattr(place, "func", note)
    await front.ask("DELETE", POD, await new_token(shop_operator))
    assert asked == ["web-1"]
    assert len(await lines()) == 2


async def test_looking_after_open_streams_mixes_up_nobody(
    front: Front, upstream: Upstream, shop_operator: User, viewer: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Who opened the first stream is not told with the token of another one."""
    looked = asyncio.Event()
    still = under_way._still

    async def note(asked: Any) -> Any:
        found = await still(asked)
        if found is not None and found.user.pk == viewer.pk:
            looked.set()
        return found

    monkeypatch.setattr(under_way, "_still", note)
    monkeypatch.setattr(under_way, "LOOK_SECONDS", 0.05)
    held = asyncio.Event()
    upstream.before_answering = None
    mine, other = await new_token(shop_operator), await new_token(viewer)

    async def hold() -> None:
        await held.wait()

    async def change() -> int:
        upstream.before_answering = hold
        return (await front.ask("DELETE", POD, mine)).status

    changing = asyncio.create_task(change())
    async with asyncio.timeout(10):
        while not upstream.requests:  # noqa: ASYNC110 - the cluster tells nobody
            await asyncio.sleep(0.02)
    upstream.before_answering = None
    async with watching(front, upstream, other):
        await asyncio.wait_for(looked.wait(), 10)
        held.set()
        await changing
    begun, ended = await lines()
    assert begun.token == ended.token != ""


# ---- as it is read ----

THING = Named("thing", "1", "a thing")


def told(*results: Result, request: str, via: str = "kubectl") -> list[AuditEvent]:
    with context.acting(context.Origin(via=via, request_id=request)):
        return [audit.record(None, "kubectl.delete", THING, result=each) for each in results]


def test_page_and_api_tell_how_what_was_begun_ended(client: Client, admin: User) -> None:
    begun, ended = told(Result.BEGUN, Result.DONE, request="r1")
    (lost,) = told(Result.BEGUN, request="r2")
    # Another's line with the same number is no outcome of it.
    told(Result.DONE, request="r2", via="api")
    client.force_login(admin)

    listed = {row["id"]: row for row in client.get("/api/v1/audit").json()["events"]}
    assert (listed[begun.pk]["outcome"], listed[lost.pk]["outcome"]) == (ended.pk, None)
    assert "outcome" not in listed[ended.pk]
    assert client.get(f"/api/v1/audit/{begun.pk}").json()["outcome"] == ended.pk
    found = client.get("/api/v1/audit", {"result": "begun"}).json()["events"]
    assert [row["id"] for row in found] == [lost.pk, begun.pk]

    page = client.get("/audit/", {"result": "begun"}).content.decode()
    first, second = page.split(f'id="event-{lost.pk}"')[1].split(f'id="event-{begun.pk}"')
    assert "No outcome is known" in first
    assert "No outcome is known" not in second
    assert f'href="/audit/{ended.pk}/"' in client.get(f"/audit/{begun.pk}/").content.decode()
    assert f'href="/audit/{begun.pk}/"' in client.get(f"/audit/{ended.pk}/").content.decode()
    assert "No outcome is known" in client.get(f"/audit/{lost.pk}/").content.decode()
