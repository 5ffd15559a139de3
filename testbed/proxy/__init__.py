"""A TCP proxy whose network fails on command.

TLS passes through untouched, so certificates for 127.0.0.1 stay valid. In tests: `with
Proxy(port) as proxy: proxy.cut()`. By hand: `python -m testbed.proxy PORT`, then a mode a line.
"""

import asyncio
import socket
import time
from contextlib import suppress
from typing import Self

from testbed.looping import LoopThread
from testbed.proxy.link import MODES, Link, Mode, State

__all__ = ["MODES", "Mode", "Proxy", "State"]

BACKLOG = 512
# Connections that wait in a queue of length 0 before the kernel drops what else comes.
FILLERS = 2


class Proxy:
    """Listens on a free `port` of 127.0.0.1 and connects to the port `target` there.

    A switch holds for open and for new connections; it returns the moment (time.monotonic) at
    which it was in force.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.state = State()
        self.accepted = 0
        self._links: dict[Link, asyncio.Task[None]] = {}
        self._thread = LoopThread("proxy")
        self._fillers: list[socket.socket] = []
        self._listener = _bound(0)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._thread.start()
        self._thread.run(self._switch(State()))
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.run(self._switch(State("cut")))
        self._thread.stop()
        self._listener.close()

    @property
    def url(self) -> str:
        """The address of the API server as seen through this proxy."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def open(self) -> int:
        """How many connections are open now."""
        return len(self._links)

    def flow(self) -> float:
        """Everything passes."""
        return self.set("pass")

    def delay(self, milliseconds: float) -> float:
        """Every byte takes so long, in each direction."""
        return self.set("delay", milliseconds)

    def drip(self, bytes_a_second: float) -> float:
        """Answers come so slowly."""
        return self.set("drip", bytes_a_second)

    def truncate(self, size: int) -> float:
        """Each connection ends after `size` bytes of answers from now on."""
        return self.set("truncate", size)

    def cut(self) -> float:
        """Open connections are reset, new ones are refused."""
        return self.set("cut")

    def black_hole(self) -> float:
        """Nothing is answered, not even a connection's first packet; what is sent is swallowed."""
        return self.set("black-hole")

    def half_open(self) -> float:
        """Connections stay open and are made, but nobody reads or writes at the other end."""
        return self.set("half-open")

    def set(self, mode: Mode, amount: float = 0.0) -> float:
        """Any of these by its name."""
        self._thread.run(self._switch(State(mode, amount)))
        return time.monotonic()

    def reset(self) -> None:
        """Reset what is open now, whatever the mode."""
        self._thread.run(self._reset())

    async def _switch(self, state: State) -> None:
        before, self.state = self.state, state
        self._stop_accepting()
        if state.mode == "cut" or before.mode == "black-hole":
            await self._reset()  # what was swallowed is missing from the streams
        for link in self._links:
            link.switched()
        if state.mode == "cut":
            # Bound but not listening: the kernel refuses, and nobody else takes the port.
            self._listener.close()
            self._listener = _bound(self.port)
        elif state.mode == "black-hole":
            self._listener.listen(0)
            self._fill()
        else:
            self._listener.listen(BACKLOG)
            self._thread.loop.add_reader(self._listener, self._accept)

    def _stop_accepting(self) -> None:
        while self._fillers:
            self._fillers.pop().close()
        self._thread.loop.remove_reader(self._listener)

    def _fill(self) -> None:
        for _ in range(FILLERS):
            filler = socket.socket()
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect(("127.0.0.1", self.port))
            self._fillers.append(filler)

    def _accept(self) -> None:
        with suppress(BlockingIOError, ConnectionAbortedError):
            client, _ = self._listener.accept()
            client.setblocking(False)
            self.accepted += 1
            self._start(client)

    def _start(self, client: socket.socket) -> None:
        server = socket.socket()
        server.setblocking(False)
        link = Link(lambda: self.state, client, server)
        task = self._links[link] = asyncio.create_task(link.run(self.target))
        task.add_done_callback(lambda _: self._end(link))

    def _end(self, link: Link) -> None:
        del self._links[link]
        link.close()

    async def _reset(self) -> None:
        links = dict(self._links)
        for link, task in links.items():
            link.reset()
            task.cancel()
        await asyncio.gather(*links.values(), return_exceptions=True)


def _bound(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setblocking(False)
    made.bind(("127.0.0.1", port))
    return made
