"""MCM's reading of a watch alone, in a process of its own: `python -m bench.reading EVENTS LAST`.

The connection comes on stdin, as `bench.inside` gives it. Nothing is stored.
"""

import json
import signal
import sys
import time

import uvloop

from clusters.kube import policy, watch
from clusters.kube.kinds import KINDS
from clusters.kube.types import SERVICE_ACCOUNT, Connection


async def main(connection: Connection, events: int, last: int) -> None:
    """Says what the list took, then what the changes took until the version `last` was a row.

    Versions, not rows, are waited for: changes of one pod that come together are one row.
    """
    began, used = time.monotonic(), time.process_time()
    async for event in watch.follow(connection, SERVICE_ACCOUNT, KINDS["Pod"]):
        match event:
            case watch.Listed():
                say("pods", len(event.rows), began, used)
                began, used = time.monotonic(), time.process_time()
            case watch.Changed() if int(event.version) >= last:
                say("updates", events, began, used)
                return
            case watch.Lost():
                raise event.error


def say(what: str, n: int, began: float, used: float) -> None:
    """One JSON object as a line, at once."""
    took = {"wall": time.monotonic() - began, "cpu": time.process_time() - used}
    sys.stdout.write(json.dumps({what: n, **took}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    policy.use([policy.parse("127.0.0.0/8")])  # test clusters listen on this machine
    uvloop.run(main(Connection.load(sys.stdin.buffer.read()), *map(int, sys.argv[1:])))
    signal.pause()
