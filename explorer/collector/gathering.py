"""All logs of one reader: kept in step with his rights and with the pods, given out in order."""

import asyncio
import logging
from contextlib import suppress
from typing import NamedTuple, Self

from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext_noop

from clusters.kube.logs import Line
from explorer.access import Ended
from explorer.collector import source as sources
from explorer.collector.desk import Desk
from explorer.collector.following import Follower
from explorer.collector.sight import Eyes, Options, Pod, Sight, Way, ask
from explorer.collector.source import Source

# A revoked right must end a log within 5 s: a round, and what it asks the database.
LOOK_SECONDS = 2.0
ASK_SECONDS = 2.5
LINES_A_BATCH = 500
AWAY = gettext_noop("MCM's database does not answer; try again in a moment.")

log = logging.getLogger(__name__)


class Batch(NamedTuple):
    """What is new: sources whose state changed, and lines in their order."""

    sources: list[Source]
    lines: list[tuple[Source, Line]]
    left_out: int
    withheld: int


class Gathering:
    """`async with` it, and take `next` until that is None."""

    def __init__(self, options: Options, eyes: Eyes) -> None:
        self._options = options
        self._eyes = eyes
        self._desk = Desk(options)
        self._follower = Follower(self._desk, options, eyes)
        self._pods: dict[tuple[Pod, Way], asyncio.Task[None]] = {}
        self._sight = Sight((), {})
        self._told_counts = (0, 0)
        self._looked = False
        self._failure: Exception | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._keeper = asyncio.create_task(self._keep_up())
        return self

    async def __aexit__(self, *_error: object) -> None:
        tasks = [*self._pods.values(), *([self._keeper] if self._keeper else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def containers(self) -> dict[str, str]:
        """The names of all containers that were met, with their roles."""
        return self._desk.containers

    async def next(self) -> Batch | None:
        """What is new, waited for; None when nothing more will come.

        Raises `Ended` when the reader may read no more.
        """
        now, desk = asyncio.get_running_loop().time, self._desk
        while True:
            if self._failure is not None:
                raise self._failure
            due = desk.merger.due(now())
            if desk.has_news or due == 0 or self._counts != self._told_counts:
                return self._batch(now())
            if self._over and not desk.merger.waits:
                return None
            desk.wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(due):
                    await desk.wake.wait()

    def _batch(self, now: float) -> Batch:
        lines = self._desk.merger.take(LINES_A_BATCH, now)
        self._told_counts = self._counts
        return Batch(self._desk.taken(), lines, *self._counts)

    @property
    def _counts(self) -> tuple[int, int]:
        return self._sight.left_out + len(self._desk.full), self._sight.withheld

    @property
    def _over(self) -> bool:
        """Whether all has been read of what is not followed."""
        done = all(task.done() for task in self._pods.values())
        return self._looked and not self._options.follow and done

    async def _keep_up(self) -> None:
        """Looks again and again at what the reader may read; what he may not any more ends."""
        try:
            while True:
                async with asyncio.timeout(ASK_SECONDS):
                    sight = await ask(self._eyes.look)
                self._apply(sight)
                self._looked = True
                self._desk.wake.set()
                await asyncio.sleep(LOOK_SECONDS)
        except (OperationalError, InterfaceError, TimeoutError):
            self._fail(Ended("away", AWAY))
        except Exception as error:
            if not isinstance(error, Ended):
                log.exception("what a reader of logs may see could not be looked up")
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """Whoever cannot be asked about reads no longer."""
        self._failure = error
        for task in self._pods.values():
            task.cancel()
        self._desk.wake.set()

    def _apply(self, sight: Sight) -> None:
        """Ends the logs of pods that are not in sight any more, and opens those that are new."""
        self._sight = sight
        desk = self._desk
        if desk.first is None:
            desk.first = frozenset(sight.pods)
        wanted = [(pod, sight.ways[pod.cluster]) for pod in sight.pods]
        for key in set(self._pods).difference(wanted):
            self._pods.pop(key).cancel()
            if key[0] not in sight.pods:
                self._leave(key[0])
        for pod, way in wanted:
            task = self._pods.get((pod, way))
            waits = task is not None and task.done() and pod.uid in desk.full and desk.has_room
            if task is None or waits:
                desk.full.discard(pod.uid)
                self._pods[pod, way] = asyncio.create_task(self._follower.follow(pod, way))

    def _leave(self, pod: Pod) -> None:
        self._desk.full.discard(pod.uid)
        for source in self._desk.known(pod):
            self._desk.leave(source, sources.GONE)
