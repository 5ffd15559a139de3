"""One shell of one person: from the question for it to the line of its end in the trail."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from clusters.audit import Transcript
from clusters.kube import errors, shell
from clusters.kube.shell import SHELLS, Shell
from clusters.live.sockets import Open, Threads
from explorer.access import Caller, Ended
from explorer.consumers.screen import Screen
from explorer.services import terminal
from explorer.services.terminal import Admitted, Opened, Wanted

ASKED_SECONDS = 20.0
# A revoked right must end a shell within 5 s: a round, and what it asks the database, for which a
# busy one has time: a shell cannot be opened again as a stream of logs is.
LOOK_SECONDS = 1.5
ASK_SECONDS = 3.2
PING_SECONDS = 2.0
CLOCK_SECONDS = 1.0
# Before the end that the clock sets, of who does nothing and of who has had the longest time.
WARN_IDLE, WARN_LONGEST = 60.0, 300.0

BAD = gettext_noop("This is no shell that MCM opens.")
MANY = gettext_noop("You have too many terminals open. Close some, then open this one.")
FULL = gettext_noop("Too many terminals are open in MCM. Try again later.")
IDLE = gettext_noop("Nobody typed for too long, so the shell was closed.")
LONGEST = gettext_noop("A terminal lasts no longer. Open a new one.")
NOT_KNOWN = gettext_noop("Your right to this terminal could not be looked up, so it was closed.")

log = logging.getLogger(__name__)
ask = Threads("mcm-terminal").ask
# Who is asked about while his shell is open never waits behind those who open one.
look = Threads("mcm-terminal-open").ask
_open = Open()


class Session:
    """Of a person who asks by a socket; `run` says how it ended, or raises access.Ended."""

    def __init__(self, screen: Screen, caller: Caller, key: int) -> None:
        self.screen = screen
        self.caller = caller
        self.key = key
        self.began = 0.0
        # What the end tells beside the transcript, once a shell was joined.
        self.command = ""
        self.how = "left"

    async def run(self) -> shell.Ended | None:
        """None when the person left."""
        wanted = await self._asked()
        admitted = await ask(terminal.admit, self.caller, wanted)
        with _counted(admitted.user.pk):
            opened = await ask(terminal.begin, admitted, wanted)
            return await self._told(admitted, wanted, opened)

    async def _asked(self) -> Wanted:
        async with asyncio.timeout(ASKED_SECONDS):
            asked = await self.screen.asked
        if asked.shell not in SHELLS or len(asked.container) > 63:
            raise Ended("bad", BAD)
        return Wanted(self.key, asked.container, asked.shell, asked.confirmed)

    async def _told(self, admitted: Admitted, wanted: Wanted, opened: Opened) -> shell.Ended | None:
        """The trail knows of the begin; whatever comes then has an end there."""
        self.began = time.monotonic()
        reason = ""
        transcript = Transcript(opened.begun, shell.PROTOCOLS[0], _keep, has_terminal=True)
        try:
            async with transcript.stored():
                return await self._guarded(admitted, wanted, opened, transcript)
        except Ended as ended:
            self.how = ended.code
            raise
        except errors.KubeError as error:
            reason, self.how = str(error), error.code
            raise Ended("cluster", reason) from error
        finally:
            await self._tell_end(admitted, wanted, transcript, reason)

    async def _tell_end(
        self, admitted: Admitted, wanted: Wanted, transcript: Transcript, reason: str
    ) -> None:
        seconds = round(time.monotonic() - self.began)
        how: dict[str, Any] = {"status": self.how, "seconds": seconds}
        shown = None
        if self.command:
            how["shell"] = self.command
            shown = (transcript.whole(), transcript.rest())
        try:
            await ask(terminal.end, admitted, wanted, how, reason=reason, shown=shown)
        except Exception:
            log.exception("the end of a terminal of %s was not recorded", admitted.user)

    async def _guarded(
        self, admitted: Admitted, wanted: Wanted, opened: Opened, transcript: Transcript
    ) -> shell.Ended | None:
        """The shell, for as long as the person may have it, is there, and does something."""
        running = asyncio.create_task(self._shells(admitted, wanted, opened, transcript))
        guards: list[Coroutine[Any, Any, Any]] = [
            self.screen.left.wait(), self._looks(admitted), self._clock(), self._pings(),
        ]  # fmt: skip
        tasks = [running, *map(asyncio.create_task, guards)]
        try:
            done, _others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if running in done:
                return running.result()
            for task in done:
                task.result()
            return None
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _shells(
        self, admitted: Admitted, wanted: Wanted, opened: Opened, transcript: Transcript
    ) -> shell.Ended:
        """The first of the wanted programs that the image has."""
        ended = shell.Ended(None)
        for command in SHELLS[wanted.shell]:
            try:
                there = await shell.start(
                    opened.link, terminal.spot(wanted, admitted.pod), command, transcript.recording
                )
            except errors.Refused as error:
                ended = shell.Ended(None, str(error))
                if not ended.is_missing:
                    raise
                continue
            self.command = command
            await self.screen.tell("open", shell=command)
            ended, has_shown = await self._joined(there)
            if not _was_missing(ended, has_shown=has_shown, has_typed=self.screen.has_typed):
                break
        self.how = "ended" if ended.code is None else f"exit {ended.code}"
        if ended.is_missing:
            self.how = "no_shell"
        return ended

    async def _joined(self, there: Shell) -> tuple[shell.Ended, bool]:
        """How it ended, and whether it showed anything before."""
        up = asyncio.create_task(self._up(there))
        has_shown = False
        try:
            while not isinstance(shown := await there.read(), shell.Ended):
                has_shown = True
                await self.screen.show(shown)
            return shown, has_shown
        finally:
            up.cancel()
            there.close()

    async def _up(self, there: Shell) -> None:
        await there.resize(self.screen.now())
        while True:
            news = await self.screen.next()
            if news.size is not None:
                await there.resize(news.size)
            if news.typed:
                await there.write(news.typed)
                await self.screen.passed(len(news.typed))

    async def _looks(self, admitted: Admitted) -> None:
        """Asked rather than told: rights and people end in many ways."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                async with asyncio.timeout(ASK_SECONDS):
                    await look(terminal.require_still, self.caller, admitted)
            except Ended:
                raise
            except Exception as error:
                # Whoever cannot be asked about is let in no longer.
                log.exception("the right to an open terminal could not be looked up")
                raise Ended("revoked", NOT_KNOWN) from error

    async def _clock(self) -> None:
        limits, warned = settings.TERMINAL, ""
        while True:
            now = time.monotonic()
            ends = {
                "idle": (self.screen.touched + limits.idle, min(WARN_IDLE, limits.idle / 2)),
                "longest": (self.began + limits.longest, min(WARN_LONGEST, limits.longest / 2)),
            }
            why, (end, before) = min(ends.items(), key=lambda each: each[1][0])
            if now >= end:
                raise Ended(why, IDLE if why == "idle" else LONGEST)
            due = why if now >= end - before else ""
            if due != warned:
                warned = due
                await self.screen.tell("limit", why=due, seconds=round(end - now))
            until = end if due else end - before
            await asyncio.sleep(min(CLOCK_SECONDS, until - now))

    async def _pings(self) -> None:
        """The page hears that it is still heard of, also while nothing is shown."""
        while True:
            await asyncio.sleep(PING_SECONDS)
            await self.screen.tell("ping")


def _was_missing(ended: shell.Ended, *, has_shown: bool, has_typed: bool) -> bool:
    """Whether another program may be there where this one was not: a shell that ran has shown a
    prompt, and some runtimes tell in its place that there is none.
    """
    if ended.code == 0 or ended.said == shell.BROKEN:
        return False
    return not has_shown or (ended.is_missing and not has_typed)


async def _keep(*args: Any) -> None:
    await ask(terminal.keep, *args)


@contextmanager
def _counted(person: int) -> Iterator[None]:
    """Raises Ended where there are too many."""
    limits = settings.TERMINAL
    if _open[person] >= limits.per_person:
        raise Ended("many", MANY)
    if _open.total() >= limits.most:
        raise Ended("many", FULL)
    with _open.one_more(person):
        yield
