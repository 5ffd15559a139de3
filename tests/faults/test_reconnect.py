"""Row 30: the web process is killed, and 500 pages come back to the next one."""

import asyncio
import os
import random
import re
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import quantiles
from typing import Any

import pytest
import requests

from bench.instance import OURS, Product
from bench.web import Connection, Refused, Socket, open_all
from clusters.live import TURN, UNTIL_CALM
from mcm.embedded.state import PROJECT
from testbed.replay import PODS, Server, objects
from tests.faults.conftest import Say

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

PAGES = 500
MANY = 2000
LIST = "/pods/"
PASSWORD = "correct-horse-battery"  # of the platform admin of `Product`
# People who sign in meanwhile, one after the other, so many seconds apart.
SIGN_IN_EVERY = 0.5
# All are live again so many seconds after the web process answers again: the last wait before a
# try, and a turn for each page.
BACK = 30.0 + UNTIL_CALM + PAGES * TURN
PROMPT = 2.0


def constant(name: str) -> float:
    """Seconds of a constant of the pages' script."""
    script = (PROJECT / "static" / "live.js").read_text()
    found = re.search(rf"^const {name} = (\d+);", script, re.M)
    assert found, name
    return int(found[1]) / 1000


FETCH = 15.0  # a page waits no longer for its list
SILENCE, MAX_WAIT = constant("SILENCE"), constant("MAX_WAIT")
# tests/browser/test_reconnecting.py has the real script keep to it.
FIRST_WAIT = 0.5


class _Socket(Socket):
    """One that tells when it was lost, as a browser's does."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        super().__init__(port, "/ws/live/", headers)
        self.lost = asyncio.Event()
        self.said_at = time.monotonic()
        self.hello = asyncio.Event()
        self.after = 0.0
        self.heard = self._note

    def _note(self, message: dict[str, Any]) -> None:
        self.said_at = time.monotonic()
        if message["type"] == "hello":
            self.after = message["after"]
            self.hello.set()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.lost.set()

    def close(self) -> None:
        self.lost.set()
        if self._opened.done() and self._opened.exception() is None:
            super().close()


class Page:
    """An open list of pods, by the rules of static/live.js."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._port, self._headers = port, headers
        self._attempt = 0
        self.socket = _Socket(port, headers)
        self.waits = False
        self.tries: list[float] = []
        # Seconds that each list took which was asked for after coming back.
        self.lists: list[float] = []

    @property
    def is_live(self) -> bool:
        fresh = time.monotonic() - self.socket.said_at < SILENCE
        is_open = self.socket.hello.is_set() and not self.socket.lost.is_set()
        return is_open and fresh and not self.waits

    def watch(self) -> None:
        self.socket.say({"watch": {"topics": ["pods", "clusters"]}})

    async def live(self) -> None:
        """Keeps it live for ever; it is open already."""
        while True:
            await self._until_lost()
            self._attempt += 1
            limit = min(MAX_WAIT, FIRST_WAIT * 2**self._attempt)
            await asyncio.sleep(random.uniform(0, limit))
            self.tries.append(time.monotonic())
            self.socket, self.waits = _Socket(self._port, self._headers), True
            try:
                await self.socket.open()
                self.watch()
                await asyncio.wait_for(self.socket.hello.wait(), SILENCE)
            except (OSError, Refused):
                self.socket.close()
                continue
            self._attempt = 0
            await self._catch_up()

    async def _catch_up(self) -> None:
        """Asks for the list when it is the page's turn, unless the socket is lost before."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._until_lost(), self.socket.after)
        if not self.socket.lost.is_set():
            self.waits = False
            with suppress(OSError, Refused):
                await self._fetch()

    async def _until_lost(self) -> None:
        while not self.socket.lost.is_set():
            left = self.socket.said_at + SILENCE - time.monotonic()
            if left <= 0:
                self.socket.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.socket.lost.wait(), max(left, 0.01))

    async def _fetch(self) -> None:
        began = time.monotonic()
        connection = Connection(self._port, {**self._headers, "HX-Request": "true"})
        try:
            await asyncio.wait_for(connection.get(LIST), FETCH)
        finally:
            connection.close()
            self.lists.append(time.monotonic() - began)


def sign_in(url: str) -> float:
    """Seconds of the whole sign-in, from the form to the page behind it."""
    began = time.monotonic()
    with requests.Session() as browser:
        browser.get(f"{url}/login/", timeout=30)
        headers = {"X-CSRFToken": str(browser.cookies["csrftoken"])}
        form = {"login": "admin", "password": PASSWORD}
        answer = browser.post(f"{url}/login/", form, headers=headers, timeout=30)
        assert answer.status_code == 200
        assert answer.url == f"{url}/"
    return time.monotonic() - began


@pytest.fixture
def product(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Product]:
    """MCM with the pods of one cluster."""
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)  # those of the tests' own servers
    with Server(seed=seed) as server:
        server.at(PODS).put(*(objects.pod(f"pod-{number:04d}") for number in range(MANY)))
        with Product(tmp_path / "mcm") as made:
            made.register({"one": server.kubeconfig()})
            deadline = time.monotonic() + 120
            while made.pods() < MANY:
                assert time.monotonic() < deadline, made.pods()
                time.sleep(0.2)  # the database cannot call back
            sign_in(made.url)  # the first one compiles the templates
            yield made


def p95(times: list[float]) -> float:
    return quantiles(times, n=20)[-1] if len(times) > 1 else float("inf")


async def test_30_five_hundred_pages_come_back_at_once(product: Product, say: Say) -> None:
    origin = f"http://127.0.0.1:{product.port}"
    headers = {"Cookie": f"sessionid={product.cookie('admin')}", "Origin": origin}
    pages = [Page(product.port, headers) for _ in range(PAGES)]
    await open_all([page.socket for page in pages])
    for page in pages:
        page.watch()
    await live_again(pages, 30)
    keeping = [asyncio.create_task(page.live()) for page in pages]
    signed: list[float] = []
    before = product.pid("web")
    os.kill(before, signal.SIGKILL)
    killed = time.monotonic()
    await asyncio.to_thread(until_answers, product.url)
    answered = time.monotonic()
    keeping.append(asyncio.create_task(sign_in_again_and_again(product.url, signed)))
    try:
        with suppress(TimeoutError):
            await live_again(pages, BACK)
        back, there = time.monotonic() - answered, sum(page.is_live for page in pages)
    finally:
        for task in keeping:
            task.cancel()
        ended = await asyncio.gather(*keeping, return_exceptions=True)
    lists = [seconds for page in pages for seconds in page.lists]
    tries = [at - answered for page in pages for at in page.tries]
    a_second = max(sum(n <= at < n + 1 for at in tries) for n in range(round(BACK)))
    say(
        f"web away for {answered - killed:.1f} s, {there} of {PAGES} pages live {back:.1f} s later,"
        f" at most {a_second} tries a second; p95 of {len(lists)} lists {p95(lists):.2f} s, of"
        f" {len(signed)} sign-ins {p95(signed):.2f} s"
    )
    assert product.pid("web") != before
    assert {type(each) for each in ended} == {asyncio.CancelledError}, ended
    assert there == PAGES
    assert len(lists) >= PAGES
    assert p95(lists) < PROMPT
    assert p95(signed) < PROMPT
    # Not all at once.
    assert a_second < PAGES / 2


async def live_again(pages: list[Page], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not all(page.is_live for page in pages):  # noqa: ASYNC110 - many tell
            await asyncio.sleep(0.05)


async def sign_in_again_and_again(url: str, into: list[float]) -> None:
    while True:
        into.append(await asyncio.to_thread(sign_in, url))
        await asyncio.sleep(SIGN_IN_EVERY)


def until_answers(url: str) -> None:
    """Until the next web process has come up; the supervisor tells nobody here."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(requests.ConnectionError):
            if requests.get(f"{url}/healthz", timeout=5).status_code == 200:
                return
        time.sleep(0.02)
    pytest.fail("the web process did not come back")
