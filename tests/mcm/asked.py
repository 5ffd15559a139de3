"""A request to the whole web process, as the server hands it over."""

import asyncio
from collections.abc import Iterator
from typing import Any

from mcm.asgi import application


async def asked(
    path: str,
    pieces: Iterator[bytes] | None = None,
    *,
    method: str = "GET",
    query: bytes = b"",
    **headers: str,
) -> tuple[int, int]:
    """The status of an answer and how many pieces of the body it took.

    After the last piece the client leaves; without a body it waits.
    """
    taken = 0
    sent: list[dict[str, Any]] = []
    whole = asyncio.Event()

    async def receive() -> dict[str, Any]:
        nonlocal taken
        if pieces is None:
            if whole.is_set():
                await asyncio.Event().wait()
            whole.set()
            return {"type": "http.request", "body": b"", "more_body": False}
        piece = next(pieces, None)
        if piece is None:
            return {"type": "http.disconnect"}
        taken += 1
        return {"type": "http.request", "body": piece, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    named = {"host": "localhost", **headers}
    pairs = [(key.replace("__", "-").encode(), value.encode()) for key, value in named.items()]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query,
        "root_path": "", "headers": pairs, "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    app: Any = application
    await app(scope, receive, send)
    assert [message["type"] for message in sent].count("http.response.start") == 1
    return sent[0]["status"], taken
