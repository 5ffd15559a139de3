"""Syslog of RFC 5424 over UDP (RFC 5426), TCP (RFC 6587, counted octets) or TLS (RFC 5425).

Over TCP and TLS, lines count as taken when the server has read our end of the connection and ended
its own: a write that the kernel took is no sign that anybody read it. UDP gives no sign at all.
"""

import json
import os
import re
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from teams.clients.errors import Undelivered

PORTS = {"udp": 514, "tcp": 601, "tls": 6514}
# Seconds for each step with the server.
PATIENCE = 5.0
# Of one datagram; many servers cut off what is longer.
LARGEST_DATAGRAM = 8192
_FACILITY = 13  # log audit
_NOTICE, _WARNING = 5, 4
# The number of MCM's structured data: RFC 5612 keeps it for examples and private use.
_DATA = "mcm@32473"


@dataclass(frozen=True)
class Server:
    """Where to; `ca_file` holds the certificates that a server's is checked against."""

    protocol: str
    host: str
    port: int
    ca_file: str = ""


def message(line: Mapping[str, Any], *, host: str = "", largest: int = 0) -> bytes:
    """One line as a syslog message: the chain's facts as structured data, the whole as JSON."""
    priority = _FACILITY * 8 + (_NOTICE if line["result"] == "done" else _WARNING)
    name = _name(host or socket.gethostname(), 255)
    facts = {key: line[key] for key in ("seq", "hash", "who", "address", "result", "cluster")}
    data = " ".join(f'{key}="{_quoted(value)}"' for key, value in facts.items() if value)
    head = f"<{priority}>1 {_time(line['at'])} {name} mcm {os.getpid()} {_name(line['action'], 32)}"
    start = f"{head} [{_DATA} {data}] \ufeff".encode()
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode()
    if largest and len(start) + len(text) > largest:
        short = {k: v for k, v in line.items() if k not in {"detail", "before", "after"}}
        text = json.dumps({**short, "shortened": True}, ensure_ascii=False).encode()
    return (start + text)[: largest or None]


def send(server: Server, lines: Sequence[Mapping[str, Any]]) -> None:
    """Sends the lines in order. Raises Undelivered."""
    try:
        if server.protocol == "udp":
            _datagrams(server, lines)
        else:
            _stream(server, lines)
    except ssl.SSLCertVerificationError as error:
        raise Undelivered(f"its certificate is not accepted: {error.verify_message}") from error
    except TimeoutError as error:
        raise Undelivered(f"{server.host}:{server.port} does not answer in time") from error
    except OSError as error:
        raise Undelivered(f"{server.host}:{server.port}: {error.strerror or error}") from error


def _datagrams(server: Server, lines: Sequence[Mapping[str, Any]]) -> None:
    kind = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(kind[0], socket.SOCK_DGRAM) as out:
        out.settimeout(PATIENCE)
        out.connect(kind[4])
        for line in lines:
            out.send(message(line, largest=LARGEST_DATAGRAM))


def _stream(server: Server, lines: Sequence[Mapping[str, Any]]) -> None:
    frames = []
    for line in lines:
        text = message(line)
        frames.append(b"%d %s" % (len(text), text))
    with socket.create_connection((server.host, server.port), timeout=PATIENCE) as plain:
        if server.protocol == "tcp":
            plain.sendall(b"".join(frames))
            plain.shutdown(socket.SHUT_WR)
            _until_closed(plain)
            return
        trust = ssl.create_default_context(cafile=server.ca_file or None)
        with trust.wrap_socket(plain, server_hostname=server.host) as out:
            out.sendall(b"".join(frames))
            try:
                out.unwrap().close()
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                return  # it has read our end, and closed without saying so in TLS
            except ssl.SSLError as error:
                raise Undelivered(f"TLS: {error.reason or error}") from error


def _until_closed(out: socket.socket) -> None:
    """Reads until the server ends the connection, too: then it has read all of ours."""
    while out.recv(4096):
        pass


def _time(at: str) -> str:
    return at.replace("+00:00", "Z")


def _name(text: str, most: int) -> str:
    """As the head of a message allows names: printable ASCII without spaces."""
    return re.sub(r"[^!-~]", "-", text)[:most] or "-"


def _quoted(value: object) -> str:
    return re.sub(r'(["\\\]])', r"\\\1", str(value))
