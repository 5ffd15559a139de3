"""The proxy: what a client sees of each way in which a network fails."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from testbed.proxy import MODES, Proxy


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that answers whatever it hears."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    made, _ = server.accept()
                    threading.Thread(target=answer, args=[made], daemon=True).start()

        def answer(made: socket.socket) -> None:
            with made, suppress(OSError):
                while data := made.recv(65536):
                    made.sendall(data)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    with Proxy(echo) as made:
        yield made


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    """A connection that has worked once."""
    with connect(proxy) as made:
        assert say(made) == b"hello"
        yield made


def connect(proxy: Proxy, timeout: float = 5) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout)


def say(made: socket.socket, data: bytes = b"hello") -> bytes:
    """What comes back for it."""
    made.sendall(data)
    answer = b""
    while len(answer) < len(data) and (piece := made.recv(65536)):
        answer += piece
    return answer


def silent(made: socket.socket) -> bool:
    made.settimeout(0.3)
    with suppress(TimeoutError):
        made.recv(1)
        return False
    made.settimeout(5)
    return True


def test_much_passes_unchanged(client: socket.socket, proxy: Proxy) -> None:
    data = bytes(range(256)) * 4096
    sender = threading.Thread(target=client.sendall, args=[data])
    sender.start()
    answer = b""
    while len(answer) < len(data):
        answer += client.recv(65536)
    sender.join()
    assert answer == data
    assert (proxy.open, proxy.accepted) == (1, 1)


def test_a_delay_is_taken_each_way(client: socket.socket, proxy: Proxy) -> None:
    proxy.delay(150)
    began = time.monotonic()
    say(client)
    assert 0.3 <= time.monotonic() - began < 2


def test_a_cut_resets_and_refuses_until_it_flows(client: socket.socket, proxy: Proxy) -> None:
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    assert proxy.open == 0
    proxy.flow()
    with connect(proxy) as again:
        assert say(again) == b"hello"


def test_a_black_hole_answers_nobody(client: socket.socket, proxy: Proxy) -> None:
    proxy.black_hole()
    client.sendall(b"swallowed")
    assert silent(client)
    with pytest.raises(TimeoutError):
        connect(proxy, 0.5)
    proxy.flow()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with connect(proxy) as again:
        assert say(again) == b"hello"


def test_half_open_keeps_everything_for_later(client: socket.socket, proxy: Proxy) -> None:
    proxy.half_open()
    client.sendall(b"later")
    assert silent(client)
    with connect(proxy) as other:
        other.sendall(b"later")
        assert silent(other)
        proxy.flow()
        assert other.recv(9) == client.recv(9) == b"later"


def test_a_drip_takes_its_time(client: socket.socket, proxy: Proxy) -> None:
    proxy.drip(100)
    began = time.monotonic()
    assert say(client, b"x" * 50) == b"x" * 50
    assert 0.4 <= time.monotonic() - began < 2


def test_a_truncated_answer_ends(client: socket.socket, proxy: Proxy) -> None:
    proxy.truncate(7)
    assert say(client, b"hello world") == b"hello w"
    with connect(proxy) as other:
        assert say(other, b"hello world") == b"hello w"


def test_what_is_open_can_be_reset_alone(client: socket.socket, proxy: Proxy) -> None:
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with connect(proxy) as again:
        assert say(again) == b"hello"


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_can_be_left_and_the_proxy_ended(echo: int, mode: str) -> None:
    threads = threading.active_count()
    leave: Callable[[], object]
    with Proxy(echo) as proxy, connect(proxy) as client:
        assert say(client) == b"hello"
        leave = proxy.flow
        proxy.set(mode, 1)  # type: ignore[arg-type]
        leave()
        with connect(proxy) as again:
            assert say(again) == b"hello"
        proxy.set(mode, 1)  # type: ignore[arg-type]
    assert threading.active_count() <= threads + 1  # the echo's own


def test_a_server_that_is_gone_resets(closed_port: int) -> None:
    with Proxy(closed_port) as proxy, pytest.raises(ConnectionResetError), connect(proxy) as made:
        made.recv(1)


def test_by_hand(echo: int) -> None:
    command = [sys.executable, "-m", "testbed.proxy", str(echo)]
    said = subprocess.check_output(command, input="cut\nnonsense\n", text=True)
    first, second, third = said.splitlines()
    assert first.endswith(f"-> {echo}")
    assert second == "cut: 0 open"
    assert "black-hole" in third
