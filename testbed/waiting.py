"""Waiting for what cannot call back: the readiness of another process."""

import threading
import time
from collections.abc import Callable

_INTERVAL = 0.1
_closing = threading.Event()


class NotReady(Exception):
    """Something did not become ready in time, or cannot any more."""


def wait_until(check: Callable[[], bool], what: str, *, timeout: float) -> None:
    """Return once `check` is true; raises NotReady after `timeout` seconds or when we close."""
    end = time.monotonic() + timeout
    while not check():
        if time.monotonic() > end:
            raise NotReady(f"{what} was not ready after {timeout:.0f} s")
        if _closing.wait(_INTERVAL):
            raise NotReady(f"{what} is not waited for: the fleet stops")


def close() -> None:
    """From now on nothing is waited for and nothing is started in this process."""
    _closing.set()


def closing() -> bool:
    """Whether `close` was called."""
    return _closing.is_set()
