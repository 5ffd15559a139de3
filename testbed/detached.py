"""A fleet in the background: `up`, `down` and `status`."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from testbed.api import ApiError
from testbed.cluster import Cluster
from testbed.process import Process, running
from testbed.supervise import RECORD
from testbed.toolchain import Say

PACKAGE = Path(__file__).parent
STOP_GRACE = 15.0
_spawned: "list[subprocess.Popen[bytes]]" = []


class UpFailed(Exception):
    """The fleet did not start; str(error) holds the end of its output."""


def spawn(
    home: Path, names: Sequence[str], *, until_unused: Path | None = None
) -> "subprocess.Popen[bytes]":
    """Start `serve` detached from this terminal and process; its lines go to a log file."""
    command = [sys.executable, "-m", "testbed", "serve", "--home", str(home.absolute())]
    command += ["--clusters", ",".join(names)]
    if until_unused is not None:
        command += ["--until-unused", str(until_unused)]
    log = log_path(home)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=PACKAGE.parent,
            start_new_session=True,
        )
    # Kept: a Popen that is forgotten while its process runs complains.
    _spawned.append(server)
    return server


def log_path(home: Path) -> Path:
    """Where a detached fleet writes its lines."""
    return home / "log" / "serve.log"


def up(home: Path, names: Sequence[str], *, say: Say, until_unused: Path | None = None) -> None:
    """Start the fleet and return when it is ready; nothing happens when it runs. UpFailed."""
    if owner(home) is not None:
        say("the fleet runs already")
        await_ready(home)
        return
    server = spawn(home, names, until_unused=until_unused)
    with log_path(home).open() as lines:
        while server.poll() is None and not is_ready(home):
            # Bounded by the life of `serve`, which bounds every step of its own.
            time.sleep(0.1)
            for line in lines:
                say(line.rstrip("\n"))
    if server.poll() is not None:
        raise UpFailed(log_path(home).read_text()[-2000:])


def await_ready(home: Path) -> None:
    """Wait for a fleet that another process starts. UpFailed when it ends before."""
    while not is_ready(home):
        if owner(home) is None:
            raise UpFailed(log_path(home).read_text()[-2000:])
        time.sleep(0.1)


def owner(home: Path) -> Process | None:
    """The process that runs the fleet of this home folder."""
    return running(home / "run" / f"{RECORD}.json")


def is_ready(home: Path) -> bool:
    """Whether the fleet of this home folder said that it is ready."""
    return (home / "run" / "ready").exists()


def down(home: Path, *, say: Say) -> None:
    """Stop exactly what was started in this home folder; data stays."""
    process = owner(home)
    if process is not None:
        say("the fleet stops")
        process.end(STOP_GRACE)
    # What a fleet that was killed has left; a reused pid is not in the records' identity.
    for record in sorted((home / "run").glob("*.json")):
        left = running(record)
        if left is not None:
            say(f"{record.stem} is left over and is ended")
            left.end(grace=2)
        record.unlink(missing_ok=True)
    say("nothing runs any more")


def status(home: Path, names: Sequence[str], *, say: Say) -> bool:
    """Print a table; true when all clusters are ready."""
    say("CLUSTER    STATE    VERSION   NODES   PODS   MEMORY  KUBECONFIG")
    states = [_row(Cluster(name, home), say) for name in names]
    return all(states)


def _row(cluster: Cluster, say: Say) -> bool:
    ready = cluster.ready()
    version, nodes, pods = "-", "-", "-"
    if ready:
        try:
            version = cluster.api.get("/version")["gitVersion"]
            nodes = str(sum(1 for _ in cluster.api.items("/api/v1/nodes")))
            pods = str(sum(1 for _ in cluster.api.items("/api/v1/pods")))
        except (ApiError, OSError):
            ready = False
    memory = sum(_memory(cluster))
    state = "ready" if ready else "starting" if memory else "down"
    say(
        f"{cluster.name:10} {state:8} {version:9} {nodes:>5} {pods:>6} {memory >> 20:>5} MB"
        f"  {cluster.kubeconfig_path}"
    )
    return ready


def _memory(cluster: Cluster) -> Iterator[int]:
    """Resident bytes of each of its processes."""
    for child in cluster.children:
        process = child.process
        if process is not None:
            pages = Path(f"/proc/{process.pid}/statm").read_text().split()[1]
            yield int(pages) * 4096
