"""Starting programs, and what they use: time, CPU and memory, from the kernel's own books."""

import json
import math
import os
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from mcm.embedded.processes import Program

TICK = os.sysconf("SC_CLK_TCK")
MB = 1024.0


class NotSaid(Exception):
    """A program ended or stayed silent; str(error) holds the end of its output."""


class Running:
    """A program that ends with us. Those that say something write JSON, an object a line."""

    def __init__(
        self,
        command: Sequence[object],
        log: Path,
        environment: Mapping[str, str] | None = None,
        *,
        identity: str = "self",
    ) -> None:
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.is_file():
            log.unlink()
        words = [str(word) for word in command]
        program = Program(
            name=log.stem, arguments=words, environment=environment or {}, identity=identity
        )
        self._began = time.monotonic()
        self._process = program.start(log)
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def said(self) -> list[dict[str, Any]]:
        """Every object said so far."""
        lines = self.log.read_text(errors="replace").split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def wait_for(self, key: str, seconds: float = 120) -> dict[str, Any]:
        """The first object that has `key`, when it comes. Raises NotSaid."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found.extend(row for row in self.said() if key in row)
            if not found and self._process.poll() is not None:
                raise NotSaid(f"{self.log.stem} ended: {self._end()}")
            return bool(found)

        until(look, f"{self.log.stem} saying {key!r}", seconds)
        return found[0]

    @property
    def usage(self) -> "Usage":
        """What it and its children have used so far."""
        return usage(self.pid)

    def finish(self, seconds: float = 300) -> "Finished":
        """Waits for its end. Raises NotSaid when it failed."""
        deadline = time.monotonic() + seconds
        while True:
            pid, status, used = os.wait4(self.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                raise NotSaid(f"{self.log.stem} did not end in {seconds:.0f} s")
            time.sleep(0.005)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        if self._process.returncode:
            raise NotSaid(f"{self.log.stem} failed: {self._end()}")
        wall = time.monotonic() - self._began
        return Finished(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / MB)

    def stop(self, seconds: float = 15) -> None:
        """SIGTERM, then SIGKILL; nothing happens when it has ended."""
        if self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _end(self) -> str:
        return self.log.read_text(errors="replace")[-1500:] if self.log.is_file() else "no output"


@dataclass(frozen=True)
class Finished:
    """A program that has ended: seconds, CPU seconds, the most memory it ever had in MB."""

    wall: float
    cpu: float
    peak: float


@dataclass(frozen=True)
class Usage:
    """CPU in seconds of a process and its children, alive or not; memory in MB, peak of itself."""

    cpu: float
    rss: float
    pss: float
    peak: float


def usage(pid: int) -> Usage:
    """What a process and its children have used so far."""
    pids = family(pid)
    memory = [_memory(each) for each in pids]
    return Usage(
        sum(_cpu(each) for each in pids),
        sum(each["Rss"] for each in memory) / MB,
        sum(each["Pss"] for each in memory) / MB,
        _status(pid).get("VmHWM", 0.0) / MB,
    )


def family(pid: int) -> list[int]:
    """A process and all its descendants that live."""
    found = [pid]
    for each in found:
        try:
            for task in Path(f"/proc/{each}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return found


def _cpu(pid: int) -> float:
    """User and system time, with that of children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICK


def _memory(pid: int) -> dict[str, float]:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return {"Rss": 0.0, "Pss": 0.0}
    return {
        name: float(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)
    }


def _status(pid: int) -> dict[str, float]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":")[::2] for line in lines if line.endswith(" kB"))
    return {name: float(rest.split()[0]) for name, rest in pairs}


def until(check: Callable[[], bool], what: str, seconds: float, every: float = 0.01) -> None:
    """Returns once `check` is true. Raises NotSaid after `seconds`."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            raise NotSaid(f"{what}: not within {seconds:.0f} s")
        time.sleep(every)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0..1) of the values lie; nan when there are none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def exponent(costs: Mapping[int, float]) -> float:
    """The power of the size with which the cost grows: 1 is linear. A line through the logs.

    nan where a quick look made all sizes the same.
    """
    if len(costs) < 2:
        return math.nan
    sizes = [math.log(size) for size in costs]
    return statistics.linear_regression(sizes, [math.log(cost) for cost in costs.values()]).slope
