"""`python -m testbed.replay`: a replay server as a process of its own.

Its first line is JSON with `url`, `ca`, `token` and `pid`. Each line of the input is a command,
answered by a line of JSON when it is done: `churn COUNT` makes so many changes of the pods at once,
`storm RATE SECONDS` makes them at a rate, `requests` counts what was asked.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from testbed.api import Json
from testbed.replay import PODS, TOKEN, Server, objects
from testbed.replay.collection import Collection
from testbed.replay.objects import Thing


def main(arguments: list[str] | None = None) -> int:
    """Serve until the end of the input."""
    options = _parser().parse_args(arguments)
    with Server(seed=options.seed) as server:
        server.at("/api/v1/nodes").put(*map(objects.node, _names("node", options.nodes)))
        server.at(PODS).put(*_pods(options.pods, options.recorded))
        known = {"url": server.url, "ca": server.ca, "token": TOKEN, "pid": os.getpid()}
        print(json.dumps(known), flush=True)
        for line in sys.stdin:
            print(json.dumps(_obey(server, line.split())), flush=True)
    return 0


def _obey(server: Server, words: list[str]) -> Json:
    """What was done, when that ended (time.monotonic), and our CPU seconds so far."""
    pods = server.at(PODS)
    match words:
        case ["churn", count]:
            done = _churn(pods, int(count))
        case ["storm", rate, seconds]:
            done = pods.storm(float(rate), float(seconds))
        case ["requests"]:
            done = len(server.requests)
        case _:
            return {"error": f"unknown: {' '.join(words)}"}
    return {"done": done, "at": time.monotonic(), "cpu": time.process_time()}


def _churn(pods: Collection, count: int) -> int:
    pods.put(*pods.churn(count))
    return count


def _pods(count: int, folder: Path | None) -> list[Thing]:
    """Small made ones, or copies of the recorded ones in a folder."""
    if folder is None:
        return [objects.pod(name) for name in _names("pod", count)]
    raws = [file.read_bytes() for file in sorted(folder.iterdir())]
    return objects.copies("Pod", raws, count)


def _names(stem: str, count: int) -> list[str]:
    return [f"{stem}-{number:05d}" for number in range(count)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m testbed.replay", description=__doc__)
    parser.add_argument("--pods", type=int, default=0)
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--recorded", type=Path, help="a folder of recorded pods to copy")
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    sys.exit(main())
