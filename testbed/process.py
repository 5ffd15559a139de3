"""Child processes that never outlive us, and records of them that never name a stranger.

A record (`HOME/run/NAME.json`) holds a pid and an identity made of boot and start time, so a
pid that was used again by another program is recognised and left alone.
"""

import ctypes
import json
import os
import random
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from testbed.waiting import NotReady, closing

PR_SET_PDEATHSIG = 1
# Below the ports that the kernel hands out for outgoing connections: a stopped fleet finds its
# ports again.
PORTS = range(20000, 32000)

_libc = ctypes.CDLL(None, use_errno=True)
_ports_lock = threading.Lock()
# The kernel ends a child when the *thread* that started it ends: one thread starts them all.
_spawner = ThreadPoolExecutor(1, thread_name_prefix="spawner")


class StillRunning(Exception):
    """A process of this name runs already."""


@dataclass(frozen=True)
class Process:
    """A process by pid and identity, ours or another's."""

    pid: int
    identity: str

    @classmethod
    def of(cls, pid: int) -> "Process":
        """The process that has `pid` now."""
        return cls(pid, identity(pid) or "gone")

    @property
    def alive(self) -> bool:
        """Whether exactly this process still runs."""
        return identity(self.pid) == self.identity

    def signal(self, number: int) -> bool:
        """Send a signal to exactly this process; False when it is gone."""
        descriptor = self.open()
        if descriptor is None:
            return False
        try:
            signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(descriptor)
        return True

    def wait(self, timeout: float) -> bool:
        """Wait for its end; False when it still runs after `timeout` seconds."""
        descriptor = self.open()
        if descriptor is None:
            return True
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            return bool(poll.poll(timeout * 1000))
        finally:
            os.close(descriptor)

    def open(self) -> int | None:
        """A pidfd of exactly this process (readable at its end; close it); None when gone."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return None
        # Compared after opening: from here on the descriptor cannot mean another process.
        if self.alive:
            return descriptor
        os.close(descriptor)
        return None

    def end(self, grace: float) -> None:
        """SIGTERM, and SIGKILL after `grace` seconds. Works on a paused process too."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        if not self.wait(grace):
            self.signal(signal.SIGKILL)
            self.wait(5)


@dataclass
class Child:
    """One named program of a fleet: started here, or found by its record."""

    name: str
    command: Sequence[str]
    home: Path
    _popen: "subprocess.Popen[bytes] | None" = None

    @property
    def record(self) -> Path:
        """The file that names its process."""
        return self.home / "run" / f"{self.name}.json"

    @property
    def log(self) -> Path:
        """The file of its output."""
        return self.home / "log" / f"{self.name}.log"

    @property
    def process(self) -> Process | None:
        """Its running process, by the record."""
        return running(self.record)

    def start(self) -> None:
        """Start it; raises StillRunning when its record names a running process."""
        if self.process is not None:
            raise StillRunning(self.name)
        if closing():
            raise NotReady(f"{self.name} is not started: the fleet stops")
        self._popen = _spawner.submit(self._spawn).result()
        write_record(self.record, self._popen.pid)

    def stop(self, grace: float = 2.0) -> None:
        """End it and forget it; nothing happens when it does not run."""
        process = self.process
        if process is not None:
            process.end(grace)
        self.reap()
        self.record.unlink(missing_ok=True)

    @property
    def ours(self) -> bool:
        """Whether it was started by this process."""
        return self._popen is not None

    def said(self) -> str:
        """The end of its output."""
        return self.log.read_text(errors="replace")[-1500:] if self.log.exists() else ""

    def reap(self) -> None:
        """Collect the exit code when it was started here and has ended."""
        if self._popen is not None:
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(1)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            return subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.home,
                env=clean_environment(),
                # Ctrl-C goes to the whole group of a terminal; the order of the end is ours.
                start_new_session=True,
                preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - one thread forks
            )


def identity(pid: int) -> str | None:
    """Boot and start time of the process that has `pid`; None when gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return None if fields[0] in "ZX" else f"{boot}:{fields[19]}"


def running(record: Path) -> Process | None:
    """The process that a record names, if exactly that one still runs."""
    try:
        known = json.loads(record.read_text())
        process = Process(int(known["pid"]), str(known["identity"]))
    except (FileNotFoundError, ValueError, KeyError):
        return None
    return process if process.alive else None


def write_record(record: Path, pid: int) -> None:
    """Record the process that has `pid` now."""
    record.parent.mkdir(parents=True, exist_ok=True)
    process = Process.of(pid)
    unfinished = record.with_suffix(f".{os.getpid()}")
    unfinished.write_text(json.dumps({"pid": process.pid, "identity": process.identity}))
    unfinished.rename(record)


def clean_environment() -> dict[str, str]:
    """What a program of the fleet sees: no proxies, no secrets of whoever started us."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/", "LANG": "C.UTF-8"}


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Ports:
    """Ports by name, kept in a file: a second start takes the same ones where still free."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def of(cls, home: Path) -> "Ports":
        """The ports of a fleet's home folder."""
        return cls(home / "ports.json")

    def known(self, name: str) -> int:
        """The port that `name` has now; raises NotReady when it never had one."""
        try:
            return int(json.loads(self._path.read_text())[name])
        except (FileNotFoundError, KeyError) as error:
            raise NotReady(f"{name} has no port: the cluster was never started") from error

    def take(self, names: Sequence[str]) -> dict[str, int]:
        """A free port for each name."""
        with _ports_lock:
            return self._take(names)

    def _take(self, names: Sequence[str]) -> dict[str, int]:
        kept: dict[str, int] = json.loads(self._path.read_text()) if self._path.exists() else {}
        for name in names:
            port = kept.get(name)
            if port is None or not is_free(port):
                used = set(kept.values())
                kept[name] = next(p for p in _shuffled() if p not in used and is_free(p))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_suffix(f".{os.getpid()}")
        unfinished.write_text(json.dumps(kept, indent=1))
        unfinished.rename(self._path)
        return {name: kept[name] for name in names}


def _shuffled() -> list[int]:
    # Random, so that two fleets that start at once rarely meet.
    return random.sample(PORTS, len(PORTS))


def _die_with(parent: int) -> Callable[[], None]:
    """What runs between fork and exec: it may neither import nor take a lock."""

    def die_with_parent() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return die_with_parent
