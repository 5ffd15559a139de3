"""One container's log: what is asked for, how it comes, and what is told when it breaks."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from clusters.kube import errors, logs, stream
from clusters.kube.logs import Line, Wanted, reading
from clusters.kube.types import SERVICE_ACCOUNT
from tests.kube import fake

WANTED = Wanted(namespace="shop", pod="web-1", container="app")
FOLLOWED = Wanted(namespace="shop", pod="web-1", container="app", follow=True)


def line(second: int, text: str) -> bytes:
    return f"2026-01-31T12:00:{second:02}.5Z {text}\n".encode()


def at(second: int) -> str:
    return f"2026-01-31T12:00:{second:02}.500000000Z"


def test_what_is_asked_for() -> None:
    since = datetime(2026, 1, 31, 12, 0, 1, 999, tzinfo=UTC)
    wanted = Wanted(
        namespace="shop", pod="web-1", container="a b", follow=True, tail=5, since=since
    )
    assert wanted.target == (
        "/api/v1/namespaces/shop/pods/web-1/log?container=a+b&timestamps=true&follow=true"
        "&tailLines=5&sinceTime=2026-01-31T12%3A00%3A01Z"
    )
    previous = Wanted(namespace="shop", pod="web-1", container="app", previous=True)
    assert previous.target.endswith("previous=true")
    with pytest.raises(errors.NotFound):
        _ = Wanted(namespace="..", pod="x", container="").target


async def test_lines_come_as_they_are_written() -> None:
    more = asyncio.Event()

    async def answer(_request: fake.Request, writer: asyncio.StreamWriter) -> None:
        writer.write(fake.head() + fake.chunk(line(1, "one") + b"2026-01-31T12:00:02.5Z t"))
        await writer.drain()
        await more.wait()
        writer.write(fake.chunk(b"wo\n") + fake.chunk(b""))

    async with fake.serve(answer) as server:
        to = stream.link(server.connection, SERVICE_ACCOUNT)
        async with aclosing(logs.read(to, FOLLOWED)) as portions:
            assert await anext(portions) == []
            assert await anext(portions) == [Line(at(1), "one")]
            more.set()
            assert await anext(portions) == [Line(at(2), "two")]
            with pytest.raises(StopAsyncIteration):
                await anext(portions)


async def test_a_log_in_which_nothing_is_written_counts_as_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "QUIET", 0.05)
    more = asyncio.Event()

    async def answer(_request: fake.Request, writer: asyncio.StreamWriter) -> None:
        await more.wait()
        writer.write(fake.head() + fake.chunk(line(1, "one")))
        await writer.drain()
        await fake.forever()

    async with fake.serve(answer) as server:
        to = stream.link(server.connection, SERVICE_ACCOUNT)
        async with aclosing(logs.read(to, FOLLOWED)) as portions:
            assert await anext(portions) == []
            more.set()
            assert await anext(portions) == []
            assert await anext(portions) == [Line(at(1), "one")]


@pytest.mark.parametrize(
    ("status", "error"),
    [("403 Forbidden", errors.Forbidden), ("404 Not Found", errors.NotFound),
     ("400 Bad Request", errors.Refused), ("500 Oh", errors.ServerFailed),
     ("302 Found", errors.BadAnswer)],
)  # fmt: skip
async def test_a_refusal_keeps_its_words(status: str, error: type[errors.KubeError]) -> None:
    async def answer(_request: fake.Request, writer: asyncio.StreamWriter) -> None:
        writer.write(fake.whole(status, b'{"kind":"Status","message":"because"}'))

    async with fake.serve(answer) as server:
        to = stream.link(server.connection, SERVICE_ACCOUNT)
        with pytest.raises(error) as raised:
            async with aclosing(logs.read(to, WANTED)) as portions:
                await anext(portions)
        assert error is errors.BadAnswer or "because" in str(raised.value)


async def test_a_log_that_breaks_off_is_no_end() -> None:
    async def answer(_request: fake.Request, writer: asyncio.StreamWriter) -> None:
        writer.write(fake.head() + fake.chunk(line(1, "one")))
        await writer.drain()

    async with fake.serve(answer) as server:
        to = stream.link(server.connection, SERVICE_ACCOUNT)
        async with aclosing(logs.read(to, WANTED)) as portions:
            assert [await anext(portions), await anext(portions)] == [[], [Line(at(1), "one")]]
            with pytest.raises(errors.Unreachable):
                await anext(portions)


async def test_who_does_not_read_lets_the_cluster_wait() -> None:
    written = 0

    async def answer(_request: fake.Request, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(fake.head())
        for n in range(20_000):
            data = fake.chunk(line(n % 60, "x" * 5_000))
            writer.write(data)
            await writer.drain()
            written += len(data)

    async with fake.serve(answer) as server:
        to = stream.link(server.connection, SERVICE_ACCOUNT)
        async with aclosing(logs.read(to, WANTED)) as portions:
            await anext(portions)
            await anext(portions)
            before = -1
            while before != written:
                before = written
                await asyncio.sleep(0.3)
            assert 0 < written < 20_000_000  # what the kernel's buffers take


async def test_the_containers_of_a_pod() -> None:
    body = (
        b'{"spec":{"containers":[{"name":"app"},{"name":"side"}],"initContainers":[{"name":"i"}],'
        b'"ephemeralContainers":[{"name":"dbg"}]},"status":{"phase":"Succeeded"}}'
    )

    async def answer(_request: fake.Request, writer: asyncio.StreamWriter) -> None:
        writer.write(fake.whole("200 OK", body))

    async with fake.serve(answer) as server:
        found = await logs.pod(stream.link(server.connection, SERVICE_ACCOUNT), "shop", "web-1")
    names = [(each.name, each.role) for each in found.containers]
    assert names == [("app", "container"), ("side", "container"), ("i", "init"),
                     ("dbg", "ephemeral")]  # fmt: skip
    assert found.ended
