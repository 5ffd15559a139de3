"""Real servers that take what is forwarded: syslog over UDP, TCP and TLS, and a webhook."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PATIENCE = 20


class Syslog:
    """What was received: the frames of each connection that ended, in order."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.frames: list[bytes] = []
        # Set: takes connections, reads nothing, and resets them.
        self.rude = False


@contextmanager
def tcp(certificate: tuple[Path, Path] | None = None) -> Iterator[Syslog]:
    """A server that reads frames of counted octets to the end of each connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        seen = Syslog(server.getsockname()[1])
        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
        ended = threading.Event()

        def serve() -> None:
            while True:
                peer, _address = server.accept()
                if ended.is_set():
                    peer.close()
                    return
                _take(peer, context, seen)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield seen
        finally:
            ended.set()
            socket.create_connection(("127.0.0.1", seen.port)).close()
            thread.join(PATIENCE)


def _take(peer: socket.socket, context: ssl.SSLContext | None, seen: Syslog) -> None:
    peer.settimeout(PATIENCE)
    try:
        if seen.rude:
            # Ends with a reset: nothing of what was sent has been read.
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            return
        with context.wrap_socket(peer, server_side=True) if context else peer as stream:
            received = b""
            while data := stream.recv(65536):
                received += data
            seen.frames += frames(received)
            if isinstance(stream, ssl.SSLSocket):
                stream.unwrap().close()
    except OSError:
        pass  # who does not trust the certificate leaves
    finally:
        peer.close()


def frames(received: bytes) -> list[bytes]:
    """RFC 6587, octet counting: each message after its length and a space."""
    found = []
    while received:
        length, _, rest = received.partition(b" ")
        found.append(rest[: int(length)])
        assert len(found[-1]) == int(length), "a frame was cut off"
        received = rest[int(length) :]
    return found


@contextmanager
def udp() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(PATIENCE)
        yield server


class Hooked:
    """What a webhook received, and what it answers."""

    def __init__(self) -> None:
        self.status = 200
        self.port = 0
        self.calls: list[tuple[dict[str, str], bytes]] = []


@contextmanager
def webhook() -> Iterator[Hooked]:
    hooked = Hooked()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hooked.calls.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(hooked.status)
            if hooked.status == 302:
                self.send_header("Location", f"http://127.0.0.1:{hooked.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hooked.port = server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield hooked
        finally:
            server.shutdown()
            thread.join(PATIENCE)
