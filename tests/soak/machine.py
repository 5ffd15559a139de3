"""Whether the machine itself stood still: what every process slept through is nobody's fault."""

import threading
import time
from typing import Self

TICK = 1.0
# Later than this is no busy machine any more. One that was paused for a minute was seen.
STILL = 5.0
# So long after it clusters may look as old as they are.
SETTLES = 20.0


class Machine:
    """A thread that sleeps and looks at the clock; a context."""

    def __init__(self) -> None:
        self.stood: list[tuple[str, float]] = []
        self._woke = float("-inf")
        self._ticked = time.time()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def settles(self) -> bool:
        """Whether it stood still a moment ago, noted or not yet."""
        is_late = time.time() - self._ticked > TICK + STILL
        return is_late or time.monotonic() < self._woke + SETTLES

    def _run(self) -> None:
        while not self._ended.wait(TICK):
            now, before = time.time(), self._ticked
            if now - before > TICK + STILL:
                self._woke = time.monotonic()
                self.stood.append((time.strftime("%X"), round(now - before, 1)))
            self._ticked = now
