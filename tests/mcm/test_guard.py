"""What nothing here could read is refused before it is read, from everybody."""

from collections.abc import Iterator
from typing import Any

import pytest
from knox.models import AuthToken

from mcm.asgi import application
from mcm.guard import LARGEST, guarded
from teams.models import User

PIECE = b"x" * (1024 * 1024)


@pytest.fixture
def token(admin: User) -> str:
    return f"Bearer {AuthToken.objects.create(admin)[1]}"


async def posted(pieces: Iterator[bytes], query: bytes = b"", **headers: str) -> tuple[int, int]:
    """The status of an answer and how many pieces of the body it took; then the client leaves."""
    taken = 0
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        nonlocal taken
        piece = next(pieces, None)
        if piece is None:
            return {"type": "http.disconnect"}
        taken += 1
        return {"type": "http.request", "body": piece, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    named = {"host": "localhost", "content-type": "application/json", **headers}
    pairs = [(key.replace("__", "-").encode(), value.encode()) for key, value in named.items()]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
        "scheme": "http", "path": "/api/v1/clusters", "raw_path": b"/api/v1/clusters",
        "query_string": query, "root_path": "", "headers": pairs, "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    asked: Any = application
    await asked(scope, receive, send)
    assert [message["type"] for message in sent].count("http.response.start") == 1
    return sent[0]["status"], taken


async def test_an_announced_length_is_enough_to_refuse() -> None:
    assert await posted(iter([PIECE]), content__length=str(LARGEST + 1)) == (413, 0)


async def test_a_body_without_its_length_is_refused_unread() -> None:
    assert await posted(iter([PIECE]), transfer__encoding="chunked") == (411, 0)


async def test_bytes_in_an_address_that_are_no_text_are_refused() -> None:
    assert await posted(iter([b"{}"]), b"q=\xff", content__length="2") == (400, 0)


@pytest.mark.django_db(transaction=True)
async def test_a_body_of_the_right_size_reaches_the_view(token: str) -> None:
    body = b'{"name": "a"}'
    assert await posted(iter([body]), content__length="13", authorization=token) == (400, 1)


@pytest.mark.django_db(transaction=True)
async def test_a_body_that_breaks_off_is_not_taken_for_a_whole_one(token: str) -> None:
    """Nor is it a fault of ours, which would be a 500."""
    body = b'{"name": "a"}'
    status, _taken = await posted(iter([body]), content__length="200", authorization=token)
    assert status == 400


async def test_no_header_passes_for_one_of_the_balancer() -> None:
    seen: list[bytes] = []

    async def note(scope: Any, _receive: Any, _send: Any) -> None:
        seen.extend(name for name, _value in scope["headers"])

    headers = [(b"host", b"a"), (b"x_forwarded_proto", b"https"), (b"x-request-id", b"1")]
    await guarded(note)({"headers": headers, "query_string": b""}, None, None)
    assert seen == [b"host", b"x-request-id"]
