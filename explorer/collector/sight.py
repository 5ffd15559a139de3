"""What a reader may read now, as the rest of MCM tells it: asked again every few seconds."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from clusters.kube.types import Connection, Identity
from clusters.live.sockets import Threads

# Of their own: who opens many logs must not keep the database from others.
ask = Threads("mcm-logs").ask


class Options(NamedTuple):
    """Which part of the logs; `container` "" means all ordinary ones. `since` beside `follow`."""

    container: str = ""
    follow: bool = True
    previous: bool = False
    tail: int | None = None
    since: datetime | None = None


class Pod(NamedTuple):
    """A pod whose logs may be read."""

    key: int
    cluster: UUID
    cluster_name: str
    environment: str
    namespace: str
    name: str
    uid: str


class Way(NamedTuple):
    """As whom a cluster is asked, by which of its connections; `why` says why not at all."""

    identity: Identity | None
    version: int
    why: str = ""


class Sight(NamedTuple):
    """The pods that are read, by cluster the way to them, and how many others there are: more than
    are read at once (`left_out`), and seen without the right to their logs (`withheld`).
    """

    pods: tuple[Pod, ...]
    ways: Mapping[UUID, Way]
    left_out: int = 0
    withheld: int = 0


class Eyes(NamedTuple):
    """The two questions to the database, each raising `access.Ended` where the answer is no more.

    `reader` names the person, for whom open logs are counted.
    """

    reader: object
    look: Callable[[], Sight]
    connection: Callable[[UUID], Connection]
