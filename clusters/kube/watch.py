"""Follows one kind of objects of one cluster for ever.

Three generators inside each other: for ever (pauses after failures) > list, then watch > one
stream. Protocol: https://kubernetes.io/docs/reference/using-api/api-concepts/ (streaming lists,
efficient detection of changes); the order of things is client-go's Reflector's.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from typing import NamedTuple
from urllib.parse import urlencode

from clusters.kube import decode, errors, stream, wire
from clusters.kube.events import Alive, Changed, Copy, Event, Listed, Listing, Lost
from clusters.kube.kinds import Kind
from clusters.kube.timing import DEFAULT, Patience, Pauses, Silent, Timing
from clusters.kube.tls import explain
from clusters.kube.types import Connection, Identity

__all__ = [
    "DEFAULT", "Alive", "Changed", "Event", "Listed", "Listing", "Lost", "Timing", "Turn",
    "at_once", "follow", "probe",
]  # fmt: skip

LARGEST_PAGE = 64 * 1024 * 1024
MOST_PAGES = 2000
# Of one stream: what sends more unreadable objects is no API server.
MOST_SKIPPED = 10_000
REFUSES_WATCH_LIST = (400, 406, 415, 422)
TOO_NEW = "too large resource version"  # the cluster was restored from a backup
WATCH_LIST = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}

logger = logging.getLogger(__name__)

# Waited for before a list; what it yields is called when the list is there.
Turn = Callable[[], AbstractAsyncContextManager[Callable[[], None]]]


def at_once() -> AbstractAsyncContextManager[Callable[[], None]]:
    """The turn of who need not wait."""
    return nullcontext(lambda: None)


async def follow(
    connection: Connection,
    identity: Identity,
    kind: Kind,
    *,
    timing: Timing = DEFAULT,
    turn: Turn = at_once,
    portion: int | None = None,
) -> AsyncGenerator[Event, None]:
    """Tells the state of a kind and every change of it, until it is closed.

    Never raises but CancelledError: failures are told as `Lost`, and tried again. Reading stops
    while the caller is behind. A list at the beginning or after a failure waits for its `turn`;
    one that is due while the watch works does not: nothing would be watched meanwhile.
    With `portion`, lists are told while they come in, about so many rows at a time: `Listing`.
    """
    copy = Copy(kind, timing, portion)
    pauses = Pauses(timing)
    behind = True
    while True:
        failure: errors.KubeError | None = None
        try:
            async with (turn if copy.due and behind else at_once)() as end_turn:
                pauses.start()
                async with aclosing(_list_then_watch(connection, identity, copy, timing)) as events:
                    async for event in events:
                        if not isinstance(event, Listing):
                            end_turn()
                        yield event
        except errors.KubeError as error:
            failure = error
        except Exception as error:
            # One cluster's answer that nobody thought of must not end the watch.
            logger.exception("watching %s failed", kind.name)
            failure = explain(error)
        pause = pauses.after(failure)
        behind = pause > 0
        if behind:
            lost = failure or errors.Unreachable("The cluster ended the watch too soon.")
            yield Lost(kind.name, lost, pause)
            await asyncio.sleep(pause)


async def probe(connection: Connection, identity: Identity, deadline: float = 5.0) -> float:
    """Seconds that GET /readyz took, on a connection of its own; KubeError when it failed.

    403 and 404 count as alive: the API server spoke, it just does not show its readiness.
    """
    started = time.monotonic()
    to = stream.link(connection, identity)
    try:
        async with stream.get(to, "/readyz", "*/*", deadline=deadline) as response:
            await response.all(stream.LARGEST_REFUSAL, deadline)
    except (errors.Forbidden, errors.NotFound):
        pass
    return time.monotonic() - started


async def _list_then_watch(
    connection: Connection, identity: Identity, copy: Copy, timing: Timing
) -> AsyncGenerator[Event, None]:
    """Lists if that is due, then watches; again when the next list is due before the end."""
    to = stream.link(connection, identity)
    while True:
        try:
            async with aclosing(_round(to, copy, timing)) as events:
                async for event in events:
                    yield event
        except errors.Refused as error:
            if isinstance(error, errors.Expired) or TOO_NEW in str(error).lower():
                copy.forget_version()
            raise
        except errors.Unreachable:
            # A restarted API server may be a newer one.
            copy.watch_list = True
            raise
        if not copy.due:
            return


async def _round(to: stream.Link, copy: Copy, timing: Timing) -> AsyncGenerator[Event, None]:
    if copy.due and copy.watch_list:
        try:
            async with aclosing(_stream(to, copy, timing, WATCH_LIST)) as events:
                async for event in events:
                    yield event
            return
        except errors.Refused as error:
            if error.status not in REFUSES_WATCH_LIST:
                raise
            copy.watch_list = False
    if copy.due:
        async with aclosing(_list(to, copy, timing)) as parts:
            async for part in parts:
                yield part
    since = {"resourceVersion": copy.version}
    async with aclosing(_stream(to, copy, timing, since)) as events:
        async for event in events:
            yield event


async def _list(
    to: stream.Link, copy: Copy, timing: Timing
) -> AsyncGenerator[Listing | Listed, None]:
    """The whole state in pages, for servers without WatchList (before 1.32, or switched off)."""
    copy.begin_list()
    params = {"limit": str(copy.kind.page_size), **copy.kind.params}
    try:
        for _ in range(MOST_PAGES):
            page = await _page(to, copy.kind, timing, params)
            found = [decode.WatchEvent("ADDED", "", row) for row in page.rows]
            for part in copy.add(found, page.skipped):
                yield part
            if not page.next:
                yield copy.complete(page.version)
                return
            params["continue"] = page.next
    finally:
        copy.drop_list()
    raise errors.BadAnswer("The list never ends.")


async def _page(to: stream.Link, kind: Kind, timing: Timing, params: dict[str, str]) -> decode.Page:
    target = f"{kind.path}?{urlencode(params)}"
    async with stream.get(to, target, kind.list_accept, deadline=timing.connect) as response:
        body = await response.all(LARGEST_PAGE, timing.page)
    return wire.of(kind).page(kind, body)


async def _stream(
    to: stream.Link, copy: Copy, timing: Timing, params: dict[str, str]
) -> AsyncGenerator[Event, None]:
    """One watch request, as a WatchList (first the whole state, then changes) or from a version."""
    if params is WATCH_LIST:
        copy.begin_list()
    try:
        async with aclosing(_batches(to, copy, timing, params)) as batches:
            async for batch in batches:
                for event in copy.feed(batch.events, batch.skipped):
                    yield event
        copy.end_stream()
    except errors.TimedOut:
        copy.doubt_watch_list()
        raise
    finally:
        copy.drop_list()


class _Batch(NamedTuple):
    events: list[decode.WatchEvent]
    skipped: int
    error: errors.KubeError | None = None


async def _batches(
    to: stream.Link, copy: Copy, timing: Timing, params: dict[str, str]
) -> AsyncGenerator[_Batch, None]:
    """What one watch request brings, read by read; ends when the next list is due.

    The first batch is empty: the server agreed.
    """
    ends = timing.watch * random.uniform(0.5, 1)  # noqa: S311 - no secret is made of it
    query = {
        "watch": "1",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": str(max(1, round(ends))),
        **copy.kind.params,
        **params,
    }
    target = f"{copy.kind.path}?{urlencode(query)}"
    accept = f"{copy.kind.accept};stream=watch"
    async with stream.get(to, target, accept, deadline=timing.connect) as response:
        yield _Batch([], 0)
        frames = wire.of(copy.kind).cutter()
        patience = Patience(timing)
        skipped = 0
        while data := await _read(response, copy, patience):
            batch = _decode(copy, frames, data)
            if batch.events or batch.skipped:
                patience.renew()
                yield batch
            if batch.error is not None:
                raise batch.error
            skipped += batch.skipped
            if skipped > MOST_SKIPPED:
                raise errors.BadAnswer("Too much of what the cluster sends cannot be read.")
        if frames.incomplete and data is not None:
            raise errors.BadAnswer("The watch was cut off inside an event.")


async def _read(response: stream.Response, copy: Copy, patience: Patience) -> bytes | None:
    """The next bytes, b"" at the server's end, None when a list is due, Silent after silence."""
    try:
        return await response.read(patience.left(None if copy.listing else copy.relist_at))
    except errors.TimedOut:
        if copy.listing:
            raise
        if copy.due:
            return None
        raise Silent("The watch was silent for too long.") from None


def _decode(copy: Copy, frames: wire.Cutter, data: bytes) -> _Batch:
    """The whole events in `data`, up to the first that is an error."""
    found: list[decode.WatchEvent] = []
    skipped = 0
    read = wire.of(copy.kind).event
    try:
        for frame in frames.feed(data):
            event = read(copy.kind, frame)
            if event is None:
                skipped += 1
            else:
                found.append(event)
    except errors.KubeError as error:
        return _Batch(found, skipped, error)
    return _Batch(found, skipped)
