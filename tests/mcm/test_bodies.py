"""Bodies that nothing here takes are refused before they are read, from everybody."""

import asyncio
from collections.abc import Iterator
from typing import Any

from mcm.asgi import application
from mcm.bodies import LARGEST

PIECE = b"x" * (1024 * 1024)


async def posted(pieces: Iterator[bytes], **headers: str) -> tuple[int, int]:
    """The status that a body gets, and how many of its pieces were taken."""
    taken, ended = 0, False
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        nonlocal taken, ended
        if ended:
            await asyncio.Event().wait()  # the client stays and says nothing more
        piece = next(pieces, None)
        taken += piece is not None
        ended = piece is None
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    named = {"host": "localhost", "content-type": "application/json", **headers}
    pairs = [(key.replace("_", "-").encode(), value.encode()) for key, value in named.items()]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
        "scheme": "http", "path": "/api/v1/clusters", "raw_path": b"/api/v1/clusters",
        "query_string": b"", "root_path": "", "headers": pairs, "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    asked: Any = application
    await asked(scope, receive, send)
    assert [message["type"] for message in sent].count("http.response.start") == 1
    return sent[0]["status"], taken


async def test_an_announced_length_is_enough_to_refuse() -> None:
    assert await posted(iter([PIECE]), content_length=str(LARGEST + 1)) == (413, 0)


async def test_a_body_without_a_length_is_refused_where_it_grows_too_large() -> None:
    status, taken = await posted(PIECE for _ in range(200))
    assert status == 413
    assert taken == LARGEST // len(PIECE) + 1


async def test_a_body_of_the_right_size_reaches_the_view() -> None:
    status, _taken = await posted(iter([b"{}"]), content_length="2")
    assert status == 401
