"""`python -m testbed build|up|down|status|serve`."""

import argparse
import os
import sys
from pathlib import Path

from testbed import detached
from testbed.build import CLUSTER_PROGRAMS, PROGRAMS, BuildFailed, ensure
from testbed.fleet import DEMO
from testbed.process import StillRunning
from testbed.supervise import InUse, serve
from testbed.toolchain import MissingGo
from testbed.waiting import NotReady

EXPECTED = (MissingGo, BuildFailed, InUse, NotReady, StillRunning, detached.UpFailed)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code (0 good, 1 failed, 3 not everything is ready)."""
    options = _parser().parse_args(arguments)
    home = options.home.absolute()
    names = options.clusters.split(",")
    try:
        if options.command == "build":
            for path in ensure(options.programs or CLUSTER_PROGRAMS, say=say).values():
                say(str(path))
        elif options.command == "up":
            detached.up(home, names, say=say)
        elif options.command == "down":
            detached.down(home, say=say)
        elif options.command == "serve":
            serve(home, names, say=say, until_unused=options.until_unused)
        elif not detached.status(home, names, say=say):
            return 3
    except EXPECTED as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def say(line: str) -> None:
    """One line for humans, at once."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our lines is gone; that is no reason to leave clusters half started.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m testbed", description=__doc__)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--home", type=Path, default=Path(".run/fleet"))
    shared.add_argument("--clusters", default=",".join(DEMO))
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", parents=[shared], help="build the programs")
    build.add_argument("programs", nargs="*", metavar="PROGRAM", help=", ".join(PROGRAMS))
    commands.add_parser("up", parents=[shared], help="start in the background")
    commands.add_parser("down", parents=[shared], help="stop what `up` started")
    commands.add_parser("status", parents=[shared], help="what runs")
    run = commands.add_parser("serve", parents=[shared], help="run in the foreground")
    run.add_argument("--until-unused", type=Path, help="stop when nobody locks this file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
