"""The process that owns a fleet: starts it, restarts what dies, and stops it in order."""

import fcntl
import os
import select
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO

from testbed import waiting
from testbed.fleet import Fleet
from testbed.process import Child, write_record
from testbed.toolchain import Say

TICK = 1.0
RECORD = "serve"


class Stopped(BaseException):
    """A signal asked us to stop. Not an Exception: nothing on the way may swallow it."""


class InUse(Exception):
    """Another process owns the fleet of this home folder."""


def serve(home: Path, names: Sequence[str], *, say: Say, until_unused: Path | None = None) -> None:
    """Run the fleet until SIGTERM or SIGINT, or until nobody holds the lock `until_unused`.

    Lines for humans go to `say`; one of them is "fleet ready". Raises InUse.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    home.mkdir(parents=True, exist_ok=True)
    with _owned(home):
        fleet = Fleet(home, names)
        ready = home / "run" / "ready"
        try:
            ready.unlink(missing_ok=True)
            began = time.monotonic()
            fleet.start(say=say)
            ready.write_text(",".join(names))
            say(f"ready after {time.monotonic() - began:.1f} s")
            say("fleet ready")
            _watch(fleet, say, until_unused)
        except Stopped:
            say("fleet stops")
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            waiting.close()
            ready.unlink(missing_ok=True)
            fleet.stop()


def unused(path: Path) -> IO[str] | None:
    """The exclusive lock on `path` (keep the file open) when nobody else holds it."""
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _stop(_number: int, _frame: FrameType | None) -> None:
    waiting.close()
    raise Stopped


@contextmanager
def _owned(home: Path) -> Iterator[None]:
    (home / "run").mkdir(exist_ok=True)
    lock = unused(home / "run" / "serve.lock")
    if lock is None:
        raise InUse(f"a fleet runs in {home} already")
    record = home / "run" / f"{RECORD}.json"
    write_record(record, os.getpid())
    try:
        yield
    finally:
        record.unlink(missing_ok=True)
        lock.close()


def _watch(fleet: Fleet, say: Say, until_unused: Path | None) -> None:
    while True:
        _wait_for_an_end(fleet.children)
        for child in fleet.children:
            if child.process is None and not fleet.held(child):
                say(f"{child.name} ended: starting it again")
                child.reap()
                child.start()
        fleet.grow_logs()
        if until_unused is not None:
            lock = unused(until_unused)
            if lock is not None:
                # Kept open to the end: a new user waits until everything has stopped.
                _locks.append(lock)
                say("nobody uses the fleet any more")
                return


_locks: list[IO[str]] = []


def _wait_for_an_end(children: Sequence[Child]) -> None:
    """Return when one of the processes ends, at the latest after a tick."""
    processes = [process for process in (child.process for child in children) if process]
    descriptors = [found for found in (process.open() for process in processes) if found]
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    began = time.monotonic()
    poll.poll(TICK * 1000)
    for descriptor in descriptors:
        os.close(descriptor)
    _pause_if_early(began)


def _pause_if_early(began: float) -> None:
    """A program that dies at every start must not be started hundreds of times a second."""
    if time.monotonic() - began < TICK / 10:
        select.poll().poll(TICK * 500)
