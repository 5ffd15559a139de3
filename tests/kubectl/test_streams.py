"""What stays open: watches and shells come piece by piece, and end with the right to them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from websockets.asyncio import client, server
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from clusters.kube import relay
from clusters.models import Cluster, Namespace
from kubectl.consumers import under_way
from teams import services
from teams.models import Grant, Token, User
from tests.clusters.sockets import in_database
from tests.kube import fake
from tests.kube.certificates import Authority
from tests.kubectl.conftest import Upstream
from tests.kubectl.front import Call, Front
from tests.kubectl.test_passing import PODS, events, new_token

pytestmark = pytest.mark.django_db(transaction=True)

EVENT = b'{"type":"ADDED","object":{}}\n'
SHELL = f"{PODS}/web-1/exec?command=sh&stdin=true"
V5 = "v5.channel.k8s.io"


@asynccontextmanager
async def watching(front: Front, upstream: Upstream, token: str) -> AsyncIterator[Call]:
    """A watch of which the first event has come."""
    upstream.answer = fake.head() + fake.chunk(EVENT)
    async with front.call("GET", f"{PODS}?watch=true", token) as call:
        await call.until(EVENT)
        yield call


async def test_each_event_comes_when_it_is_sent(
    front: Front, upstream: Upstream, shop_viewer: User
) -> None:
    async with watching(front, upstream, await new_token(shop_viewer)) as watch:
        for n in range(3):
            upstream.more.put_nowait(b"%d\n" % n)
            await watch.until(b"%d\n" % n)
    async with asyncio.timeout(5):
        await upstream.gone.wait()  # who leaves is not watched for any longer


async def test_logs_that_are_followed_may_be_silent_at_first(
    front: Front, upstream: Upstream, shop_operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kubelet begins its answer with the first line."""
    monkeypatch.setattr(relay, "ANSWER_SECONDS", 0.3)
    written = asyncio.Event()

    async def until_written() -> None:
        await written.wait()

    upstream.before_answering = until_written
    token = await new_token(shop_operator)
    async with front.call("GET", f"{PODS}/web-1/log?follow=true", token) as logs:
        async with asyncio.timeout(10):
            while not upstream.requests:  # noqa: ASYNC110 - the cluster tells nobody
                await asyncio.sleep(0.02)
        # What is asked later, and has to be answered, is given up before.
        assert (await front.ask("GET", f"{PODS}/web-1", token)).status == 504
        written.set()
        assert (await logs.end()).status == 200


def revoke(user: User) -> None:
    services.revoke(Grant.objects.get(team__members=user), by=None)


def forget_token(user: User) -> None:
    Token.objects.filter(user=user).delete()


def disable(user: User) -> None:
    user.is_active = False
    services.save_user(user, by=None)


def leave_team(user: User) -> None:
    services.delete_membership(user.membership_set.get(), by=None)


def delete_cluster(user: User) -> None:
    Cluster.objects.filter(name="prod").delete()


ENDS = [revoke, forget_token, disable, leave_team, delete_cluster]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
async def test_a_watch_ends_with_the_right_to_it(
    front: Front, upstream: Upstream, shop_viewer: User, end: Callable[[User], None]
) -> None:
    async with watching(front, upstream, await new_token(shop_viewer)) as watch:
        await in_database(end)(shop_viewer)
        began = time.monotonic()
        reply = await watch.end()
        assert time.monotonic() - began < 5
        assert not reply.whole  # it broke off: nobody takes it for the end of the list
        async with asyncio.timeout(5):
            await upstream.gone.wait()


async def test_a_watch_that_is_allowed_stays(
    front: Front, upstream: Upstream, shop_viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = asyncio.Semaphore(0)
    still = under_way._still

    async def note(asked: Any) -> Any:
        found = await still(asked)
        looked.release()
        return found

    monkeypatch.setattr(under_way, "_still", note)
    monkeypatch.setattr(under_way, "LOOK_SECONDS", 0.05)
    async with watching(front, upstream, await new_token(shop_viewer)) as watch:
        async with asyncio.timeout(10):
            for _ in range(3):
                await looked.acquire()
        upstream.more.put_nowait(b"still here\n")
        await watch.until(b"still here\n")


async def test_a_person_has_so_many_and_no_more(
    front: Front, upstream: Upstream, shop_viewer: User, viewer: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(under_way, "MOST", 2)
    token = await new_token(shop_viewer)
    async with watching(front, upstream, token), watching(front, upstream, token):
        reply = await front.ask("GET", PODS, token)
        assert reply.refusal[:2] == (429, "TooManyRequests")
        async with watching(front, upstream, await new_token(viewer)):
            pass  # others have their own
    upstream.answer = fake.whole("200 OK", b"{}")
    # Whoever left makes room.
    async with asyncio.timeout(5):
        while (await front.ask("GET", PODS, token)).status == 429:
            continue


class Shells:
    """A cluster that answers exec; `handle` is what runs there."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.ended = asyncio.Event()

    async def handle(self, socket: server.ServerConnection) -> None:
        self.requests.append(socket.request)
        try:
            async for message in socket:
                await socket.send(message)
                if message == b"\x00exit":
                    await socket.close(1000)
        except ConnectionClosed:
            pass
        finally:
            self.ended.set()


@pytest.fixture
async def shells(prod: Cluster, shop: Namespace) -> AsyncIterator[Shells]:
    made, authority = Shells(), Authority()
    context = fake.server_context(authority.sign("127.0.0.1"))
    protocols = [Subprotocol(V5)]
    async with server.serve(
        made.handle, "127.0.0.1", 0, ssl=context, subprotocols=protocols
    ) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        prod.connection = fake.Fake(port, authority.pem).connection
        await in_database(prod.save)()
        yield made


def shell(front: Front, token: str, *protocols: str, path: str = SHELL) -> client.connect:
    return client.connect(
        f"wss://127.0.0.1:{front.port}{path}",
        ssl=front.tls,
        proxy=None,
        subprotocols=[Subprotocol(name) for name in protocols or (V5,)],
        additional_headers={"Authorization": f"Bearer {token}"},
    )


async def test_a_shell_speaks_both_ways_and_is_audited(
    front: Front, shells: Shells, shop_operator: User, caplog: pytest.LogCaptureFixture
) -> None:
    token = await new_token(shop_operator)
    smuggled = "base64url.bearer.authorization.k8s.io.c211Z2dsZWQ"
    async with shell(front, token, V5, smuggled) as there:
        assert there.subprotocol == V5
        for message in (b"\x00ls", b"\x01" + b"x" * 100_000, "text", b"\xff\x00"):
            await there.send(message)
            assert await there.recv() == message
        await there.send(b"\x00exit")
        assert await there.recv() == b"\x00exit"
        with pytest.raises(ConnectionClosed):
            await there.recv()
        assert there.close_code == 1000
    (request,) = shells.requests
    assert request.path == SHELL.removeprefix("/k8s/clusters/prod")
    assert request.headers["Impersonate-User"] == "mcm:shop-operator"
    assert request.headers["Authorization"] == f"Bearer {fake.TOKEN}"
    assert "smuggled" not in str(request.headers)
    assert smuggled not in str(request.headers)
    assert token not in str(request.headers)
    await asyncio.wait_for(shells.ended.wait(), 5)
    while len(found := await events()) < 2:
        continue
    assert [(each["action"], each["name"], each["result"]) for each in found] == [
        ("kubectl.exec", "web-1", "begun"), ("kubectl.exec", "web-1", "ended"),
    ]  # fmt: skip
    # What was executed may hold anything.
    assert "command=sh" not in caplog.text


@pytest.mark.parametrize("end", ENDS[:3], ids=lambda end: end.__name__)
async def test_a_shell_ends_with_the_right_to_it(
    front: Front, shells: Shells, shop_operator: User, end: Callable[[User], None]
) -> None:
    async with shell(front, await new_token(shop_operator)) as there:
        await there.send(b"\x00ls")
        assert await there.recv() == b"\x00ls"
        await in_database(end)(shop_operator)
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(there.recv(), 5)
        assert there.close_code == 1008
        await asyncio.wait_for(shells.ended.wait(), 5)


async def test_who_leaves_a_shell_ends_it(
    front: Front, shells: Shells, shop_operator: User
) -> None:
    async with shell(front, await new_token(shop_operator)) as there:
        await there.send(b"\x00ls")
        assert await there.recv() == b"\x00ls"
        there.transport.abort()
    await asyncio.wait_for(shells.ended.wait(), 5)


@contextmanager
def refused(status: int) -> Any:
    with pytest.raises(InvalidStatus) as caught:
        yield
    assert caught.value.response.status_code == status
    assert b'"kind": "Status"' in (caught.value.response.body or b"")


async def test_a_shell_takes_the_role_in_its_namespace(
    front: Front, shells: Shells, shop_viewer: User, shop_operator: User, outsider: User
) -> None:
    token = await new_token(shop_operator)
    with refused(403):
        await shell(front, await new_token(shop_viewer))
    with refused(403):
        await shell(front, token, path=SHELL.replace("/shop/", "/bank/"))
    with refused(404):
        await shell(front, await new_token(outsider))
    with refused(401):
        await shell(front, "made-up")
    with refused(400):
        await shell(front, token, "soap")
    with refused(400):
        await shell(front, token, path=f"{PODS}?watch=true")
    assert shells.requests == []
    assert [each["result"] for each in await events()][:2] == ["denied", "denied"]


async def test_what_the_cluster_refuses_is_told(
    front: Front, upstream: Upstream, shop_operator: User
) -> None:
    upstream.answer = fake.whole("403 Forbidden", b'{"kind":"Status","message":"RBAC says no"}')
    with pytest.raises(InvalidStatus) as caught:
        await shell(front, await new_token(shop_operator))
    assert caught.value.response.status_code == 403
    assert b"RBAC says no" in (caught.value.response.body or b"")
    assert [each["result"] for each in await events()] == ["begun", 403]


async def test_a_redirect_of_a_shell_is_not_followed(
    front: Front, upstream: Upstream, shop_operator: User
) -> None:
    where = f"Location: https://127.0.0.1:{upstream.port}/elsewhere"
    upstream.answer = fake.whole("307 Temporary Redirect", b"", where)
    with pytest.raises(InvalidStatus) as caught:
        await shell(front, await new_token(shop_operator))
    assert caught.value.response.status_code == 502
    assert len(upstream.requests) == 1
