"""No body of a request is read further than the largest that anything here takes."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

# A chart's archive of 10 MiB in a multipart form, and room for the rest of the form.
LARGEST = 12 * 1024 * 1024
_ANSWER = json.dumps({"error": "The body is too large.", "fields": {}}).encode()

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
# As asgiref and Channels write it, each in types of its own.
Application = Callable[[Any, Any, Any], Awaitable[None]]


def limited(application: Application, largest: int = LARGEST) -> Application:
    """The ASGI application behind an answer 413 for bodies of more than `largest` bytes.

    Django spools a whole body before it knows who asks, so without this anybody fills the disk.
    """

    async def guarded(scope: Message, receive: Receive, send: Send) -> None:
        if _announced(scope) > largest:
            await _refuse(send)
            return
        taken, refused, begun = 0, False, False

        async def counted() -> Message:
            nonlocal taken, refused
            message = await receive()
            taken += len(message.get("body", b""))
            if taken <= largest:
                return message
            if not begun and not refused:
                refused = True
                await _refuse(send)
            return {"type": "http.disconnect"}

        async def answer(message: Message) -> None:
            nonlocal begun
            begun = True
            if not refused:
                await send(message)

        await application(scope, counted, answer)

    return guarded


def _announced(scope: Message) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": _ANSWER})
