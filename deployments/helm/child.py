"""Runs in the child before Helm: sets what only the process itself can set, then becomes Helm.

A separate file, started by the interpreter without site packages, because `preexec_fn` is not
safe in a process with threads. Arguments: parent's pid, limits (NAME=VALUE,…), the program, its
arguments. Imports little: its start is paid by every call.
"""

import ctypes
import os
import resource
import sys
from typing import NoReturn

PR_SET_PDEATHSIG = 1
SIGKILL = 9


def main(parent: str, limits: str, program: str, *arguments: str) -> NoReturn:
    """Die with the parent, obey the limits, become the program."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL)
    if os.getppid() != int(parent):  # it died before prctl could tell
        sys.exit(1)
    for limit in limits.split(","):
        name, _, text = limit.partition("=")
        kind, value = getattr(resource, name), int(text)
        _, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(kind, (value, value))
    os.execve(program, [program, *arguments], os.environ)  # noqa: S606  no shell is the point


if __name__ == "__main__":
    main(*sys.argv[1:])
