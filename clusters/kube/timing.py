"""The times of a watch, and the pauses after failures."""

import random
import time

import msgspec

from clusters.kube import errors


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """All in seconds. The defaults are client-go's Reflector's where it has the same."""

    connect: float = 10.0
    """From the name look-up to the answer's headers."""
    silence: float = 90.0
    """Without one whole event; the API server sends a bookmark about once a minute."""
    sync: float = 180.0
    """For the first state of a WatchList stream; afterwards a plain list is tried."""
    page: float = 60.0
    """For one page of a plain list."""
    relist: float = 600.0
    """A whole list this often (±20 %), whatever the watch says: watches have lost events."""
    watch: float = 600.0
    """A watch request ends by itself after half of this to all of it, at random."""
    first_pause: float = 0.8
    longest_pause: float = 30.0
    """Pauses double from the first to the longest, of each a random upper half is kept."""
    healthy: float = 120.0
    """A stream that lived this long starts the pauses anew."""
    longest_retry_after: float = 300.0
    """What a server may ask for at most."""


DEFAULT = Timing()


def spread(seconds: float, share: float) -> float:
    """`seconds`, more or less by up to `share` of it: what starts together must not stay so."""
    return seconds * random.uniform(1 - share, 1 + share)  # noqa: S311 - no secret is made of it


class Silent(errors.TimedOut):
    """No event for too long on a stream that worked: legal, but perhaps dead."""


class Pauses:
    """How long to wait before the next attempt."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._failures = 0
        self._silences = 0
        self._started = 0.0

    def start(self) -> None:
        """An attempt begins."""
        self._started = time.monotonic()

    def after(self, failure: errors.KubeError | None) -> float:
        """Seconds to wait after the attempt; 0 after a regular end. None: the server ended it."""
        timing = self._timing
        if time.monotonic() - self._started >= timing.healthy:
            self._failures = 0
            if failure is None:
                return 0
        self._silences = self._silences + 1 if isinstance(failure, Silent) else 0
        if self._silences == 1:
            return 0
        longest = min(timing.first_pause * 2.0**self._failures, timing.longest_pause)
        self._failures = min(self._failures + 1, 16)
        pause = spread(longest * 0.75, 1 / 3)
        wanted = getattr(failure, "retry_after", None) or 0.0
        return max(pause, min(wanted, timing.longest_retry_after))


class Patience:
    """How long one stream may still be silent.

    Only whole events count: a server may drip bytes for ever.
    """

    def __init__(self, timing: Timing) -> None:
        self._silence = timing.silence
        self._sync_ends = time.monotonic() + timing.sync
        self._heard = time.monotonic()

    def renew(self) -> None:
        """A whole event came in."""
        self._heard = time.monotonic()

    def left(self, relist_at: float | None) -> float:
        """Seconds until the stream is given up; `relist_at` is None until the first state is in."""
        limit = self._sync_ends if relist_at is None else relist_at
        return min(self._heard + self._silence, limit) - time.monotonic()
