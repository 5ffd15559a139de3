"""The real watcher as a process of its own, and what it takes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection

from mcm.embedded.state import PROJECT


@dataclass(frozen=True)
class Taken:
    """What a process holds at a moment, and the seconds of CPU time that it has taken so far."""

    megabytes: float
    peak: float
    descriptors: int
    threads: int
    cpu: float

    @classmethod
    def by(cls, pid: int | str = "self") -> "Taken":
        """Read from /proc."""
        folder = Path(f"/proc/{pid}")
        lines = (folder / "status").read_text().splitlines()
        facts = dict(line.split(":", 1) for line in lines if ":" in line)
        # User and system time are the 14th and 15th field; the 2nd, in brackets, may hold blanks.
        times = (folder / "stat").read_text().rpartition(")")[2].split()[11:13]
        return cls(
            int(facts["VmRSS"].split()[0]) / 1024,
            int(facts["VmHWM"].split()[0]) / 1024,
            len(list((folder / "fd").iterdir())),
            int(facts["Threads"]),
            sum(map(int, times)) / os.sysconf("SC_CLK_TCK"),
        )


def of_this_test() -> dict[str, str]:
    """The environment of a process of MCM that works on the database of this test."""
    address = urlsplit(os.environ["DATABASE_URL"])._replace(
        path=f"/{connection.settings_dict['NAME']}"
    )
    return {
        **os.environ,
        "DATABASE_URL": address.geturl(),
        "DJANGO_SETTINGS_MODULE": "mcm.settings",
    }


@contextmanager
def watcher(log: Path) -> Iterator[int]:
    """`manage.py watch_clusters` on the database of this test; gives its pid."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(PROJECT / "manage.py"), "watch_clusters"],
            env=of_this_test(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield process.pid
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        process.wait(60)
