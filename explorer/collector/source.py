"""One container's log, followed over its ends and over broken connections, each line once."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from django.utils.translation import gettext_noop

from clusters.kube.logs import Line
from explorer.collector.sight import Options, Pod

FIRST_WAIT = 1.0
LONGEST_WAIT = 15.0
CONTAINER_ENDED = gettext_noop("The container ended. Its log goes on when it starts again.")
POD_ENDED = gettext_noop("The container ended.")
GONE = gettext_noop("The pod is gone, or its logs may no longer be read.")


class State(StrEnum):
    OPENING = "opening"
    OPEN = "open"
    WAITING = "waiting"
    ENDED = "ended"
    FAILED = "failed"
    LEFT = "left"


@dataclass(eq=False)
class Source:
    """`container` is "" until the containers of the pod are known."""

    number: int
    pod: Pod
    container: str = ""
    state: State = State.OPENING
    why: str = ""
    # The moment of the last line, and how many lines had it.
    last: str = ""
    same: int = 0
    wait: float = FIRST_WAIT
    _skip: tuple[str, int] = field(default=("", 0))

    def begin(self, options: Options) -> tuple[datetime | None, int | None]:
        """Since when the log must be read (again), and how many lines of its end at most."""
        if not self.last:
            if options.since is not None:
                self._skip = (moment(options.since), 0)
            return options.since, options.tail
        self._skip = (self.last, self.same)
        return datetime.fromisoformat(self.last[:19] + "Z"), None

    def fresh(self, lines: Iterable[Line]) -> list[Line]:
        """Those lines that were not there before."""
        found = []
        for line in lines:
            at, left = self._skip
            if line.at and at:
                if line.at < at:
                    continue
                if line.at == at and left:
                    self._skip = (at, left - 1)
                    continue
            self.same = self.same + 1 if line.at == self.last else 1
            self.last = line.at or self.last
            found.append(line)
        return found

    def pause(self) -> float:
        """Seconds until the next try; more each time until `rested` is called."""
        wait, self.wait = self.wait, min(self.wait * 2, LONGEST_WAIT)
        return wait * random.uniform(0.8, 1.2)  # noqa: S311 - spreads them

    def rested(self) -> None:
        self.wait = FIRST_WAIT


def moment(when: datetime) -> str:
    """As `Line.at`."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
