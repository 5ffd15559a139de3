"""Becomes a program that ends with its parent: `child.py PARENT SIGNAL IDENTITY PROGRAM ...`.

IDENTITY is `self`, `map:UID:GID` (seen as that user inside a user namespace, still ourselves
outside: PostgreSQL refuses to run as root) or `drop:UID:GID` (really becomes that user).
A script of its own, started with `-I -S`: it stands between fork and exec of every program, where
the supervisor's own Python code would not be safe to run.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _become(identity: str) -> None:
    how, *numbers = identity.split(":")
    if how == "self":
        return
    user, group = (int(number) for number in numbers)
    if how == "map":
        outer_user, outer_group = os.geteuid(), os.getegid()
        # os.unshare exists since Python 3.12 only.
        _checked(_libc.unshare(CLONE_NEWUSER))
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {outer_user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {outer_group} 1")
    else:
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)


def die_with_parent(number: int) -> None:
    """From now on the end of the parent sends us this signal, however the parent ends."""
    _checked(_libc.prctl(PR_SET_PDEATHSIG, number))


def main(parent: str, death: str, identity: str, *program: str) -> None:
    _become(identity)
    # After the change of identity, which would clear it.
    die_with_parent(int(death))
    if os.getppid() != int(parent):
        sys.exit("the parent has ended")
    # Python ignores these two, and what is ignored stays ignored across exec.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.execv(program[0], program)  # noqa: S606 (no shell is the point)


if __name__ == "__main__":
    main(*sys.argv[1:])
