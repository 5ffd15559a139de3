"""The requests that are under way in this process: how many for each person, and none for longer
than the person may.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass

from kubectl.access import Pass, Refused, admit
from kubectl.consumers.asked import Asked, look

# A revoked right must end a stream within 5 s: a round, and what it asks the database.
LOOK_SECONDS = 2.0
ASK_SECONDS = 2.5
# Of one person in one process, streams and calls together.
MOST = 100
TOO_MANY = f"MCM: you have {MOST} requests open already; close some watches or shells."

log = logging.getLogger(__name__)


@dataclass(eq=False)
class UnderWay:
    """A request between its admission and its end; past `limit` it is cut off."""

    asked: Asked
    passed: Pass
    limit: asyncio.Timeout
    # Why it was cut off, if it was.
    left: bool = False
    revoked: bool = False

    def cut(self) -> None:
        """Ends it at the next moment at which it waits."""
        if not self.limit.expired():
            self.limit.reschedule(asyncio.get_running_loop().time())


_open: set[UnderWay] = set()
_warden: asyncio.Task[None] | None = None


@asynccontextmanager
async def under_way(asked: Asked, passed: Pass, seconds: float | None) -> AsyncIterator[UnderWay]:
    """The time in which a request may be answered: `seconds`, and only while it is allowed.

    Raises Refused when the person has too many, TimeoutError when it was cut off.
    """
    global _warden  # noqa: PLW0603 (one for the loop of this process)
    if Counter(each.passed.user.pk for each in _open)[passed.user.pk] >= MOST:
        raise Refused(429, TOO_MANY, passed.user, passed.cluster)
    async with asyncio.timeout(seconds) as limit:
        mine = UnderWay(asked, passed, limit)
        _open.add(mine)
        if _warden is None or _warden.done():
            # In a context of its own: what it finds out of one person's token must not be told of
            # the other, whose request happened to start it.
            _warden = asyncio.create_task(_watch_over(), context=Context())
        try:
            yield mine
        finally:
            _open.discard(mine)


async def _watch_over() -> None:
    """Asks again and again whether what is under way is still allowed, as long as anything is.

    Asked rather than told: tokens and people end in many ways, and a lost message must not keep
    anybody in.
    """
    while _open:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            await _look()
        except Exception:
            # Whatever one of them did, the others are looked at again.
            log.exception("a look at the open streams failed")


async def _look() -> None:
    looked_at = list(_open)
    # Who opens many streams of one kind is asked about once.
    alike = {_key(each): each.asked for each in looked_at}
    now = await asyncio.gather(*map(_still, alike.values()))
    known = dict(zip(alike, now, strict=True))
    for each in looked_at:
        # Some have ended meanwhile, and cannot be cut off any more.
        if each in _open and not _same(each.passed, known[_key(each)]):
            each.revoked = True
            each.cut()


def _key(each: UnderWay) -> tuple[str, str, object]:
    return each.asked.authorization, each.asked.cluster, each.asked.info


async def _still(asked: Asked) -> Pass | None:
    try:
        async with asyncio.timeout(ASK_SECONDS):
            return await look(admit, asked.authorization, asked.cluster, asked.info)
    except Refused:
        return None
    except Exception:
        # Whoever cannot be asked about is let in no longer.
        log.exception("the rights of an open stream could not be looked up")
        return None


def _same(before: Pass, now: Pass | None) -> bool:
    """Also not as somebody else: the cluster judged the groups that the person had then."""
    return now is not None and (before.cluster.pk, before.identity) == (
        now.cluster.pk,
        now.identity,
    )
