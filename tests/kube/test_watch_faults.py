"""What no real API server does on demand: a fake one does it over TLS."""

import asyncio
import gzip

import pytest

from clusters.kube import errors
from clusters.kube.kinds import KINDS
from clusters.kube.types import SERVICE_ACCOUNT
from clusters.kube.watch import Listed, Timing, follow
from tests.kube import objects
from tests.kube.fake import FIRST, Request, chunk, first_state, forever, head, serve, whole
from tests.kube.following import QUICK, following

PROTOBUF = "Content-Type: application/vnd.kubernetes.protobuf"


async def test_the_first_state_then_changes() -> None:
    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        await first_state(writer)
        writer.write(
            chunk(
                objects.event("MODIFIED", objects.pod("a", 11, spec={"nodeName": "n"}))
                + objects.event("DELETED", objects.pod("b", 12))
                + objects.event("ADDED", objects.pod("c", 13))
            )
        )
        await forever()

    async with serve(handler) as fake, following(fake.connection) as watched:
        await watched.until(lambda: watched.names == {"a", "c"})
        changed = watched.events[-1]
        assert changed.kind == "Pod"
        assert [row.node for row in watched.rows.values()] == ["n", ""]
        assert len(fake.requests) == 1
        assert "Authorization: Bearer planted-token" in fake.requests[0].head


async def test_what_does_not_show_is_not_told() -> None:
    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        await first_state(writer, objects.event("MODIFIED", objects.pod("a", 11)))
        await forever()

    async with serve(handler) as fake, following(fake.connection) as watched:
        await watched.until(lambda: len(watched.events) >= 2)
        assert {type(event).__name__ for event in watched.events} == {"Listed", "Alive"}


async def test_gzip_of_several_members() -> None:
    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head(headers=("Content-Encoding: gzip",)))
        for start in range(0, len(FIRST), 40):
            writer.write(chunk(gzip.compress(FIRST[start : start + 40])))
        await writer.drain()
        await forever()

    async with serve(handler) as fake, following(fake.connection) as watched:
        await watched.until(lambda: watched.names == {"a", "b"})


async def test_bytes_that_come_one_by_one() -> None:
    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        for byte in head() + chunk(FIRST):
            writer.write(bytes([byte]))
            await writer.drain()
        await forever()

    async with serve(handler) as fake, following(fake.connection) as watched:
        await watched.until(lambda: watched.names == {"a", "b"})


async def test_a_server_without_watch_list_is_listed_in_pages() -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.is_watch_list:
            writer.write(whole("422 Unprocessable Entity", b"{}"))
        elif not request.is_watch:
            last = "continue=next" in request.target
            pods = [objects.pod("b" if last else "a")]
            writer.write(whole("200 OK", objects.page(pods, 10, "" if last else "next"), PROTOBUF))
        else:
            assert "resourceVersion=10" in request.target
            writer.write(head() + chunk(objects.event("ADDED", objects.pod("c", 11))))
            await writer.drain()
            await forever()

    async with serve(handler) as fake, following(fake.connection) as watched:
        await watched.until(lambda: watched.names == {"a", "b", "c"})
        assert not watched.lost
        assert len(fake.requests) == 4


async def test_an_old_server_that_never_ends_the_first_state_is_listed() -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.is_watch:
            writer.write(head() + chunk(objects.event("ADDED", objects.pod("a", 1))))
            await writer.drain()
            await forever()
        writer.write(whole("200 OK", objects.page([objects.pod("a")], 10), PROTOBUF))

    timing = Timing(first_pause=0.05, sync=0.3)
    async with serve(handler) as fake, following(fake.connection, timing=timing) as watched:
        await watched.until(lambda: watched.names == {"a"})
        assert isinstance(watched.lost[0].error, errors.TimedOut)


@pytest.mark.parametrize("as_event", [True, False])
async def test_gone_means_list_again(as_event: bool) -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        gone = objects.failure(410, "too old resource version")
        if request.is_watch_list:
            await first_state(writer)
            if len(fake.requests) == 1:
                writer.write(chunk(b""))
                return
        elif as_event:
            writer.write(head() + chunk(objects.event("ERROR", gone)))
        else:
            writer.write(whole("410 Gone", b'{"message": "too old resource version"}'))
            return
        await writer.drain()
        await forever()

    async with serve(handler) as fake, following(fake.connection) as watched:
        await watched.until(lambda: len(watched.listed) == 2)
        kinds = [type(lost.error) for lost in watched.lost]
        assert kinds == [errors.Unreachable, errors.Expired]
        watches = [request.is_watch_list for request in fake.requests]
        assert watches == [True, False, True]


async def test_gone_for_ever_stays_below_one_request_a_second() -> None:
    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(whole("410 Gone", b"{}"))

    timing = Timing(first_pause=0.04, longest_pause=1.5)
    async with serve(handler) as fake, following(fake.connection, timing=timing):
        await asyncio.sleep(3)
    # A twentieth of the real pauses, so 3 s stand for 60 s.
    assert len(fake.requests) <= 10


@pytest.mark.parametrize("early", [True, False])
async def test_closing_at_once_for_ever_is_asked_ten_times_a_minute(early: bool) -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        if early:
            return
        if request.is_watch_list:
            await first_state(writer, b"")
        else:
            writer.write(head() + chunk(b""))

    timing = Timing(first_pause=0.04, longest_pause=1.5)
    async with serve(handler) as fake, following(fake.connection, timing=timing) as watched:
        await asyncio.sleep(3)
    assert 4 <= len(fake.requests) <= 10
    pauses = [lost.retry_in for lost in watched.lost]
    assert pauses[3] > pauses[0] * 3


async def test_a_truncated_frame_ends_the_stream_and_it_goes_on_from_the_last_version() -> None:
    changed = objects.event("MODIFIED", objects.pod("a", 20, spec={"nodeName": "n"}))

    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.is_watch_list:
            added = objects.event("ADDED", objects.pod("c", 15))
            await first_state(writer, added, changed[:-5], b"")
            return
        writer.write(head() + chunk(changed))
        await writer.drain()
        await forever()

    async with serve(handler) as fake, following(fake.connection) as watched:
        await watched.until(lambda: any(row.node == "n" for row in watched.rows.values()))
        assert watched.names == {"a", "b", "c"}
        assert isinstance(watched.lost[0].error, errors.BadAnswer)
        assert "resourceVersion=15" in fake.requests[1].target


async def test_bad_objects_cost_themselves_only_and_are_counted() -> None:
    bad = (
        objects.event("ADDED", b"\xff\xff\xff"),
        objects.event("SURPRISE", objects.pod("x")),
        objects.event("ADDED", objects.pod("y", metadata={"uid": ""})),
        b"\x00\x00\x00\x03abc",
    )

    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        await first_state(writer, *bad, objects.event("ADDED", objects.pod("c", 11)))
        await forever()

    async with serve(handler) as fake, following(fake.connection) as watched:
        await watched.until(lambda: watched.names == {"a", "b", "c"})
        skipped = sum(getattr(event, "skipped", 0) for event in watched.events)
        assert (skipped, watched.lost) == (4, [])


async def test_invalid_utf8_costs_the_object() -> None:
    raw = objects.pod("x" * 9).SerializeToString().replace(b"x" * 9, b"\xff" * 9)

    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        await first_state(writer, objects.event("ADDED", raw))
        await forever()

    async with serve(handler) as fake, following(fake.connection) as watched:
        await watched.until(lambda: any(getattr(e, "skipped", 0) for e in watched.events))
        assert watched.names == {"a", "b"}


async def test_a_huge_frame_is_not_waited_for() -> None:
    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        await first_state(writer, b"\x7f\xff\xff\xff")
        await forever()

    async with serve(handler) as fake, following(fake.connection) as watched:
        await watched.until(lambda: watched.lost)
        assert isinstance(watched.lost[0].error, errors.BadAnswer)


async def test_a_missed_delete_and_a_restored_cluster_are_healed_by_the_next_list() -> None:
    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        if len(fake.requests) == 1:
            await first_state(writer)
        else:
            # Versions fell and every uid is new.
            new = objects.pod("a", 1, metadata={"uid": "other"})
            writer.write(head() + chunk(objects.event("ADDED", new)))
            writer.write(chunk(objects.bookmark(3, initial_end=True)))
            await writer.drain()
        await forever()

    timing = Timing(relist=0.4)
    async with serve(handler) as fake, following(fake.connection, timing=timing) as watched:
        await watched.until(lambda: set(watched.rows) == {"other"})
        assert not watched.lost


async def test_a_version_from_the_future_means_list_again() -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.is_watch_list:
            await first_state(writer, b"")
        else:
            body = b'{"message": "Timeout: Too large resource version: 10, current: 3"}'
            writer.write(whole("504 Gateway Timeout", body))

    async with serve(handler) as fake, following(fake.connection) as watched:
        await watched.until(lambda: len(watched.listed) == 2)


async def test_the_server_is_not_read_while_the_caller_is_behind() -> None:
    sent = 0

    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await first_state(writer)
        for number in range(60_000):
            pod = objects.pod("a", 11 + number, spec={"nodeName": "n" * 200})
            writer.write(chunk(objects.event("MODIFIED", pod)))
            await writer.drain()
            sent += 1

    async with serve(handler) as fake:
        events = follow(fake.connection, SERVICE_ACCOUNT, KINDS["Pod"], timing=QUICK)
        async for event in events:
            if isinstance(event, Listed):
                break
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.3)
        assert sent < 59_000
        await events.aclose()
