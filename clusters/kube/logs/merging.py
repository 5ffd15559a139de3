"""Lines of many logs in the order of their moments, as far as a small window allows.

A line waits until each other source has said something later, or has been silent for WINDOW; at
most PATIENCE. Where all logs have an end (`strict`), it waits as long as it takes. Lines of one
source keep their order whatever their moments say.
"""

from collections import deque
from collections.abc import Hashable, Iterable
from typing import Generic, NamedTuple, TypeVar

from clusters.kube.logs.lines import Line

WINDOW = 0.3
# How long a line waits for sources that have not said anything yet, or are still speaking.
PATIENCE = 2.0
# Characters that are taken at once, about.
TAKEN = 256 * 1024
# What a line takes beside its text.
OVERHEAD = 200

S = TypeVar("S", bound=Hashable)


class _Waiting(NamedTuple):
    key: str
    arrived: float
    line: Line


class _Queue:
    def __init__(self) -> None:
        self.lines: deque[_Waiting] = deque()
        self.size = 0
        self.last = ""
        # When it said something last.
        self.heard = float("-inf")

    def put(self, line: Line, now: float) -> None:
        self.heard = now
        self.last = max(self.last, line.at)
        self.lines.append(_Waiting(self.last, now, line))
        self.size += len(line.text) + OVERHEAD

    def pop(self) -> Line:
        line = self.lines.popleft().line
        self.size -= len(line.text) + OVERHEAD
        return line


class Merger(Generic[S]):
    """Takes the lines of each source in their order; times are those of one monotonic clock.

    Who puts lines in asks for `room` first: it holds what it is given.
    """

    def __init__(self, most: int, now: float, *, strict: bool = False) -> None:
        """`most`: bytes of all sources together, about."""
        self._most = most
        self._strict = strict
        self._queues: dict[S, _Queue] = {}
        self._silent: set[S] = set()
        # Those that will say nothing more.
        self._gone: set[S] = set()
        self._until = now + PATIENCE

    def join(self, source: S) -> None:
        self._gone.discard(source)
        self._queues.setdefault(source, _Queue())
        self._silent.add(source)

    def leave(self, source: S) -> None:
        """Nothing more will come of it; what it said is still given out."""
        self.speak(source)
        queue = self._queues.get(source)
        if queue is not None and queue.lines:
            self._gone.add(source)
        elif queue is not None:
            del self._queues[source]

    def speak(self, source: S) -> None:
        """The source is open, or known to be none: nobody waits for its first line any more."""
        self._silent.discard(source)

    def room(self, source: S) -> bool:
        """Whether the source may put more in."""
        queue = self._queues.get(source)
        return queue is None or queue.size < self._most // max(1, len(self._queues))

    @property
    def waits(self) -> bool:
        """Whether any line is not taken yet."""
        return any(queue.lines for queue in self._queues.values())

    def put(self, source: S, lines: Iterable[Line], now: float) -> None:
        queue = self._queues.setdefault(source, _Queue())
        for line in lines:
            queue.put(line, now)
        if queue.lines:
            self.speak(source)

    def due(self, now: float) -> float | None:
        """In how many seconds something may be taken; None while nothing may, however long."""
        heads = [queue.lines[0] for queue in self._queues.values() if queue.lines]
        if not heads:
            return None
        if len(heads) == len(self._queues):
            return 0.0
        if self._strict:
            return None
        oldest = min(head.arrived for head in heads)
        if self._silent and now < self._until:
            return max(0.0, min(self._until, oldest + PATIENCE) - now)
        spoke = max(queue.heard for queue in self._queues.values() if not queue.lines)
        until = max(oldest, min(spoke, oldest + PATIENCE - WINDOW)) + WINDOW
        return max(0.0, until - now)

    def take(self, most: int, now: float) -> list[tuple[S, Line]]:
        """The next lines in order, at most so many, and no more than are sent in one go."""
        taken: list[tuple[S, Line]] = []
        size = 0
        while len(taken) < most and size < TAKEN and self.due(now) == 0.0:
            some = self._next(most - len(taken), now, TAKEN - size)
            size += sum(len(line.text) for _source, line in some)
            taken += some
        return taken

    def _next(self, most: int, now: float, size: int) -> list[tuple[S, Line]]:
        """The lines that one source says before any other says something."""
        heads = [(queue.lines[0].key, s) for s, queue in self._queues.items() if queue.lines]
        every = len(heads) == len(self._queues)
        order = sorted(heads, key=lambda pair: pair[0])
        source, until = order[0][1], order[1][0] if len(order) > 1 else None
        lines, taken = self._queues[source], list[tuple[S, Line]]()
        while lines.lines and len(taken) < most and size > 0:
            head = lines.lines[0]
            ripe = every or head.arrived + WINDOW <= now
            if taken and (not ripe or (until is not None and head.key > until)):
                break
            taken.append((source, lines.pop()))
            size -= len(head.line.text)
        if not lines.lines and source in self._gone:
            self._gone.discard(source)
            del self._queues[source]
        return taken
