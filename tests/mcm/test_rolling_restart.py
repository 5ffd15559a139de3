"""Web processes that are replaced one after the other, under load: nobody is told of it.

In front stands what balancers do by themselves (nginx: `proxy_next_upstream error`): they ask the
other process where nobody listens, and where a connection is reset before an answer, as those are
that wait in the queue of a socket that closes; the latter only with what may be asked twice.
"""

import http.client
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest

from mcm.embedded import ports, programs
from mcm.embedded.state import PROJECT


class Web:
    """One web process, as `manage.py run` starts it."""

    def __init__(self, home: Path) -> None:
        home.mkdir()
        self.home = home  # its certificate is there
        self.port, self.https_port = ports.choose(), ports.choose()
        self.answered = 0
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        quiet = subprocess.DEVNULL
        program = programs.web(self.home, self.port, self.https_port).arguments
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "mcm.settings"}
        return subprocess.Popen(program, cwd=PROJECT, env=environment, stdout=quiet, stderr=quiet)

    def listens(self) -> bool:
        try:
            return ask(self.port) == 200
        except OSError:
            return False

    def replace(self) -> int:
        """Ends it as a supervisor does, and starts it again once it is gone: what it ended with."""
        self.process.send_signal(signal.SIGTERM)
        ended = self.process.wait(60)
        self.process = self._start()
        return ended


def ask(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/login/")
        return connection.getresponse().status
    finally:
        connection.close()


def until(check: Callable[[], bool], seconds: float) -> None:
    """Another process cannot call back when it is ready."""
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


@contextmanager
def load(webs: list[Web]) -> Iterator[list[str]]:
    """Four who ask without a pause; what failed of it, in words."""
    failed: list[str] = []
    over = threading.Event()

    def one(first: int) -> None:
        turn = cycle(range(len(webs)))
        for _ in range(first):
            next(turn)
        while not over.is_set():
            failed.extend(_balanced([webs[next(turn)], webs[next(turn)]]))
            next(turn)

    asking = [threading.Thread(target=one, args=(n,)) for n in range(4)]
    for thread in asking:
        thread.start()
    try:
        yield failed
    finally:
        over.set()
        for thread in asking:
            thread.join(60)


def _balanced(order: list[Web]) -> list[str]:
    for web in order:
        try:
            status = ask(web.port)
        except (ConnectionRefusedError, ConnectionResetError):
            continue
        except OSError as error:
            return [f"{web.port}: {error!r}"]
        web.answered += 1
        return [] if status == 200 else [f"{web.port}: {status}"]
    return ["nobody listened"]


@pytest.mark.timeout(400)
def test_no_request_fails_while_web_processes_are_replaced(tmp_path: Path) -> None:
    webs = [Web(tmp_path / name) for name in ("a", "b")]
    try:
        for web in webs:
            until(web.listens, 120)
        with load(webs) as failed:
            for web in webs:
                before = web.answered
                until(lambda: web.answered > before + 20, 60)  # noqa: B023 - called at once
                assert web.replace() in {0, -signal.SIGTERM}
                until(web.listens, 120)
                again = web.answered
                until(lambda: web.answered > again + 20, 60)  # noqa: B023 - called at once
        assert failed == []
    finally:
        for web in webs:
            web.process.kill()
            web.process.wait()
