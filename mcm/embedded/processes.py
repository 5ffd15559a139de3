"""Programs that end with us, and finding those that outlived a killed supervisor."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from mcm.embedded import child

# In the environment of every process of an instance: its state folder.
MARK = "MCM_SUPERVISED"


@dataclass(frozen=True, kw_only=True)
class Program:
    """How to start one program, how to ask it to end, and what it gets when its parent dies."""

    name: str
    arguments: Sequence[str]
    stop: signal.Signals = signal.SIGTERM
    orphaned: signal.Signals = signal.SIGTERM
    identity: str = "self"
    environment: Mapping[str, str] = field(default_factory=dict)

    def command(self) -> list[str]:
        prefix = [sys.executable, "-I", "-S", child.__file__]
        return [*prefix, str(os.getpid()), str(int(self.orphaned)), self.identity, *self.arguments]

    def start(self, log: Path) -> subprocess.Popen[bytes]:
        """Starts it in a session of its own, its output appended to the log."""
        with log.open("ab") as output:
            return subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )


def started(pid: int) -> int | None:
    """The process's start in clock ticks since boot: with it, a pid names one process for ever."""
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def record(home: Path, running: Mapping[str, int]) -> None:
    """Remembers the running programs for a start after a crash."""
    rows = {name: [pid, started(pid)] for name, pid in running.items()}
    fresh = home / "processes.json.new"
    fresh.write_text(json.dumps(rows))
    fresh.replace(home / "processes.json")


def leftovers(home: Path) -> set[int]:
    """Processes of an earlier run on this state folder that still live.

    They are known by pid and start time, by the session that such a process led, or by the mark
    in their environment (PostgreSQL and Valkey overwrite theirs, hence the other two).
    """
    leaders: dict[int, int | None] = {}
    with suppress(OSError, ValueError):
        rows = json.loads((home / "processes.json").read_text())
        leaders = dict(rows.values())
    # A pid is not given out again while a session of that number lives.
    sessions = {pid for pid, start in leaders.items() if started(pid) in (start, None)}
    mark = f"{MARK}={home}".encode()
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        pid = int(folder.name)
        fields = _stat(pid)
        if pid == os.getpid() or not fields or fields[0] == "Z":
            continue
        if leaders.get(pid, -1) == int(fields[19]) or int(fields[3]) in sessions:
            found.add(pid)
            continue
        with suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.add(pid)
    return found


def sweep(home: Path, *, patience: float) -> int:
    """Ends what an earlier run left: those that do not end by themselves in time are killed."""
    handles = {}
    for pid in leftovers(home):
        with suppress(ProcessLookupError):
            handles[pid] = os.pidfd_open(pid)
    _wait(handles.values(), patience)
    for handle in handles.values():
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    _wait(handles.values(), 5)
    for handle in handles.values():
        os.close(handle)
    (home / "processes.json").unlink(missing_ok=True)
    return len(handles)


def _wait(handles: Iterable[int], seconds: float) -> None:
    """Until all these processes have ended, or the time is over."""
    waiting = select.poll()
    left = set(handles)
    for handle in left:
        waiting.register(handle, select.POLLIN)
    deadline = time.monotonic() + seconds
    while left and (remaining := deadline - time.monotonic()) > 0:
        for handle, _ in waiting.poll(remaining * 1000):
            waiting.unregister(handle)
            left.discard(handle)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state letter on; empty when the process is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()
