"""Shells by kubectl leave a transcript of what they showed, and nothing of what was typed."""

import asyncio
import hashlib
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection

from clusters import audit as clusters_audit
from clusters.kube import recording
from kubectl import services
from teams import services as teams
from teams.audit import chain, proof, transcripts
from teams.models import AuditEvent, Grant, User
from teams.trail import Result
from tests.clusters.sockets import in_database
from tests.kubectl.front import Front
from tests.kubectl.test_passing import PODS, new_token
from tests.kubectl.test_streams import Shells, shell, shells

__all__ = ["shells"]

pytestmark = pytest.mark.django_db(transaction=True)

TERMINAL = f"{PODS}/web-1/exec?command=sh&stdin=true&tty=true"
PASSWORD = "planted-password-typed-without-echo"


@in_database
def told() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action="kubectl.exec").order_by("pk"))


async def the_end() -> AuditEvent:
    async with asyncio.timeout(10):
        while len(found := await told()) < 2:
            continue
    return found[-1]


@in_database
def kept() -> list[Any]:
    """The transcript of the only shell, as far as it is stored."""
    begun = AuditEvent.objects.get(action="kubectl.exec", result=Result.BEGUN)
    return [json.loads(line) for line in transcripts.read(begun.pk).splitlines()]


@in_database
def everything() -> str:
    """All that the database holds, as text."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            found += [row[0] for row in cursor.fetchall()]
    return "\n".join(found)


async def say(there: Any, message: bytes) -> None:
    """Sends it, and has its echo: the pod of these tests gives back what it gets."""
    await there.send(message)
    assert await there.recv() == message


async def leave(there: Any) -> None:
    await there.send(b"\x00exit")
    await there.wait_closed()


async def test_what_was_shown_is_kept_and_told_with_its_hash(
    front: Front, shells: Shells, shop_operator: User
) -> None:
    async with shell(front, await new_token(shop_operator), path=TERMINAL) as there:
        await say(there, b'\x04{"Width":100,"Height":30}')
        await say(there, b"\x01$ whoami\r\n")
        await say(there, b"\x02w\xc3")
        await say(there, b"\x02\xb6rld\r\n")
        await leave(there)
    end = await the_end()
    head, *events = await kept()
    assert head["version"] == 2
    assert [event[1:] for event in events] == [
        ["r", "100x30"], ["o", "$ whoami\r\n"], ["o", "w"], ["o", "örld\r\n"],
    ]  # fmt: skip
    whole = await in_database(transcripts.read)((await told())[0].pk)
    assert end.detail["transcript"] == {
        "event": (await told())[0].pk,
        "sha256": hashlib.sha256(whole).hexdigest(),
        "bytes": len(whole), "cut": 0, "input": 0,
    }  # fmt: skip
    await in_database(chain.seal)()
    assert (await in_database(proof.verify)()).transcripts == 1


async def test_a_password_typed_without_echo_is_nowhere(
    front: Front, shells: Shells, shop_operator: User, caplog: pytest.LogCaptureFixture
) -> None:
    async with shell(front, await new_token(shop_operator), path=TERMINAL) as there:
        await say(there, b"\x01Password: ")
        await say(there, b"\x00" + PASSWORD.encode() + b"\n")
        await say(there, b"\x01planted-greeting")
        await leave(there)
    await the_end()
    assert "planted-greeting" in json.dumps(await kept())
    assert PASSWORD not in json.dumps(await kept())
    stored = await everything()
    for secret in (PASSWORD, "planted-greeting"):
        assert secret not in stored
        assert secret.encode().hex() not in stored
        assert secret not in caplog.text


async def test_what_is_piped_in_is_counted_and_not_kept(
    front: Front, shells: Shells, shop_operator: User
) -> None:
    async with shell(front, await new_token(shop_operator)) as there:
        await say(there, b"\x00" + b"planted-file" * 1000)
        await leave(there)
    facts = (await the_end()).detail["transcript"]
    assert facts["input"] == 12_000 + len("exit")
    assert len(await kept()) == 1


async def test_it_can_be_read_while_the_shell_goes_on(
    front: Front, shells: Shells, shop_operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters_audit, "STORE_SECONDS", 0.05)
    async with shell(front, await new_token(shop_operator), path=TERMINAL) as there:
        for text in ("first", "second"):
            await say(there, b"\x01" + text.encode())
            async with asyncio.timeout(10):
                while text not in json.dumps(await kept()):
                    continue
        assert len(await told()) == 1
        await leave(there)
    end = await the_end()
    assert end.detail["transcript"]["bytes"] == len(
        await in_database(transcripts.read)(end.detail["transcript"]["event"])
    )


async def test_a_database_that_is_away_for_a_while_costs_nothing(
    front: Front, shells: Shells, shop_operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the shell nor a part of its transcript, also where it was stored unheard of."""
    monkeypatch.setattr(clusters_audit, "STORE_SECONDS", 0.05)
    keep, tried = services.keep, asyncio.Semaphore(0)
    loop = asyncio.get_running_loop()

    def away(*args: Any) -> None:
        keep(*args)
        loop.call_soon_threadsafe(tried.release)
        raise OperationalError("away")

    monkeypatch.setattr(services, "keep", away)
    async with shell(front, await new_token(shop_operator), path=TERMINAL) as there:
        for text in (b"first", b"second", b"third"):
            await say(there, b"\x01" + text)
            await asyncio.wait_for(tried.acquire(), 10)
        await leave(there)
    await the_end()
    assert [event[2] for event in (await kept())[1:]] == ["first", "second", "third"]
    await in_database(call_command)("verify_audit")


async def test_who_shows_too_much_is_cut_and_goes_on(
    front: Front, shells: Shells, shop_operator: User
) -> None:
    body = b"\x01" + b"x" * (recording.LONGEST // 2)
    async with shell(front, await new_token(shop_operator), path=TERMINAL) as there:
        for _ in range(4):
            await say(there, body)
        await leave(there)
    facts = (await the_end()).detail["transcript"]
    assert facts["bytes"] <= recording.LONGEST
    shown = sum(len(event[2]) for event in (await kept())[1:])
    assert shown + facts["cut"] == 4 * (len(body) - 1)
    await in_database(chain.seal)()
    assert (await in_database(proof.verify)()).transcripts == 1


async def test_who_is_cut_off_leaves_all_that_was_shown(
    front: Front, shells: Shells, shop_operator: User
) -> None:
    async with shell(front, await new_token(shop_operator), path=TERMINAL) as there:
        await say(there, b"\x01shown")
        await in_database(revoke)(shop_operator)
        await asyncio.wait_for(there.wait_closed(), 5)
    await the_end()
    assert [event[2] for event in (await kept())[1:]] == ["shown"]


def revoke(user: User) -> None:
    teams.revoke(Grant.objects.get(team__members=user), by=None)


async def test_where_nothing_was_joined_there_is_none(front: Front, shop_operator: User) -> None:
    with pytest.raises(Exception, match="503"):
        await shell(front, await new_token(shop_operator))  # nobody listens there
    assert "transcript" not in (await the_end()).detail
