"""Opens the logs of pods, and keeps them open as long as there is more of them to come."""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import aclosing
from uuid import UUID

from django.utils.translation import gettext_noop

from clusters.kube import errors, logs, stream
from clusters.kube.logs import Wanted
from clusters.live.sockets import Open
from explorer.access import Ended
from explorer.collector import source as sources
from explorer.collector.desk import MOST_SOURCES, Desk
from explorer.collector.sight import Eyes, Options, Pod, Way, ask
from explorer.collector.source import Source, State

# Logs of one person in this process.
MOST_OF_A_PERSON = 200
# Pods whose containers are asked for at once.
AT_ONCE = 8
TOO_MANY = gettext_noop("You have too many logs open at once. Close some of them.")
FAILED = gettext_noop("MCM failed to read this log.")

log = logging.getLogger(__name__)
_open = Open()


class Follower:
    """Lays the lines of the pods that it is given on the desk."""

    def __init__(self, desk: Desk, options: Options, eyes: Eyes) -> None:
        self._desk = desk
        self._options = options
        self._eyes = eyes
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._links: dict[tuple[UUID, Way], stream.Link] = {}

    async def follow(self, pod: Pod, way: Way) -> None:
        """The logs of all of its containers that are wanted."""
        try:
            known = self._desk.known(pod)
            if not known and not self._desk.has_room:
                self._desk.full.add(pod.uid)
                return
            first = known[0] if known else self._desk.source(pod, "")
            link = await self._link(first, way)
            names = await self._containers(first, link) if link else None
            if link is None or not names:
                return
            mine = self._named(first, names)
            async with asyncio.TaskGroup() as group:
                for source in mine:
                    group.create_task(self._keep_open(source, link))
        except Exception:
            log.exception("a log could not be read")
            for source in self._desk.known(pod):
                self._desk.tell(source, State.FAILED, FAILED)
        finally:
            self._desk.wake.set()

    def _named(self, first: Source, names: Iterable[str]) -> list[Source]:
        """The sources of these containers; the first is the one that stood for the pod."""
        pod, found = first.pod, []
        for name in names:
            if not first.container:
                self._desk.name(first, name)
            elif not self._desk.knows(pod, name) and not self._desk.has_room:
                self._desk.full.add(f"{pod.uid} {name}")
                continue
            found.append(self._desk.source(pod, name))
        return found

    async def _link(self, source: Source, way: Way) -> stream.Link | None:
        """The way to the cluster; None where there is none, which is told."""
        key = (source.pod.cluster, way)
        if key not in self._links and way.identity is not None:
            try:
                connection = await ask(self._eyes.connection, source.pod.cluster)
                self._links[key] = stream.link(connection, way.identity)
            except (errors.KubeError, Ended) as error:
                self._desk.tell(source, State.FAILED, str(error))
                return None
        if way.identity is None:
            self._desk.tell(source, State.FAILED, way.why)
            return None
        return self._links[key]

    async def _containers(self, source: Source, link: stream.Link) -> list[str]:
        """The names of the containers that are wanted of the pod; [] where there is none."""
        pod, wanted = source.pod, self._options.container
        while True:
            try:
                async with self._turns:
                    seen = await logs.pod(link, pod.namespace, pod.name)
            except errors.KubeError as error:
                if not await self._broke(source, error):
                    return []
                continue
            self._desk.containers |= {
                each.name: each.role for each in seen.containers[:MOST_SOURCES]
            }
            usual = [each.name for each in seen.containers if each.role != "init"]
            named = [each.name for each in seen.containers if each.name == wanted]
            source.rested()
            if not named and wanted:
                self._desk.leave(source, "")
            return named if wanted else usual

    async def _keep_open(self, source: Source, link: stream.Link) -> None:
        """Reads the log until there is no more of it to come."""
        pod = source.pod
        while True:
            try:
                await self._read(source, link)
                if not self._options.follow:
                    self._desk.tell(source, State.ENDED, "")
                    return
                seen = await logs.pod(link, pod.namespace, pod.name)
                if seen.ended:
                    self._desk.tell(source, State.ENDED, sources.POD_ENDED)
                    return
                self._desk.tell(source, State.WAITING, sources.CONTAINER_ENDED)
                await asyncio.sleep(source.pause())
            except errors.KubeError as error:
                if not await self._broke(source, error):
                    return

    async def _read(self, source: Source, link: stream.Link) -> None:
        options, pod = self._options, source.pod
        since, tail = source.begin(options)
        wanted = Wanted(
            namespace=pod.namespace, pod=pod.name, container=source.container,
            follow=options.follow and not options.previous, previous=options.previous,
            tail=tail, since=since,
        )  # fmt: skip
        if _open[self._eyes.reader] >= MOST_OF_A_PERSON:
            raise errors.TooManyRequests(TOO_MANY)
        with _open.one_more(self._eyes.reader):
            async with aclosing(logs.read(link, wanted)) as portions:
                async for lines in portions:
                    await self._desk.take_in(source, lines)

    async def _broke(self, source: Source, error: errors.KubeError) -> bool:
        """Tells why, and waits for the next try; False where none is worth it."""
        final = isinstance(error, errors.Forbidden | errors.Unauthorized | errors.BadCertificate)
        if final or not self._options.follow:
            self._desk.tell(source, State.FAILED, str(error))
            return False
        self._desk.tell(source, State.WAITING, str(error))
        await asyncio.sleep(source.pause())
        return True
