"""MCM's own processes, as the supervisor starts them."""

import signal
import sys
from pathlib import Path

from mcm.embedded import state
from mcm.embedded.processes import Program

# A worker for each queue, so that none waits behind another's work: polls wait for clusters (of
# which half may hang), so they take threads; Helm's work gets processes, few since it is heavy; a
# tick is done in a moment and must come in time.
_POOLS = {
    "ticks": ("threads", 2),
    "poll": ("threads", 16),
    "releases": ("prefork", 2),
    "operations": ("prefork", 2),
}
QUEUES = tuple(_POOLS)


def web(home: Path, port: int, https_port: int) -> Program:
    return _python("web", "mcm.web", str(port), str(https_port), str(home))


def worker(queue: str) -> Program:
    options = ["--queues", queue, "--hostname", f"{queue}@%h", "--loglevel", "INFO"]
    pool, places = _POOLS[queue]
    options += ["--pool", pool, "--concurrency", str(places)]
    options += ["--without-gossip", "--without-mingle"]
    # Its gentler ends wait for a broker that ends at the same time; jobs are durable rows.
    return _python(
        f"worker-{queue}", "celery", "-A", "mcm", "worker", *options, orphaned=signal.SIGKILL
    )


def beat(home: Path) -> Program:
    schedule = ["--schedule", str(home / "beat"), "--pidfile="]
    return _python("beat", "celery", "-A", "mcm", "beat", "--loglevel", "INFO", *schedule)


def watcher() -> Program:
    arguments = [sys.executable, str(state.PROJECT / "manage.py"), "watch_clusters"]
    return Program(name="watcher", arguments=arguments)


def fleet(home: Path) -> Program:
    return _python("fleet", "testbed", "serve", "--home", str(home / "fleet"))


def _python(
    name: str, module: str, *arguments: str, orphaned: signal.Signals = signal.SIGTERM
) -> Program:
    command = [sys.executable, "-m", module, *arguments]
    return Program(name=name, arguments=command, orphaned=orphaned)
