"""Runs one program to its end: its own process group, limits, a deadline, lines as they come."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from deployments.helm.errors import HelmCancelled, HelmFailed, HelmKilled, HelmMissing, HelmTimedOut
from deployments.helm.lines import Lines

OnLine = Callable[[str], None]
Cancelled = Callable[[], bool]

MEMORY: Final = 2 << 30
ANSWER: Final = 64 << 20
_CHILD: Final = Path(__file__).with_name("child.py")
_TICK: Final = 0.2
_CHUNK: Final = 1 << 16
_NO_MEMORY: Final = ("out of memory", "cannot allocate memory", "failed to reserve")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use. `memory` is address space: Go reserves more of it than it touches."""

    memory: int = MEMORY
    cpu_seconds: int = 600
    file_size: int = 256 << 20
    open_files: int = 256
    answer: int = ANSWER
    grace: float = 5.0

    def as_argument(self) -> str:
        """Return the limits as `child.py` reads them."""
        return (
            f"RLIMIT_AS={self.memory},RLIMIT_CPU={self.cpu_seconds},RLIMIT_FSIZE={self.file_size},"
            f"RLIMIT_NOFILE={self.open_files},RLIMIT_CORE=0"
        )


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that ended by itself. `answer` is its stdout when it was asked to be kept apart."""

    code: int
    seconds: float
    tail: tuple[str, ...]
    answer: bytes = b""


def nothing(_line: str) -> None:
    """Take a line and drop it."""


def never() -> bool:
    """Say that nobody cancelled."""
    return False


def run(  # noqa: PLR0913
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    on_line: OnLine = nothing,
    deadline: float,
    cancelled: Cancelled = never,
    limits: Limits | None = None,
    keep_stdout: bool = False,
    cwd: Path | None = None,
) -> Finished:
    """Run a program; every line goes to `on_line` at once, without control characters.

    In: the argument list (first an absolute path), the whole environment, seconds until the hard
    end, a question asked five times a second; with `keep_stdout` only stderr makes lines and stdout
    comes back in `answer`. Out: `Finished`, whatever the exit code.
    Errors: `HelmTimedOut`, `HelmCancelled` (both after SIGTERM, a grace, SIGKILL to the group),
    `HelmKilled` (a signal or the memory limit), `HelmFailed` (the answer is too large),
    `HelmMissing`. Nothing of the group is alive afterwards, even if `on_line` raises.
    """
    limits = limits or Limits()
    start = time.monotonic()
    process = _start(argv, env, limits, keep_stdout, cwd)
    job = _Job(process, Lines(on_line), limits, keep_stdout)
    try:
        job.follow(start + deadline, cancelled)
    except BaseException:
        job.stop()
        raise
    finally:
        job.end()
    finished = Finished(
        process.returncode, time.monotonic() - start, job.lines.tail(), bytes(job.answer)
    )
    _check(finished, job.lines.fatal, limits)
    return finished


def _start(
    argv: Sequence[str | Path],
    env: Mapping[str, str],
    limits: Limits,
    keep_stdout: bool,
    cwd: Path | None,
) -> subprocess.Popen[bytes]:
    if not os.access(argv[0], os.X_OK):
        raise HelmMissing(f"{argv[0]} is not a program that can be run")
    command = [sys.executable, "-I", "-S", _CHILD, str(os.getpid()), limits.as_argument(), *argv]
    return subprocess.Popen(
        command,
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if keep_stdout else subprocess.STDOUT,
        start_new_session=True,
    )


def _check(finished: Finished, fatal: str, limits: Limits) -> None:
    """Raise when the end was not the program's own will."""
    if finished.code < 0:
        number = -finished.code
        raise HelmKilled(f"ended by {_signal_name(number)}", number)
    if finished.code and any(words in fatal for words in _NO_MEMORY):
        raise HelmKilled(f"out of memory: the limit is {limits.memory >> 20} MiB")


def _signal_name(number: int) -> str:
    why = {signal.SIGKILL: " (the machine was short of memory, or someone killed it)"}
    why[signal.SIGXCPU] = " (the limit of processor time)"
    why[signal.SIGXFSZ] = " (the limit of file size)"
    try:
        known = signal.Signals(number)
    except ValueError:
        return f"signal {number}"
    return known.name + why.get(known, "")


class _Job:
    """One running child: reads it, decides when it must end, ends its whole group."""

    def __init__(
        self, process: subprocess.Popen[bytes], lines: Lines, limits: Limits, keep_stdout: bool
    ) -> None:
        self.process = process
        self.lines = lines
        self.limits = limits
        self.answer = bytearray()
        self._apart = process.stdout if keep_stdout else None
        self._selector = selectors.DefaultSelector()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                self._selector.register(pipe, selectors.EVENT_READ)

    def follow(self, deadline: float, cancelled: Cancelled) -> None:
        """Read until the child has ended, or it must end."""
        asked = -_TICK
        while not self._ended():
            self._read(_TICK)
            self._check_answer()
            now = time.monotonic()
            if now >= deadline:
                raise HelmTimedOut("stopped: it did not end in the time allowed")
            if now - asked >= _TICK:
                asked = now
                if cancelled():
                    raise HelmCancelled
        self._drain()
        self._check_answer()

    def stop(self) -> None:
        """Ask politely (Helm then marks the release as failed), wait for the grace."""
        self._signal(signal.SIGTERM)
        end = time.monotonic() + self.limits.grace
        while not self._ended() and time.monotonic() < end:
            with suppress(Exception):  # a broken listener was told of already
                self._read(_TICK)

    def end(self) -> None:
        """Leave nothing behind: group, zombie, pipes, last line."""
        self._signal(signal.SIGKILL)
        self.process.wait()
        try:
            self._drain()
            self.lines.finish()
        finally:
            self._selector.close()
            for pipe in (self.process.stdout, self.process.stderr):
                if pipe is not None:
                    pipe.close()

    def _ended(self) -> bool:
        # WNOWAIT leaves the zombie, so the group's number cannot pass to a stranger before end().
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.process.pid, flags) is not None

    def _signal(self, number: signal.Signals) -> None:
        if self.process.returncode is not None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def _drain(self) -> None:
        while self._read(0):
            pass

    def _read(self, wait: float) -> bool:
        """Read once what is there; False when nothing was."""
        if not self._selector.get_map():
            time.sleep(min(wait, 0.01))  # pipes closed, the process not yet gone
            return False
        some = False
        for key, _ in self._selector.select(wait):
            pipe: IO[bytes] = key.fileobj  # type: ignore[assignment]
            data = _take(pipe)
            if data == b"":
                self._selector.unregister(pipe)
            elif data:
                some = True
                self._keep(pipe, data)
        return some

    def _keep(self, pipe: IO[bytes], data: bytes) -> None:
        if pipe is not self._apart:
            self.lines.feed(data)
        elif len(self.answer) <= self.limits.answer:
            self.answer += data

    def _check_answer(self) -> None:
        if len(self.answer) > self.limits.answer:
            raise HelmFailed(f"the answer is larger than {self.limits.answer >> 20} MiB")


def _take(pipe: IO[bytes]) -> bytes | None:
    """Return what is there, b"" at the end, None when nothing is."""
    try:
        return os.read(pipe.fileno(), _CHUNK)
    except BlockingIOError:
        return None
