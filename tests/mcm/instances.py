"""A supervisor started as a person would start it, on a state folder and a port of its own."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from mcm.embedded.state import PROJECT

_READY_SECONDS = 200
# What the test run's own servers and settings would leak into the instance under test.
_OURS = ("DATABASE_URL", "REDIS_URL", "MCM_", "DJANGO_", "PYTEST_")


class Run:
    """`manage.py run` in a process group of its own, its lines read as they come."""

    def __init__(self, home: Path, port: int, log: Path, *options: str, **variables: str) -> None:
        self.home, self.port = home, port
        clean = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
        self.log = log
        with log.open("ab") as output:
            self._begin = output.tell()
            self.process = subprocess.Popen(
                [sys.executable, str(PROJECT / "manage.py"), "run", *options],
                env={**clean, **variables, "MCM_HOME": str(home), "MCM_PORT": str(port)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def output(self) -> str:
        return self.log.read_bytes()[self._begin :].decode()

    def until(self, text: str, seconds: float = _READY_SECONDS) -> str:
        """The line that holds the text, when it comes."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for line in self.output().splitlines():
                if text in line:
                    return line
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        pytest.fail(f"no line with {text!r}:\n{self.output()}")

    def stop(self, *, whole_group: bool = False) -> int:
        """SIGTERM, as from an init system, or to the group, as Ctrl-C does it."""
        with suppress(ProcessLookupError):
            send = os.killpg if whole_group else os.kill
            send(self.process.pid, signal.SIGTERM)
        return self.process.wait(60)

    def processes(self) -> dict[int, str]:
        """Everything that carries our state folder in its arguments or environment."""
        wanted, found = str(self.home).encode(), {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                command = (folder / "cmdline").read_bytes()
                if wanted in command or wanted in (folder / "environ").read_bytes():
                    found[int(folder.name)] = command.replace(b"\0", b" ").decode()
        return found

    def until_gone(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert left == {}
