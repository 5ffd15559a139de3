"""What is told of a long list while it still comes in."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from clusters.kube import events
from clusters.kube.watch import Listed
from tests.kube import objects
from tests.kube.fake import Request, chunk, forever, head, serve, whole
from tests.kube.following import following

PROTOBUF = "Content-Type: application/vnd.kubernetes.protobuf"


def added(*names: str) -> bytes:
    return b"".join(objects.event("ADDED", objects.pod(name, 1)) for name in names)


def rest(listed: Listed) -> set[str]:
    assert listed.rest is not None
    return {row.name for row in listed.rest}


async def test_portions_come_before_the_whole_and_are_not_told_again() -> None:
    told = asyncio.Event()

    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head() + chunk(added("a", "b", "c")))
        await writer.drain()
        await told.wait()
        writer.write(chunk(added("d") + objects.bookmark(10, initial_end=True)))
        await forever()

    async with serve(handler) as fake, following(fake.connection, portion=2) as watched:
        await watched.until(lambda: watched.portions == [{"a", "b", "c"}])
        assert not watched.listed
        told.set()
        await watched.until(lambda: watched.listed)
        assert watched.names == {"a", "b", "c", "d"}
        assert rest(watched.listed[0]) == {"d"}


async def test_what_changes_while_the_list_comes_in_is_told_with_its_end() -> None:
    told = asyncio.Event()

    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head() + chunk(added("a", "b", "c")))
        await writer.drain()
        await told.wait()
        changed = objects.event("MODIFIED", objects.pod("a", 8, spec={"nodeName": "n"}))
        gone = objects.event("DELETED", objects.pod("b", 9))
        writer.write(chunk(changed + gone + objects.bookmark(10, initial_end=True)))
        await forever()

    async with serve(handler) as fake, following(fake.connection, portion=3) as watched:
        await watched.until(lambda: watched.portions)
        told.set()
        await watched.until(lambda: watched.listed)
        assert watched.names == {"a", "c"}
        assert rest(watched.listed[0]) == {"a"}
        assert {row.node for row in watched.rows.values()} == {"n", ""}


async def test_a_list_that_breaks_off_is_told_anew() -> None:
    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        if len(fake.requests) == 1:
            writer.write(head() + chunk(added("a", "b")) + chunk(b""))
            return
        end = objects.bookmark(10, initial_end=True)
        writer.write(head() + chunk(added("a")) + chunk(end))
        await writer.drain()
        await forever()

    async with serve(handler) as fake, following(fake.connection, portion=2) as watched:
        await watched.until(lambda: watched.listed)
        assert watched.portions == [{"a", "b"}]
        assert len(watched.lost) == 1
        # As a whole: what the first attempt told may be old by now.
        assert watched.names == {"a"}
        assert watched.listed[0].rest is None


async def test_pages_are_portions_too() -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.is_watch_list:
            writer.write(whole("422 Unprocessable Entity", b"{}"))
        elif not request.is_watch:
            last = "continue=next" in request.target
            pods = [objects.pod(name) for name in (["c"] if last else ["a", "b"])]
            writer.write(whole("200 OK", objects.page(pods, 10, "" if last else "next"), PROTOBUF))
        else:
            writer.write(head())
            await forever()

    async with serve(handler) as fake, following(fake.connection, portion=2) as watched:
        await watched.until(lambda: watched.listed)
        assert watched.portions == [{"a", "b"}]
        assert (watched.names, rest(watched.listed[0])) == ({"a", "b", "c"}, {"c"})


@pytest.mark.parametrize("portion", [None, 5])
async def test_who_wants_none_or_gets_few_gets_the_list_at_once(portion: int | None) -> None:
    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        end = objects.bookmark(10, initial_end=True)
        writer.write(head() + b"".join(map(chunk, (added("a"), added("b", "c"), end))))
        await writer.drain()
        await forever()

    async with serve(handler) as fake, following(fake.connection, portion=portion) as watched:
        await watched.until(lambda: watched.listed)
        assert (watched.portions, watched.names) == ([], {"a", "b", "c"})
        assert watched.listed[0].rest is None


async def test_a_portion_does_not_end_the_turn() -> None:
    ended: list[int] = []

    @asynccontextmanager
    async def turn() -> AsyncIterator[Callable[[], None]]:
        yield lambda: ended.append(len(watched.events))

    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head() + chunk(added("a", "b")))
        await writer.drain()
        await told.wait()
        writer.write(chunk(objects.bookmark(10, initial_end=True)))
        await forever()

    told = asyncio.Event()
    async with serve(handler) as fake, following(fake.connection, turn=turn, portion=2) as watched:
        await watched.until(lambda: watched.portions)
        assert not ended
        told.set()
        await watched.until(lambda: watched.listed)
        assert ended == [1]


async def test_more_than_can_be_kept_are_told_in_part_only_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(events, "MOST_OBJECTS", 3)
    told = asyncio.Event()

    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head() + chunk(added("a", "b")))
        await writer.drain()
        await told.wait()
        writer.write(chunk(added("c", "d")))
        await forever()

    async with serve(handler) as fake, following(fake.connection, portion=2) as watched:
        await watched.until(lambda: watched.portions)
        told.set()
        await watched.until(lambda: len(watched.lost) >= 2)
        assert "more than 3" in str(watched.lost[-1].error)
        assert watched.portions == [{"a", "b"}]
