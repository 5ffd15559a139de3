"""TCP ports of 127.0.0.1: which are free, and who holds one."""

import secrets
import socket
from pathlib import Path

from mcm.embedded.errors import StartError

# Below Linux's range for outgoing connections, so that none of those sits on a remembered port.
_CHOICE = range(20_000, 32_000)
_LISTEN = "0A"


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose(*, taken: set[int] | None = None) -> int:
    """A free port, not one of those taken."""
    for _ in range(100):
        port = secrets.choice(_CHOICE)
        if port not in (taken or set()) and is_free(port):
            return port
    raise StartError("no free port found between 20000 and 32000 on 127.0.0.1")


def holder(port: int) -> str:
    """The process that listens on the port, as `name (pid N)`; empty when it cannot be seen."""
    sockets = {f"socket:[{inode}]" for inode in _listening(port)}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(descriptor.readlink()) in sockets:
                process = descriptor.parent.parent
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
        except OSError:
            continue
    return ""


def _listening(port: int) -> set[str]:
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        try:
            rows = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes
