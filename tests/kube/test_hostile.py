"""What a hostile cluster sends costs little time and memory, and its neighbours nothing."""

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from clusters.kube import decode, decode_json, errors, events, kinds
from clusters.kube.cached import LARGEST_KEY, cached
from clusters.kube.project import base
from clusters.kube.schema import MAGIC, MESSAGE
from tests.kube import fake, objects
from tests.kube.following import following

WIDGET = kinds.custom("example.com", "v1", "widgets", "Widget", namespaced=True)
DEEP = b"[" * 20_000 + b"]" * 20_000


def test_what_is_too_large_is_not_kept() -> None:
    made = []

    @cached(10, len)
    def double(text: str) -> str:
        made.append(text)
        return text * 2

    for text in ("a", "a", "b" * LARGEST_KEY * 2, "b" * LARGEST_KEY * 2):
        assert double(text) == text * 2
    assert [text[0] for text in made] == ["a", "b", "b"]


def test_of_too_many_labels_the_first_are_read() -> None:
    pair = MESSAGE["Pair"]
    pairs = tuple(pair(key=f"k{n}", value="v").SerializeToString() for n in range(1000))
    assert len(base.shared_labels(pairs)) == base.MOST_PARTS


async def test_a_little_gzip_that_becomes_very_much_leaves_the_others_their_turn() -> None:
    """64 MB of events that nobody can read out of 64 KB: it is given up before their end."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    packed = packer.compress(b"\0" * (64 << 20)) + packer.flush()

    async def answer(_request: fake.Request, writer: asyncio.StreamWriter) -> None:
        writer.write(fake.head(headers=("Content-Encoding: gzip",)) + fake.chunk(packed))
        await writer.drain()
        await fake.forever()

    longest = 0.0

    async def neighbour() -> None:
        nonlocal longest
        while True:
            began = time.monotonic()
            await asyncio.sleep(0)
            longest = max(longest, time.monotonic() - began)

    async with fake.serve(answer) as server:
        task = asyncio.create_task(neighbour())
        async with following(server.connection) as watched:
            await watched.until(lambda: watched.lost)
        task.cancel()
    assert isinstance(watched.lost[0].error, errors.BadAnswer)
    assert longest < 1


def test_a_page_far_longer_than_asked_for_is_not_read() -> None:
    raw = b"\x12\x00" * (decode.MOST_ITEMS + 1)
    with pytest.raises(errors.BadAnswer):
        decode.page(kinds.KINDS["Pod"], MAGIC + MESSAGE["Unknown"](raw=raw).SerializeToString())
    body = b'{"metadata":{},"items":[%s0]}' % (b"0," * decode.MOST_ITEMS)
    with pytest.raises(errors.BadAnswer):
        decode_json.page(WIDGET, body)


@pytest.mark.parametrize("watch_list", [True, False])
async def test_more_objects_than_anybody_keeps_are_not_followed(
    watch_list: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MOST_OBJECTS", 1)

    async def answer(request: fake.Request, writer: asyncio.StreamWriter) -> None:
        if watch_list:
            await fake.first_state(writer)
            await fake.forever()
        if request.is_watch_list:
            writer.write(fake.whole("400 Bad Request", b""))
        else:
            pods = [objects.pod("a", 1), objects.pod("b", 2)]
            writer.write(fake.whole("200 OK", objects.page(pods, 3)))

    async with fake.serve(answer) as server, following(server.connection) as watched:
        await watched.until(lambda: watched.lost)
        assert "more than 1" in str(watched.lost[0].error)
        assert not watched.listed


def widget(name: str, more: bytes = b"") -> bytes:
    return b'{"metadata":{"name":"%s","uid":"%s","resourceVersion":"1"}%s}' % (
        name.encode(), name.encode(), more,
    )  # fmt: skip


def test_one_object_nested_too_deeply_costs_itself() -> None:
    odd = b',"a":"}],[\\"{"'
    items = b",".join([widget("a"), widget("b", b',"spec":' + DEEP), widget("c", odd)])
    body = b'{"metadata":{"resourceVersion":"7","continue":"x"},"items":[%s]}' % items
    found = decode_json.page(WIDGET, body)
    assert [row.name for row in found.rows] == ["a", "c"]
    assert (found.version, found.next, found.skipped) == ("7", "x", 1)


@pytest.mark.parametrize("rest", [b"", b',"' + b'\\"' * 100_000, b",[]" * 2_000_000])
def test_a_deep_list_without_an_end_is_no_list(rest: bytes) -> None:
    """Nor is it an empty one, which would delete everything."""
    began = time.monotonic()
    with pytest.raises(errors.BadAnswer):
        decode_json.page(WIDGET, b'{"metadata":{},"items":[' + b"[" * 20_000 + rest)
    assert time.monotonic() - began < 10


def test_a_refusal_that_is_nested_deeply_is_still_one() -> None:
    assert decode.status_message(DEEP) == ""


async def test_a_list_after_a_failure_waits_for_its_turn() -> None:
    """One hundred clusters that come back together are not all listed at once."""
    free, ended = asyncio.Semaphore(1), []

    @asynccontextmanager
    async def turn() -> AsyncIterator[Callable[[], None]]:
        await free.acquire()
        yield lambda: ended.append(1)

    requests = 0

    async def answer(_request: fake.Request, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        requests += 1
        if requests == 1:
            writer.write(fake.whole("500 Internal Server Error", b""))
        else:
            await fake.first_state(writer)
            await fake.forever()

    async with fake.serve(answer) as server, following(server.connection, turn=turn) as watched:
        await watched.until(lambda: watched.lost)
        await asyncio.sleep(3 * watched.lost[0].retry_in)
        assert (requests, ended) == (1, [])
        free.release()
        await watched.until(lambda: watched.listed)
        assert ended
