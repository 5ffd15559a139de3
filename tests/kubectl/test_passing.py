"""What goes through to the cluster and back, and what does not."""

import asyncio
import json
from typing import Any

import pytest

from clusters.kube import relay
from clusters.models import Cluster
from kubectl.consumers import requests
from teams.models import AuditEvent, Token, User
from tests.clusters.sockets import in_database
from tests.kube import fake
from tests.kubectl.conftest import OK, Upstream, token_of
from tests.kubectl.front import Front

pytestmark = pytest.mark.django_db(transaction=True)

PODS = "/k8s/clusters/prod/api/v1/namespaces/shop/pods"
NAMESPACES = "/k8s/clusters/prod/api/v1/namespaces"


async def new_token(user: User) -> str:
    return await in_database(token_of)(user)


@in_database
def events() -> list[dict[str, Any]]:
    """What was audited of requests, oldest first."""
    found = AuditEvent.objects.filter(action__startswith="kubectl.").order_by("pk")
    return [
        {
            "action": each.action,
            "by": each.actor_name,
            "result": each.detail.pop("status", each.result),
        }
        | each.detail
        for each in found
    ]


async def test_a_read_goes_through_as_the_person(
    front: Front, upstream: Upstream, shop_viewer: User
) -> None:
    token = await new_token(shop_viewer)
    accept = "application/json;as=Table, application/json"
    reply = await front.ask("GET", f"{PODS}?limit=500", token, accept=accept)
    assert (reply.status, reply.body) == (200, OK)
    assert reply.headers["content-type"] == "application/json"
    (request,) = upstream.requests
    lines = request.head.strip().split("\r\n")
    assert lines[0] == "GET /api/v1/namespaces/shop/pods?limit=500 HTTP/1.1"
    team = await in_database(lambda: shop_viewer.teams.get().name)()
    assert sorted(lines[1:]) == sorted(
        [
            f"accept: {accept}",
            f"Host: 127.0.0.1:{upstream.port}",
            "User-Agent: mcm",
            f"Authorization: Bearer {fake.TOKEN}",
            "Impersonate-User: mcm:shop-viewer",
            f"Impersonate-Group: mcm:team:{team}:viewer:shop",
        ]
    )
    assert await events() == []


SMUGGLED: Any = {
    "cookie": "sessionid=smuggled", "x_remote_user": "system:admin", "forwarded": "for=1.2.3.4",
    "x_forwarded_for": "1.2.3.4", "x_http_method_override": "DELETE", "te": "trailers",
    "sec_websocket_protocol": "base64url.bearer.authorization.k8s.io.c211Z2dsZWQ",
    "authorization__": "Bearer smuggled",
}  # fmt: skip


async def test_no_other_header_reaches_the_cluster(
    front: Front, upstream: Upstream, viewer: User
) -> None:
    reply = await front.ask("GET", PODS, await new_token(viewer), **SMUGGLED)
    assert reply.status == 200
    (request,) = upstream.requests
    for text in ("smuggled", "system:admin", "1.2.3.4", "DELETE", "trailers", "shop-viewer"):
        assert text not in request.head
    names = {line.partition(":")[0].lower() for line in request.head.split("\r\n")[1:] if line}
    assert names == {"host", "user-agent", "authorization", "impersonate-user", "impersonate-group"}


@pytest.mark.parametrize(
    "name", ["Impersonate_User", "impersonate_group", "IMPERSONATE__UID", "Impersonate_Extra_a"]
)
async def test_nobody_is_somebody_else(
    front: Front, upstream: Upstream, admin: User, name: str
) -> None:
    reply = await front.ask("GET", PODS, await new_token(admin), b"", **{name: "system:masters"})
    assert reply.refusal[:2] == (403, "Forbidden")
    assert upstream.requests == []


async def test_a_second_token_makes_none(front: Front, upstream: Upstream, viewer: User) -> None:
    token = await new_token(viewer)
    headers: Any = {"authorization": "Bearer x"}
    assert (await front.ask("GET", PODS, token, **headers)).refusal[:2] == (401, "Unauthorized")
    assert upstream.requests == []


async def test_a_session_does_not_sign_in(
    front: Front, upstream: Upstream, admin: User, client: Any
) -> None:
    await in_database(client.force_login)(admin)
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    assert (await front.ask("GET", PODS, cookie=cookie)).status == 401
    assert upstream.requests == []


PATHS = [
    "/k8s/clusters/prod//api/v1/pods", "/k8s/clusters/prod/api/../../../admin/",
    "/k8s/clusters/prod/api/%2e%2e/v1", "/k8s/clusters/prod/api/v1/namespaces/shop%2fpods",
    "/k8s/clusters/../clusters/prod/api", "/%6b8s/clusters/prod/api", "/k8s/clusters/PROD/api",
    "/k8s/clusters/pr%6fd/api", "/k8s/clusters/", "/k8s/", "/k8s/clusters/prod/api/v1/%00",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
async def test_a_path_with_two_readings_is_refused(
    front: Front, upstream: Upstream, admin: User, path: str
) -> None:
    reply = await front.ask("GET", path, await new_token(admin))
    assert reply.status in {400, 404}
    assert reply.json["kind"] == "Status"
    assert upstream.requests == []


async def test_a_cluster_that_is_not_seen_is_not_there(
    front: Front, upstream: Upstream, outsider: User
) -> None:
    token = await new_token(outsider)
    theirs, none = [
        await front.ask("GET", path, token) for path in (PODS, PODS.replace("prod", "void"))
    ]
    del theirs.headers["date"], none.headers["date"]
    assert (theirs.status, theirs.headers, theirs.body) == (404, none.headers, none.body)
    assert upstream.requests == []


async def test_what_is_not_granted_is_refused_with_the_reason(
    front: Front, upstream: Upstream, shop_operator: User
) -> None:
    token = await new_token(shop_operator)
    status, reason, message = (await front.ask("GET", NAMESPACES, token)).refusal
    assert (status, reason) == (403, "Forbidden")
    assert 'shop-operator may not list namespaces in the whole cluster of "prod"' in message
    reply = await front.ask("POST", NAMESPACES, token, b'{"metadata": {"name": "new"}}')
    assert reply.status == 403
    assert upstream.requests == []
    assert await events() == [
        {"action": "kubectl.list", "by": "shop-operator", "result": "denied"},
        {"action": "kubectl.create", "by": "shop-operator", "result": "denied"},
    ]


async def test_a_change_is_audited_with_its_result(
    front: Front, upstream: Upstream, shop_operator: User
) -> None:
    token = await new_token(shop_operator)
    body = json.dumps({"metadata": {"name": "web-1"}, "spec": {"secret": "planted"}}).encode()
    upstream.answer = fake.whole("201 Created", body)
    reply = await front.ask("POST", PODS, token, body, content_type="application/json")
    assert (reply.status, reply.body) == (201, body)
    upstream.answer = fake.whole("409 Conflict", b"{}")
    assert (await front.ask("DELETE", f"{PODS}/web-1", token)).status == 409
    first, second = upstream.requests
    assert "content-type: application/json" in first.head
    assert f"content-length: {len(body)}" in first.head
    assert "content-length: 0" in second.head
    common = {"by": "shop-operator", "resource": "pods", "namespace": "shop", "name": "web-1"}
    create = {"action": "kubectl.create", "verb": "create", **common}
    delete = {"action": "kubectl.delete", "verb": "delete", **common}
    assert await events() == [
        {"result": "begun", **create},
        {"result": 201, **create},
        {"result": "begun", **delete},
        {"result": 409, **delete},
    ]


async def test_no_secret_stands_in_the_trail(
    front: Front, upstream: Upstream, operator: User
) -> None:
    token = await new_token(operator)
    await front.ask("POST", PODS, token, b'{"metadata": {"name": ["planted"]}, "a": "planted"}')
    await front.ask("PUT", f"{PODS}/a", token, b"planted" * 10)
    assert [event["name"] for event in await events()] == ["", "", "a", "a"]
    text = str(await in_database(lambda: list(AuditEvent.objects.values()))())
    assert "planted" not in text
    assert token not in text


async def test_what_a_cluster_sets_is_not_set_here(
    front: Front, upstream: Upstream, viewer: User
) -> None:
    upstream.answer = fake.whole(
        "200 OK", OK, "Set-Cookie: sessionid=x", "Warning: 299 - one", "Warning: 299 - two",
        "Location: https://evil.example", "Access-Control-Allow-Origin: *", "Audit-Id: 1",
    )  # fmt: skip
    reply = await front.ask("GET", PODS, await new_token(viewer))
    assert reply.headers["warning"] == "299 - one, 299 - two"
    assert reply.headers["audit-id"] == "1"
    assert "sandbox" in reply.headers["content-security-policy"]
    assert not {"set-cookie", "location", "access-control-allow-origin"} & set(reply.headers)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (fake.whole("401 Unauthorized", b"{}"), 502),
        (fake.whole("302 Found", b"", "Location: https://evil.example/"), 502),
        (fake.whole("403 Forbidden", b"{}"), 403),
        (fake.whole("503 Service Unavailable", b"{}"), 503),
        (b"rubbish\r\n\r\n", 502),
    ],
    ids=["401", "302", "403", "503", "rubbish"],
)
async def test_what_a_cluster_refuses(
    front: Front, upstream: Upstream, viewer: User, answer: bytes, status: int
) -> None:
    upstream.answer = answer
    reply = await front.ask("GET", PODS, await new_token(viewer))
    assert reply.status == status
    if status == 502:
        assert reply.refusal[1] == "InternalError"
    assert len(upstream.requests) == 1


async def test_a_cluster_that_is_away_is_told(front: Front, viewer: User) -> None:
    reply = await front.ask("GET", PODS, await new_token(viewer))  # nothing listens there
    assert reply.refusal[:2] == (503, "ServiceUnavailable")


async def test_a_cluster_that_hangs_ends_and_hinders_nobody(
    front: Front, upstream: Upstream, admin: User, other: Cluster, black_hole: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(relay, "CONNECT_SECONDS", 3.0)
    await in_database(_lead_to)(other, black_hole)
    token = await new_token(admin)
    hanging = [
        asyncio.create_task(front.ask("GET", "/k8s/clusters/other/api/v1/pods", token))
        for _ in range(40)
    ]
    for _ in range(5):
        assert (await front.ask("GET", PODS, token)).status == 200
        assert not any(each.done() for each in hanging)
    for reply in await asyncio.gather(*hanging):
        assert reply.refusal[:2] == (504, "Timeout")


def _lead_to(cluster: Cluster, port: int) -> None:
    connection = cluster.connection
    cluster.connection = type(connection)(server=f"https://127.0.0.1:{port}", token="x")
    cluster.save()


async def test_a_body_has_a_limit(front: Front, upstream: Upstream, operator: User) -> None:
    body = b"x" * (requests.LARGEST_BODY + 1)
    reply = await front.ask("POST", PODS, await new_token(operator), body)
    assert reply.refusal[:2] == (413, "RequestEntityTooLarge")
    assert upstream.requests == []


async def test_the_old_protocol_of_exec_is_refused_with_what_to_do(
    front: Front, upstream: Upstream, operator: User
) -> None:
    headers: Any = {"connection": "Upgrade", "upgrade": "SPDY/3.1"}
    path = f"{PODS}/web-1/exec?command=ls"
    reply = await front.ask("POST", path, await new_token(operator), **headers)
    assert reply.refusal[:2] == (400, "BadRequest")
    assert "kubectl 1.31" in reply.refusal[2]
    assert [event["result"] for event in await events()] == ["denied"]


async def test_a_token_that_ended_is_refused(
    front: Front, upstream: Upstream, viewer: User
) -> None:
    token = await new_token(viewer)
    assert (await front.ask("GET", PODS, token)).status == 200
    await in_database(Token.objects.all().delete)()
    assert (await front.ask("GET", PODS, token)).status == 401


async def test_reads_are_counted(
    front: Front, upstream: Upstream, viewer: User, client: Any
) -> None:
    await front.ask("GET", PODS, await new_token(viewer))
    text = (await in_database(client.get)("/metrics")).content.decode()
    assert 'mcm_kubectl_requests_total{code="200",verb="list"}' in text
