"""What a watch tells, and what it remembers to tell only news."""

import time
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import NamedTuple

from clusters.kube import errors
from clusters.kube.decode import WatchEvent
from clusters.kube.kinds import Kind
from clusters.kube.timing import Timing, spread
from clusters.kube.types import Row

# Of one kind of one cluster: more than Kubernetes itself promises to bear.
MOST_OBJECTS = 200_000

visible = attrgetter(*(name for name in Row.__struct_fields__ if name != "resource_version"))


class Listing(NamedTuple):
    """Part of a state that is still coming in: true of what is in it, silent about the rest.

    What was told before is whole only with `Listed`; a list that breaks off is begun anew.
    """

    kind: str
    rows: list[Row]


class Listed(NamedTuple):
    """The complete state of a kind: whatever is not in `rows` is gone.

    `rest` are those of them that no `Listing` of this state told as they are; None: all.
    """

    kind: str
    rows: list[Row]
    version: str
    skipped: int = 0
    rest: list[Row] | None = None


class Changed(NamedTuple):
    """What changed since the last event; `deleted` holds uids, `skipped` counts bad objects."""

    kind: str
    rows: list[Row]
    deleted: list[str]
    version: str
    skipped: int = 0


class Alive(NamedTuple):
    """The cluster spoke, but nothing that shows has changed."""

    kind: str


class Lost(NamedTuple):
    """The stream broke; the rows told so far may be old. The next attempt is in `retry_in` s."""

    kind: str
    error: errors.KubeError
    retry_in: float


Event = Listing | Listed | Changed | Alive | Lost


class Copy:
    """The last row of every object of one kind, and up to which version they are right."""

    def __init__(self, kind: Kind, timing: Timing, portion: int | None = None) -> None:
        """`portion`: how many rows of a state make a `Listing`; None: it is told as a whole."""
        self.kind = kind
        self.version = ""
        self.watch_list = True
        self.relist_at = 0.0
        self._timing = timing
        self._rows: dict[str, Row] = {}
        self._fresh: dict[str, Row] | None = None
        # What of it no `Listing` has told, and whether any was.
        self._rest: dict[str, Row] = {}
        self._told = False
        self._portion = portion
        self._skipped = 0

    @property
    def due(self) -> bool:
        """Whether a whole list is needed."""
        return not self.version or time.monotonic() >= self.relist_at

    def forget_version(self) -> None:
        """The version is of no use any more; the rows stay until the next list."""
        self.version = ""

    @property
    def listing(self) -> bool:
        """Whether a whole state is still coming in."""
        return self._fresh is not None

    def begin_list(self) -> None:
        """What comes next is the whole state, until it says so."""
        self._fresh, self._rest = {}, {}
        self._skipped, self._told = 0, False

    def end_stream(self) -> None:
        """The stream is over; KubeError when its first state was not whole."""
        if self._fresh is not None:
            raise errors.Unreachable("The cluster ended the list before it was whole.")

    def drop_list(self) -> None:
        """The list is left; a first state that is not whole counts for nothing."""
        self._fresh, self._rest = None, {}

    def doubt_watch_list(self) -> None:
        """Time is up. Objects without an end are an older server's idea of this: list plainly."""
        if self._fresh:
            self.watch_list = False

    def _keep(self, rows: dict[str, Row]) -> None:
        """BadAnswer when these are more than anybody can keep."""
        if len(rows) > MOST_OBJECTS:
            self.forget_version()  # some of them were not told
            self._portion = None  # and none of them need be written again with each attempt
            raise errors.BadAnswer(f"There are more than {MOST_OBJECTS} of these: not followed.")

    def add(self, events: Iterable[WatchEvent], skipped: int) -> Iterator[Listing]:
        """Some of the whole state came in; BadAnswer when it becomes more than can be kept."""
        fresh, rest = self._fresh, self._rest
        if fresh is None:
            raise RuntimeError("no list has begun")
        for event in events:
            if event.row is not None:
                fresh[event.row.uid] = rest[event.row.uid] = event.row
            else:
                fresh.pop(event.uid, None)
                rest.pop(event.uid, None)
        self._skipped += skipped
        self._keep(fresh)
        if self._portion is not None and len(rest) >= self._portion:
            self._rest, self._told = {}, True
            yield Listing(self.kind.name, list(rest.values()))

    def complete(self, version: str) -> Listed:
        """The whole state is in."""
        rows, rest = self._fresh or {}, self._rest
        self._rows, self._fresh, self._rest = rows, None, {}
        self.version = version
        self.relist_at = time.monotonic() + spread(self._timing.relist, 0.2)
        told = list(rest.values()) if self._told else None
        return Listed(self.kind.name, list(rows.values()), version, self._skipped, told)

    def feed(
        self, events: list[WatchEvent], skipped: int
    ) -> Iterator[Listing | Listed | Changed | Alive]:
        """Some events of a stream came in together."""
        if self._fresh is None:
            yield self.apply(events, skipped)
            return
        ends = next((at for at, event in enumerate(events) if event.initial_end), None)
        yield from self.add(events[:ends], skipped)
        if ends is None:
            return
        yield self.complete(events[ends].version)
        if rest := events[ends + 1 :]:
            yield self.apply(rest, 0)

    def apply(self, events: list[WatchEvent], skipped: int) -> Changed | Alive:
        """Some events came in together; only what shows is told, each object once."""
        changed: dict[str, Row] = {}
        deleted: dict[str, None] = {}
        rows = self._rows
        for event in events:
            row = event.row
            if row is not None:
                old = rows.get(row.uid)
                if old is None or visible(old) != visible(row):
                    rows[row.uid] = changed[row.uid] = row
                    deleted.pop(row.uid, None)
            elif event.uid and rows.pop(event.uid, None) is not None:
                changed.pop(event.uid, None)
                deleted[event.uid] = None
            self.version = event.version or self.version
        self._keep(rows)
        if not (changed or deleted or skipped):
            return Alive(self.kind.name)
        name = self.kind.name
        return Changed(name, list(changed.values()), list(deleted), self.version, skipped)
