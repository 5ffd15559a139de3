"""What waits to be sent to one open page."""

import asyncio
import json
import time
from collections.abc import Sized
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol, Self
from uuid import UUID

from clusters.live.heard import Scopes

# Above this a page gains nothing from names: it asks for its list.
MOST_KEYS = 500
WHOLE = ""
# Names that wait for one page: who reads so slowly asks for everything.
MOST_WAITING = 5000
# Changes within this many seconds travel together: so many to the only page of a process, which
# costs little, and more with each page and with each row that the last message named, up to the
# most. So a storm is four messages a second, and a single change is still told at once.
COALESCE = 0.03
COALESCE_MORE = 0.001
COALESCE_MOST = 0.25
# A process that has too little of the machine wakes late. Each page that is told asks for rows,
# which would keep it from all else for ever: so pauses grow by so many times the delay, up to
# what a page may wait.
LATE = 0.05
LATE_MORE = 4
LATE_MOST = 4.0

REFRESH = json.dumps({"type": "refresh"})


@dataclass(frozen=True)
class Change:
    """A message of the channel, read once for all pages."""

    topic: str
    cluster: UUID
    # By the namespace in which they are heard of.
    keys: tuple[tuple[str, str | None], ...]
    names: frozenset[str]

    @classmethod
    def read(cls, message: dict[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError for what is no change."""
        keys = tuple((str(key), namespace) for key, namespace in message["keys"])
        names = frozenset(key for key, _namespace in keys)
        return cls(message["topic"], UUID(message["cluster"]), keys, names)

    def heard(self, scopes: Scopes) -> frozenset[str]:
        """What a person may hear of it."""
        if scopes.everything or self.cluster in scopes.clusters:
            return self.names
        return frozenset(key for key, space in self.keys if scopes.hears(self.cluster, space))


class Socket(Protocol):
    """What the hub needs of an open socket."""

    async def send(self, text_data: str, /) -> None: ...


@dataclass(eq=False)
class Subscriber:
    """One open page: its topics, what its person may hear of, and what waits to be sent."""

    socket: Socket
    scopes: Scopes
    topics: frozenset[str] = frozenset()
    # All pages of this process.
    company: Sized = ()
    _changes: dict[tuple[str, UUID], set[str]] = field(default_factory=dict)
    _waiting: int = 0
    _refresh: bool = False
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, change: Change) -> None:
        """Takes what concerns this page. Never waits: what is not yet sent is merged."""
        if change.topic not in self.topics:
            return
        heard = change.heard(self.scopes)
        if not heard:
            return
        keys = self._changes.setdefault((change.topic, change.cluster), set())
        self._waiting -= len(keys)
        keys |= heard
        if len(keys) > MOST_KEYS:
            keys.clear()
            keys.add(WHOLE)
        self._waiting += len(keys)
        if self._waiting > MOST_WAITING:
            self._take()
            self._refresh = True
        self._wake.set()

    def refresh(self) -> None:
        """Something may have been lost: the page must ask for everything."""
        self._refresh = True
        self._wake.set()

    async def pump(self) -> None:
        """Sends what waits, at once when all was quiet, then what came within COALESCE seconds."""
        late = 0.0
        while True:
            await self._wake.wait()
            self._wake.clear()
            pause = self._pause(late)
            for text in self._take():
                await self.socket.send(text)
            until = time.monotonic() + pause
            await asyncio.sleep(pause)
            late = time.monotonic() - until

    def _pause(self, late: float = 0.0) -> float:
        """Seconds until more is sent after what waits now; the last time it was so `late`."""
        names = sum(MOST_KEYS if WHOLE in keys else len(keys) for keys in self._changes.values())
        usual = min(COALESCE + COALESCE_MORE * (len(self.company) + names), COALESCE_MOST)
        return usual + (min(LATE_MORE * late, LATE_MOST) if late > LATE else 0.0)

    def _take(self) -> list[str]:
        changes, refresh = self._changes, self._refresh
        self._changes, self._refresh, self._waiting = {}, False, 0
        if refresh:
            return [REFRESH]
        return [
            _text(topic, cluster, frozenset(keys)) for (topic, cluster), keys in changes.items()
        ]


# Many pages are told the same at the same moment.
@lru_cache(maxsize=256)
def _text(topic: str, cluster: UUID, keys: frozenset[str]) -> str:
    """Without `keys` any row of the topic may have changed."""
    message: dict[str, Any] = {"type": "changed", "topic": topic, "cluster": str(cluster)}
    return json.dumps(message if WHOLE in keys else {**message, "keys": sorted(keys)})
