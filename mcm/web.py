"""The web process of `manage.py run`: one application, by HTTP and by HTTPS.

    python -m mcm.web PORT HTTPS_PORT STATE_FOLDER

kubectl sends tokens over nothing but TLS. One process for both, since a second one would take as
much memory and as long to start again.
"""

import asyncio
import faulthandler
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mcm.embedded import certificates

LOOK_SECONDS = 3600
# As much as API servers and most servers take, and what is read at once beside it.
LONGEST_HEAD = 256 * 1024
# Pages say a few KB, kubectl 32 KB at once. A message is held in memory until it is whole, and
# unpacked, before anybody looks at it: what is larger closes its socket with 1009.
LARGEST_MESSAGE = 1024 * 1024


class Bounded(HttpToolsProtocol):
    """HTTP whose addresses, headers and trailers have an end: the parser keeps all of them in
    memory, before anybody knows who asks.
    """

    _unread = 0

    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        super().data_received(data)
        if self._unread > LONGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("The address or the headers are too long.")

    def on_headers_complete(self) -> None:
        self._unread = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unread = 0
        super().on_message_complete()


class Beside(uvicorn.Server):
    """A server that leaves the signals to the one that it stands beside."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class _First(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, beside: uvicorn.Server) -> None:
        super().__init__(config)
        self._beside = beside

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._beside.handle_exit(sig, frame)


def configured(port: int, files: certificates.Files | None = None) -> uvicorn.Config:
    """A server on 127.0.0.1, with the certificate of these files."""
    # No access log: the request middleware writes a structured line for each request.
    return uvicorn.Config(
        "mcm.asgi:application",
        host="127.0.0.1",
        port=port,
        lifespan="off",
        http=Bounded,
        ws="websockets-sansio",
        ws_max_size=LARGEST_MESSAGE,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=3,
        ssl_certfile=files.certificate if files else None,
        ssl_keyfile=files.key if files else None,
    )


async def serve(port: int, https_port: int, home: Path) -> None:
    """Until SIGINT or SIGTERM."""
    await asyncio.to_thread(certificates.ensure, home)
    secure = configured(https_port, certificates.files(home))
    beside = Beside(secure)
    first = _First(configured(port), beside)
    renewing = asyncio.create_task(_renew(secure, home))
    # One that cannot listen ends the process: its keeper starts it again, and says so.
    servers = [asyncio.create_task(server.serve()) for server in (first, beside)]
    await asyncio.wait(servers, return_when=asyncio.FIRST_COMPLETED)
    first.should_exit = beside.should_exit = True
    renewing.cancel()
    await asyncio.gather(*servers)


async def _renew(config: uvicorn.Config, home: Path) -> None:
    """Takes a new certificate in time; connections that stand keep theirs."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if await asyncio.to_thread(certificates.ensure, home) and config.ssl is not None:
            files = certificates.files(home)
            config.ssl.load_cert_chain(files.certificate, files.key)


if __name__ == "__main__":
    faulthandler.register(signal.SIGUSR1)
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
