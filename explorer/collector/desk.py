"""The table on which all sources of one reader lay what they have, until he takes it."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

from clusters.kube.logs import Line, Merger
from explorer.collector import source as sources
from explorer.collector.sight import Options, Pod
from explorer.collector.source import Source, State, moment

# Logs of one reader that are open at once.
MOST_SOURCES = 50
# Bytes of lines that wait for a slow reader; beside them each source reads a little ahead.
MOST_WAITING = 4 * 1024 * 1024

Key = tuple[UUID, str, str]


class Desk:
    """Knows the sources by pod and container; `wake` is set with everything that is new."""

    def __init__(self, options: Options) -> None:
        now = asyncio.get_running_loop().time()
        self.options = options
        self.merger: Merger[Source] = Merger(MOST_WAITING, now, strict=not options.follow)
        self.wake = asyncio.Event()
        # The names of all containers that were met, with their roles.
        self.containers: dict[str, str] = {}
        # The pods that were there from the begin.
        self.first: frozenset[Pod] | None = None
        # What found no room.
        self.full: set[str] = set()
        self._roomy = asyncio.Event()
        self._sources: dict[Key, Source] = {}
        self._changed: dict[Source, None] = {}
        self._numbers = 0

    @property
    def has_room(self) -> bool:
        return len(self._sources) < MOST_SOURCES

    @property
    def has_news(self) -> bool:
        return bool(self._changed)

    def taken(self) -> list[Source]:
        """The sources that changed; whoever waits for room may go on."""
        changed, self._changed = list(self._changed), {}
        self._roomy.set()
        return changed

    def source(self, pod: Pod, container: str) -> Source:
        key = (pod.cluster, pod.uid, container)
        found = self._sources.get(key)
        if found is None:
            self._numbers += 1
            found = self._sources[key] = Source(self._numbers, pod, container)
            self.merger.join(found)
            if self.first is not None and pod not in self.first:
                self._note(found, "joined", "")
            self._changed[found] = None
            self.wake.set()
        return found

    def known(self, pod: Pod) -> list[Source]:
        return [found for key, found in self._sources.items() if key[:2] == (pod.cluster, pod.uid)]

    def knows(self, pod: Pod, container: str) -> bool:
        return (pod.cluster, pod.uid, container) in self._sources

    def name(self, source: Source, container: str) -> None:
        """The source that stood for the pod is that of its first container."""
        key = (source.pod.cluster, source.pod.uid)
        del self._sources[(*key, source.container)]
        source.container = container
        self._sources[(*key, container)] = source

    def leave(self, source: Source, why: str) -> None:
        key = (source.pod.cluster, source.pod.uid, source.container)
        self._sources.pop(key, None)
        self.tell(source, State.LEFT, why)

    async def take_in(self, source: Source, lines: list[Line]) -> None:
        """Puts lines in as soon as there is room: so a slow reader slows down the cluster."""
        fresh = source.fresh(lines)
        # A container that has ended gives its log out again and again, without a new line.
        again = source.state == State.WAITING and source.why == sources.CONTAINER_ENDED
        if not again or fresh:
            self.tell(source, State.OPEN, "")
        if not fresh:
            return
        source.rested()
        while not self.merger.room(source):
            self._roomy.clear()
            await self._roomy.wait()
        self.merger.put(source, fresh, asyncio.get_running_loop().time())
        self.wake.set()

    def tell(self, source: Source, state: State, why: str) -> None:
        if (source.state, source.why) == (state, why):
            return
        before, source.state, source.why = source.state, state, why
        if state != State.OPEN:
            self.merger.speak(source)
        if state == State.OPEN and before == State.WAITING and source.last:
            self._note(source, "again", "")
        elif state in (State.WAITING, State.ENDED, State.LEFT) and before == State.OPEN:
            self._note(source, state.value, why)
        if state in (State.ENDED, State.FAILED, State.LEFT):
            self.merger.leave(source)
        self._changed[source] = None
        self.wake.set()

    def _note(self, source: Source, note: str, why: str) -> None:
        if self.options.follow:
            line = Line(moment(datetime.now(UTC)), why, note)
            self.merger.put(source, [line], asyncio.get_running_loop().time())
