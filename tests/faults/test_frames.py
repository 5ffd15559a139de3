"""Row 29: messages of 32 MB at the sockets of a real web process, which keeps none of them."""

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from mcm.embedded import ports, programs
from mcm.embedded.state import PROJECT
from teams.models import User
from tests.clusters.sockets import cookie_of, in_database
from tests.faults import frames
from tests.faults.conftest import Say
from tests.faults.frames import BINARY, MESSAGES, TEXT, Message, Raw
from tests.faults.processes import Taken, of_this_test
from tests.kubectl.front import Front
from tests.kubectl.test_passing import new_token
from tests.kubectl.test_streams import SHELL, V5, Shells, shell, shells

__all__ = ["shells"]

pytestmark = pytest.mark.django_db(transaction=True)

TOO_BIG = 1009
# So many sockets at once of each kind for each message: twelve times 32 MB; and what the process
# may take for all of them, in MB, buffers of the connections included.
AT_ONCE = 2
MOST_MORE = 40
# Seconds in which others are answered meanwhile.
PROMPT = 2.0


class Web:
    """A web process on the database of this test."""

    def __init__(self, home: Path) -> None:
        self.port, self.https_port = ports.choose(), ports.choose()
        self._log = home / "web.log"
        program = programs.web(home, self.port, self.https_port).arguments
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                program, cwd=PROJECT, env=of_this_test(), stdout=output, stderr=output
            )
        self._home = home

    async def until_ready(self) -> None:
        async with asyncio.timeout(120):
            while not await self.answers("/login/"):  # noqa: ASYNC110 - it cannot call back
                await asyncio.sleep(0.1)
        self.front = Front(self.https_port, self._home)

    async def answers(self, path: str) -> bool:
        """Whether it has the page."""
        assert self.process.poll() is None, self._log.read_text()
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
            answer = await reader.read()
            writer.close()
            return b" 200 " in answer.split(b"\r\n")[0]
        return False

    def taken(self) -> Taken:
        """With the peak since the last time."""
        now = Taken.by(self.process.pid)
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return now


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    made = Web(tmp_path)
    try:
        await made.until_ready()
        yield made
    finally:
        made.process.kill()
        made.process.wait()


Open = Callable[[], AbstractAsyncContextManager[Raw]]


@pytest.fixture
async def live(web: Web, viewer: User) -> Open:
    """Opens the socket of a page."""
    cookie = await in_database(cookie_of)(viewer)
    lines = f"Cookie: sessionid={cookie}", f"Origin: http://127.0.0.1:{web.port}"
    return lambda: frames.opened(web.port, "/ws/live/", *lines)


@pytest.fixture
async def exec_(web: Web, shells: Shells, shop_operator: User) -> Open:
    """Opens the socket of `kubectl exec`."""
    token = await new_token(shop_operator)
    lines = f"Authorization: Bearer {token}", f"Sec-WebSocket-Protocol: {V5}"
    return lambda: frames.opened(web.https_port, SHELL, *lines, tls=web.front.tls)


async def closed_with(opens: Open, message: Message, kind: int) -> int:
    async with asyncio.timeout(30), opens() as there:
        return await there.say(message(kind))


async def pushed(opens: Open, message: Message, kind: int) -> None:
    async with asyncio.timeout(60), opens() as there:
        await there.push(message(kind))


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.__name__)
async def test_29_a_message_of_32_mb_ends_its_socket(
    message: Message, live: Open, exec_: Open, shells: Shells
) -> None:
    assert await closed_with(live, message, TEXT) == TOO_BIG
    assert await closed_with(exec_, message, BINARY) == TOO_BIG
    await asyncio.wait_for(shells.ended.wait(), 5)


async def test_29_many_of_them_take_no_memory_and_nobody_elses_time(
    web: Web, live: Open, exec_: Open, viewer: User, shop_operator: User, shells: Shells, say: Say
) -> None:
    kinds = (live, TEXT), (exec_, BINARY)
    for opens, kind in kinds:  # what is loaded and packed at the first of them is not measured
        await closed_with(opens, frames.deflated, kind)
    cookie = await in_database(cookie_of)(viewer)
    origin = f"http://127.0.0.1:{web.port}"
    page = connect(
        f"ws://127.0.0.1:{web.port}/ws/live/",
        additional_headers={"Cookie": f"sessionid={cookie}", "Origin": origin},
    )
    async with page as kept, shell(web.front, await new_token(shop_operator)) as open_shell:
        web.taken()
        before = web.taken()
        flood = asyncio.gather(
            *(
                pushed(opens, message, kind)
                for opens, kind in kinds
                for message in MESSAGES
                for _ in range(AT_ONCE)
            )
        )
        slowest = 0.0
        while not flood.done():
            began = time.monotonic()
            assert await web.answers("/login/")
            await open_shell.send(b"\x00ls")
            assert await open_shell.recv() == b"\x00ls"
            slowest = max(slowest, time.monotonic() - began)
        await flood
        after = web.taken()
        say(f"{before}, then {after}; others were answered within {slowest:.2f} s")
        assert after.peak - before.megabytes <= MOST_MORE
        assert slowest <= PROMPT
        # It hears of everything, and of the last ping, too.
        async with asyncio.timeout(5):
            while json.loads(await kept.recv())["type"] != "ping":
                continue
