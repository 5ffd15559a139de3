"""What a request gets instead of the truth."""

import random
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

# A plain list, a streaming list (first the whole state), a watch from a version, anything else.
Asks = Literal["list", "stream", "watch", "other"]


@dataclass(slots=True)
class Request:
    """What came in; `status` is what was answered, 0 for nothing.

    `at` and `ended` are time.monotonic: of its arrival, and of the end of the answer or the
    connection, whichever was first; 0 while it is under way.
    """

    at: float
    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""
    status: int = 0
    ended: float = 0.0

    @property
    def path(self) -> str:
        """Without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The last value of each parameter."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def asks(self) -> Asks:
        """What for; only the paths of collections are lists."""
        query = self.query
        if query.get("watch") in ("1", "true"):
            return "stream" if "sendInitialEvents" in query else "watch"
        parts = self.path.strip("/").split("/")
        depth = 3 if parts[0] == "api" else 4
        return "list" if self.method == "GET" and len(parts) in (depth, depth + 2) else "other"

    @property
    def protobuf(self) -> bool:
        """Whether the answer may be protobuf."""
        return "protobuf" in self.headers.get("accept", "")


@dataclass(frozen=True)
class Refuse:
    """An HTTP status with a Status object."""

    status: int
    message: str = ""
    retry_after: int = 0


@dataclass(frozen=True)
class ErrorEvent:
    """A watch that says an ERROR event and ends."""

    status: int
    message: str = ""


@dataclass(frozen=True)
class Hang:
    """Nothing is ever answered; the request ends when the client leaves."""


@dataclass(frozen=True)
class Close:
    """The connection ends without an answer."""


@dataclass(frozen=True)
class End:
    """A whole answer without content: a watch that ends at once."""


@dataclass(frozen=True)
class Broken:
    """The head of an answer and these bytes; then the connection ends."""

    data: bytes


Answer = Refuse | ErrorEvent | Hang | Close | End | Broken


@dataclass
class Rule:
    """Whom a fault meets: requests of `path` (or all) that ask for one of `on` (or anything).

    `share` of them by chance, and at most `times` in all.
    """

    answer: Answer
    path: str = ""
    on: tuple[Asks, ...] = ()
    share: float = 1.0
    times: int | None = None
    met: int = field(default=0, init=False)

    def meets(self, request: Request, chance: random.Random) -> bool:
        """Whether this request gets it; counts."""
        if self.times is not None and self.met >= self.times:
            return False
        if (self.path and request.path != self.path) or (self.on and request.asks not in self.on):
            return False
        if chance.random() >= self.share:
            return False
        self.met += 1
        return True
