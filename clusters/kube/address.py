"""Where a server's name leads: looked up once, each address checked, the checked one connected."""

import ipaddress
import socket
import threading
import time
from queue import Empty, SimpleQueue
from typing import NamedTuple
from urllib.parse import urlsplit

from clusters.kube import errors, policy
from clusters.kube.types import Connection


class Endpoint(NamedTuple):
    """The parts of a server's URL; `server_name` is what its certificate must be made for."""

    host: str
    port: int
    path: str
    server_name: str

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def endpoint(connection: Connection) -> Endpoint:
    """Where to connect for this connection."""
    parts = urlsplit(connection.server)
    host = parts.hostname or ""
    name = connection.tls_server_name or host
    return Endpoint(host, parts.port or 443, parts.path.rstrip("/"), name.rstrip("."))


def is_literal(host: str) -> bool:
    """Whether `host` is an address and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def checked(found: list[str], port: int) -> list[str]:
    """The addresses of a name; Unreachable when there is none, AddressRefused when the policy
    forbids any of them: which one is connected is not ours to choose.
    """
    if not found:
        raise errors.Unreachable("The host name of the cluster is not known.")
    for each in found:
        policy.check(each, port)
    return list(dict.fromkeys(found))


def resolve(host: str, port: int, until: float) -> list[str]:
    """The checked addresses of `host`; TimedOut past `until` (time.monotonic).

    A name takes a thread of its own: the resolver cannot be interrupted, only left behind.
    """
    if is_literal(host):
        return checked([host], port)
    answer: SimpleQueue[list[str] | OSError] = SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.put([str(each[4][0]) for each in found])
        except (OSError, UnicodeError) as error:
            answer.put(error if isinstance(error, OSError) else OSError("not a host name"))

    threading.Thread(target=look_up, name="mcm-resolve", daemon=True).start()
    try:
        found = answer.get(timeout=max(0.001, until - time.monotonic()))
    except Empty:
        raise errors.TimedOut("The host name of the cluster could not be looked up.") from None
    if isinstance(found, OSError):
        raise errors.Unreachable("The host name of the cluster is not known.") from found
    return checked(found, port)


def check(connection: Connection, deadline: float = 10.0) -> list[str]:
    """The addresses that the connection's server has now; KubeError as `resolve`.

    For programs that connect by themselves: right before they start, nothing less will do.
    """
    at = endpoint(connection)
    return resolve(at.host, at.port, time.monotonic() + deadline)


def connect(host: str, port: int, until: float) -> socket.socket:
    """A TCP connection to the first address that answers; its timeout is what is left of `until`.

    Raises KubeError or OSError (the last address's).
    """
    failure: OSError = TimeoutError("the deadline has passed")
    for address in resolve(host, port, until):
        left = until - time.monotonic()
        if left <= 0:
            break
        try:
            made = socket.create_connection((address, port), left)
        except OSError as error:
            failure = error
            continue
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.settimeout(max(0.001, until - time.monotonic()))
        return made
    raise failure


def keep_alive(made: socket.socket) -> None:
    """Lets the kernel find a dead peer of a silent stream within half a minute."""
    options = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 30000}
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in options.items():
        if hasattr(socket, name):  # each system has its own choice of them
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
