"""The client beside servers that mean it badly."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from clusters.kube import errors
from clusters.kube.client import Client
from clusters.kube.types import SERVICE_ACCOUNT, Connection, Identity
from tests.kube.certificates import DAY, Authority, Pair
from tests.kube.fake import TOKEN, server_context, whole

LOCAL = "127.0.0.1"


@contextmanager
def answering(*pieces: bytes, pause: float = 0, pair: Pair | None = None) -> Iterator[Any]:
    """A TLS server that sends the pieces to each request; yields the connection and what it got."""
    authority = Authority()
    context = server_context(pair or authority.sign(LOCAL))
    got: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as made:
                    got.append(made.recv(65536))
                    for piece in pieces:
                        made.sendall(piece)
                        time.sleep(pause)
            except OSError:
                plain.close()

    with socket.create_server((LOCAL, 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        server = f"https://{LOCAL}:{listener.getsockname()[1]}"
        yield Connection(server=server, ca=authority.pem, token=TOKEN), got
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def refusal(connection: Connection, deadline: float = 2) -> errors.KubeError:
    """What `version` fails with; also that nothing secret is in it and that it ended in time."""
    started = time.monotonic()
    with (
        pytest.raises(errors.KubeError) as caught,
        Client(connection, SERVICE_ACCOUNT, deadline=deadline) as client,
    ):
        client.version()
    assert time.monotonic() - started < deadline + 1
    assert TOKEN not in str(caught.value)
    return caught.value


def test_version_and_what_it_is_not() -> None:
    with answering(whole("200 OK", b'{"gitVersion": "v1.37.2"}')) as (connection, got):
        with Client(
            connection, Identity("mcm:a", ("mcm:team:a:viewer", "mcm:team:b:admin"))
        ) as client:
            assert client.version().git_version == "v1.37.2"
        asked = got[0].decode()
        assert f"Authorization: Bearer {TOKEN}" in asked
        assert "Impersonate-User: mcm:a" in asked
        assert asked.count("Impersonate-Group: mcm:team:") == 2
    for body in (b"<html>", b"[]", b'{"gitVersion": 1}', b""):
        with answering(whole("200 OK", body)) as (connection, _):
            assert isinstance(refusal(connection), errors.BadAnswer)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("401 Unauthorized", errors.Unauthorized),
        ("403 Forbidden", errors.Forbidden),
        ("404 Not Found", errors.NotFound),
        ("409 Conflict", errors.Conflict),
        ("410 Gone", errors.Expired),
        ("422 Unprocessable Entity", errors.Refused),
        ("500 Internal Server Error", errors.ServerFailed),
        ("503 Service Unavailable", errors.ServerFailed),
        ("302 Found", errors.BadAnswer),
    ],
)
def test_each_refusal_has_its_own_error(status: str, kind: type[errors.KubeError]) -> None:
    body = b'{"message": "no \\u001b[31m' + b"x" * 999 + b'"}'
    with answering(whole(status, body, "Location: https://127.0.0.1:1/")) as (connection, got):
        error = refusal(connection)
        assert type(error) is kind
        assert len(str(error)) <= 300
        assert str(error).isprintable()
        assert len(got) == 1


def test_too_many_requests_says_how_long() -> None:
    with answering(whole("429 Too Many Requests", b"{}", "Retry-After: 9")) as (connection, got):
        error = refusal(connection)
        assert isinstance(error, errors.TooManyRequests)
        assert error.retry_after == 9
        assert len(got) == 1


def test_dripping_is_cut_at_the_deadline() -> None:
    body = (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", *[b" "] * 50)
    with answering(*body, pause=0.2) as (connection, _):
        assert isinstance(refusal(connection, 1), errors.TimedOut)
    with answering(*(bytes([byte]) for byte in body[0]), pause=0.2) as (connection, _):
        assert isinstance(refusal(connection, 1), errors.TimedOut)


def test_a_huge_body_is_not_read() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
    with answering(head, *[piece] * 100) as (connection, _):
        assert isinstance(refusal(connection), errors.BadAnswer)


def test_a_truncated_body_is_an_error() -> None:
    with answering(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"gitVersion"') as (
        connection,
        _,
    ):
        assert isinstance(refusal(connection), (errors.Unreachable, errors.BadAnswer))


def test_what_does_not_speak_http() -> None:
    with answering(b"SSH-2.0-OpenSSH\r\n\r\n") as (connection, _):
        assert isinstance(refusal(connection), errors.BadAnswer)


def test_a_black_hole_times_out() -> None:
    with socket.socket() as listener:
        listener.bind((LOCAL, 0))
        listener.listen(0)
        connection = Connection(server=f"https://{LOCAL}:{listener.getsockname()[1]}", token=TOKEN)
        fillers = [socket.socket() for _ in range(4)]
        for each in fillers:
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        assert isinstance(refusal(connection, 1), errors.TimedOut)
        for each in fillers:
            each.close()


def test_requests_inside_a_time_end_with_it(black_hole: int) -> None:
    connection = Connection(server=f"https://{LOCAL}:{black_hole}", token=TOKEN)
    begun = time.monotonic()
    with Client(connection, SERVICE_ACCOUNT, deadline=2) as client:
        with pytest.raises(errors.TimedOut), client.within(0.2):
            client.version()
        assert time.monotonic() - begun < 1.5
        with pytest.raises(errors.TimedOut):
            client.version()
    assert time.monotonic() - begun > 2


def test_nobody_listens() -> None:
    with socket.create_server((LOCAL, 0)) as listener:
        port = listener.getsockname()[1]
    error = refusal(Connection(server=f"https://{LOCAL}:{port}", token=TOKEN))
    assert isinstance(error, errors.Unreachable)


def test_an_unknown_name() -> None:
    error = refusal(Connection(server="https://cluster.invalid", token=TOKEN))
    assert isinstance(error, (errors.Unreachable, errors.TimedOut))


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "[::ffff:169.254.169.254]",
     "[2002:a9fe:a9fe::]", "[64:ff9b::a9fe:a9fe]", "0.0.0.0", "[::]"],
)  # fmt: skip
def test_metadata_addresses_are_never_asked(host: str) -> None:
    error = refusal(Connection(server=f"https://{host}", token=TOKEN))
    assert isinstance(error, errors.Unreachable)
    assert "metadata" in str(error)


@pytest.mark.parametrize(
    ("names", "days", "own", "reason"),
    [
        ((LOCAL,), -1, True, "expired"),
        (("other.example", "10.0.0.1"), 1, True, "wrong_name"),
        ((LOCAL,), 1, False, "unknown_ca"),
    ],
)
def test_a_bad_certificate_is_told_exactly_and_the_token_is_kept(
    names: tuple[str, ...], days: int, own: bool, reason: str
) -> None:
    signer = Authority()
    pair = signer.sign(*names, start=-2 * DAY, end=days * DAY)
    with answering(whole("200 OK", b"{}"), pair=pair) as (connection, got):
        made = Connection(
            server=connection.server, ca=signer.pem if own else Authority("x").pem, token=TOKEN
        )
        error = refusal(made)
        assert isinstance(error, errors.BadCertificate)
        assert (error.reason, error.code) == (reason, f"certificate_{reason}")
        assert got == []


def test_another_server_name_can_be_given() -> None:
    signer = Authority()
    with answering(whole("200 OK", b'{"gitVersion": "v1"}'), pair=signer.sign("kube.example")) as (
        connection,
        _,
    ):
        made = Connection(
            server=connection.server, ca=signer.pem, token=TOKEN, tls_server_name="kube.example"
        )
        with Client(made, SERVICE_ACCOUNT) as client:
            assert client.version().git_version == "v1"


def test_the_environment_gives_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "socks5://127.0.0.1:1")
    with (
        answering(whole("200 OK", b'{"gitVersion": "v1"}')) as (connection, _),
        Client(connection, SERVICE_ACCOUNT) as client,
    ):
        assert client.version().git_version == "v1"


def test_no_key_file_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pair: Pair, authority: Authority
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made = Connection(
        server="https://127.0.0.1:1", ca=authority.pem, certificate=pair.certificate, key=pair.key
    )
    for _ in range(20):
        Client(made, SERVICE_ACCOUNT).close()
    assert list(tmp_path.iterdir()) == []
