"""The terminal: what is typed and shown passes, in bounds, and all of it is told to the trail."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.core.management import call_command

from clusters.kube import shell
from clusters.models import Cluster, Object
from explorer.consumers import session
from mcm import terminals
from teams.audit import transcripts
from teams.models import User
from teams.trail import Result
from tests.clusters.sockets import cookie_of, in_database
from tests.explorer.shelled import WINDOW, Containers, at, lines, missing, running, status

pytestmark = pytest.mark.django_db(transaction=True)
cookie = in_database(cookie_of)
FLOOD = 16 * 1024 * 1024
CONFIRMED = {"confirmed": "prod/shop/web-1/app"}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no reason to end a shell."""
    monkeypatch.setattr(session, "ASK_SECONDS", 20.0)


@pytest.fixture
async def containers(prod: Cluster) -> AsyncIterator[Containers]:
    async with running(prod) as made:
        yield made


@in_database
def transcript(event: int) -> list[Any]:
    return [json.loads(line) for line in transcripts.read(event).splitlines()]


async def test_a_shell_speaks_and_is_told_with_its_transcript(
    containers: Containers, shop_operator: User, pod: Object, prod: Cluster
) -> None:
    prod.identity_mode = "impersonation"
    await in_database(prod.save)()
    asks = {**CONFIRMED, "columns": 100, "rows": 30}
    async with at(pod.pk, await cookie(shop_operator), asks=asks) as page:
        assert (await page.until("open"))["shell"] == "bash"
        await page.type("echo wörld\r".encode())
        await page.until_shown("wörld".encode())
        await page.say(json.dumps({"size": [120, 40]}))
        await page.type(b"exit\r")
        assert await page.ended() == ("exited", 1000)
    (request,) = containers.requests
    path, _, query = request.path.partition("?")
    assert path == "/api/v1/namespaces/shop/pods/web-1/exec"
    assert query == "container=app&command=bash&stdin=true&stdout=true&tty=true"
    assert request.headers["Impersonate-User"] == "mcm:shop-operator"
    assert containers.sizes == [{"Width": 100, "Height": 30}, {"Width": 120, "Height": 40}]
    begun, ended = await lines()
    assert (begun.result, ended.result, begun.via) == (Result.BEGUN, Result.DONE, "socket")
    assert begun.request_id == ended.request_id != ""
    assert (begun.cluster, begun.namespace, begun.actor_name) == ("prod", "shop", "shop-operator")
    assert (ended.detail["status"], ended.detail["shell"]) == ("exit 0", "bash")
    assert ended.detail["transcript"]["event"] == begun.pk
    shown = await transcript(begun.pk)
    assert [each[2] for each in shown[1:] if each[1] == "r"] == ["100x30", "120x40"]
    assert "wörld" in "".join(each[2] for each in shown[1:] if each[1] == "o")
    await in_database(call_command)("verify_audit")


async def test_the_begin_stands_in_the_trail_before_the_cluster_is_asked(
    containers: Containers, shop_operator: User, pod: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    start = shell.start

    async def note(*args: Any) -> Any:
        seen.append([each.result for each in await lines()])
        return await start(*args)

    monkeypatch.setattr(shell, "start", note)
    async with at(pod.pk, await cookie(shop_operator), asks=CONFIRMED) as page:
        await page.until("open")
    assert seen == [[Result.BEGUN]]
    # Who leaves ends the shell, and that is told before the socket is through.
    assert [each.detail.get("status") for each in await lines()] == [None, "left"]
    await asyncio.wait_for(containers.gone.wait(), 5)


async def test_in_production_it_is_confirmed_first(
    containers: Containers, shop_operator: User, pod: Object
) -> None:
    for asks in ({}, {"confirmed": "prod/shop/web-1/other"}, {**CONFIRMED, "container": "other"}):
        async with at(pod.pk, await cookie(shop_operator), asks=asks) as page:
            assert await page.ended() == ("unconfirmed", 4403)
    assert containers.requests == []
    assert await lines() == []


@pytest.mark.parametrize("end", [missing("bash"), status(127, "command terminated")])
async def test_without_bash_it_is_sh(
    containers: Containers, shop_operator: User, pod: Object, end: bytes
) -> None:
    containers.endings["bash"] = end
    async with at(pod.pk, await cookie(shop_operator), asks=CONFIRMED) as page:
        await page.type(b"typed early\r")
        await page.until_shown(b"typed early")
    assert containers.commands() == ["bash", "sh"]
    assert (await lines())[1].detail["shell"] == "sh"


async def test_an_image_without_a_shell_is_told(
    containers: Containers, shop_operator: User, pod: Object
) -> None:
    containers.endings |= {"bash": missing("bash"), "sh": missing("sh")}
    async with at(pod.pk, await cookie(shop_operator), asks=CONFIRMED) as page:
        assert await page.ended() == ("no_shell", 1000)
        assert "not found" in page.told[-1]["text"]
    assert [each.detail.get("status") for each in await lines()] == [None, "no_shell"]


async def test_the_shell_that_is_chosen_is_the_only_one(
    containers: Containers, shop_operator: User, pod: Object
) -> None:
    containers.endings["zsh"] = missing("zsh")
    asks = {**CONFIRMED, "shell": "zsh"}
    async with at(pod.pk, await cookie(shop_operator), asks=asks) as page:
        assert await page.ended() == ("no_shell", 1000)
    assert containers.commands() == ["zsh"]


async def test_a_cluster_that_is_away_or_cut_off_says_so(
    prod: Cluster, shop_operator: User, pod: Object
) -> None:
    mine = await cookie(shop_operator)
    async with running(prod) as containers, at(pod.pk, mine, asks=CONFIRMED) as page:
        await page.until_shown(b"$ ")
        containers.cut.set()
        assert await page.ended() == ("exited", 1000)
        assert page.told[-1]["text"] == "The cluster closed the connection to the container."
    async with at(pod.pk, mine, asks=CONFIRMED) as page:
        assert await page.ended() == ("cluster", 1011)
    found = [(each.result, each.detail.get("status")) for each in await lines()]
    assert found[1:] == [
        (Result.DONE, "ended"), (Result.BEGUN, None), (Result.FAILED, "unreachable"),
    ]  # fmt: skip


async def test_a_page_that_takes_nothing_in_lets_the_cluster_wait(
    containers: Containers, shop_operator: User, pod: Object
) -> None:
    containers.floods["bash"] = b"x" * (64 * 1024)
    async with at(pod.pk, await cookie(shop_operator), asks=CONFIRMED) as page:
        page.takes = False
        while len(page.shown) < WINDOW:
            await page.any()
        before = -1
        while before != containers.sent:
            before = containers.sent
            await asyncio.sleep(1)
        assert len(page.shown) < WINDOW + 2 * 64 * 1024
        assert containers.sent < FLOOD * 3 // 4
        # What is typed passes meanwhile, and so does the end.
        await page.type(b"\x03")
        page.takes = True
        await page.say(json.dumps({"taken": len(page.shown)}))
        while len(page.shown) < FLOOD:
            await page.any()
        await page.until_shown(b"\x03")
    end = (await lines())[1]
    assert end.detail["transcript"]["bytes"] <= 1024 * 1024
    assert end.detail["transcript"]["cut"] > FLOOD - 2 * 1024 * 1024


@pytest.mark.parametrize(
    "said",
    [
        "{",
        "[]",
        '{"open": {}}',
        '{"taken": 99}',
        '{"size": [0, 5]}',
        '{"bad": 1}',
        "x" * 5000,
        "{}",
    ],
)
async def test_rubbish_ends_the_socket(
    containers: Containers, shop_operator: User, pod: Object, said: str
) -> None:
    async with at(pod.pk, await cookie(shop_operator), asks=CONFIRMED) as page:
        await page.say(said)
        assert (await page.ended())[1] == 1008


async def test_who_types_more_than_is_taken_is_cut_off(
    containers: Containers, shop_operator: User, pod: Object
) -> None:
    async with at(pod.pk, await cookie(shop_operator), asks=CONFIRMED) as page:
        await page.until("open")
        await page.type(b"x" * 30_000)
        await page.until("passed")
        await page.type(b"x" * 100_000)
        assert (await page.ended())[1] == 1008
    await asyncio.wait_for(containers.gone.wait(), 5)


def limits(**other: Any) -> terminals.Terminals:
    return terminals.TERMINAL._replace(**other)


async def test_who_does_nothing_is_warned_then_closed(
    containers: Containers, shop_operator: User, pod: Object, settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(session, "CLOCK_SECONDS", 0.05)
    settings.TERMINAL = limits(idle=4.0)
    async with at(pod.pk, await cookie(shop_operator), asks=CONFIRMED) as page:
        assert (await page.until("limit"))["why"] == "idle"
        await page.say(json.dumps({"stay": True}))
        assert (await page.until("limit"))["why"] == ""
        assert (await page.until("limit"))["why"] == "idle"
        assert await page.ended() == ("idle", 4408)
    assert (await lines())[1].detail["status"] == "idle"


async def test_no_terminal_lasts_for_ever(
    containers: Containers, shop_operator: User, pod: Object, settings: Any
) -> None:
    settings.TERMINAL = limits(longest=1.0)
    async with at(pod.pk, await cookie(shop_operator), asks=CONFIRMED) as page:
        assert await page.ended() == ("longest", 4408)
        assert "limit" in [each["type"] for each in page.told]


async def test_so_many_terminals_and_no_more(
    containers: Containers, shop_operator: User, admin: User, pod: Object, settings: Any
) -> None:
    settings.TERMINAL = limits(per_person=1, most=2)
    mine, admins = await cookie(shop_operator), await cookie(admin)
    async with at(pod.pk, mine, asks=CONFIRMED) as first:
        await first.until("open")
        async with at(pod.pk, mine, asks=CONFIRMED) as second:
            assert await second.ended() == ("many", 4429)
        async with at(pod.pk, admins, asks=CONFIRMED) as theirs:
            await theirs.until("open")
            settings.TERMINAL = limits(per_person=2, most=2)
            async with at(pod.pk, admins, asks=CONFIRMED) as third:
                assert await third.ended() == ("many", 4429)
    assert not session._open
