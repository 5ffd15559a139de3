"""What is refused of a request before anything else looks at it."""

import codecs
import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from django.utils.http import parse_header_parameters

# A chart's archive of 10 MiB in a multipart form, and room for the rest of the form.
LARGEST = 12 * 1024 * 1024
# Anything else is text: more than this Django would refuse as well, but as a 400.
LARGEST_TEXT = 2 * 1024 * 1024

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
# As a2wsgi and Channels write it, each in types of its own.
Application = Callable[[Any, Any, Any], Awaitable[None]]


def guarded(application: Application) -> Application:
    """The ASGI application behind answers to what it could not read safely.

    413 for bodies of more than LARGEST bytes, or of LARGEST_TEXT unless they are forms with files:
    Django spools a whole body before it knows who asks.
    411 for a body without its length, which WSGI has no word for. 415 for text that says it is not
    UTF-8. 400 for bytes in an address that stand for no text.
    """

    async def guard(scope: Message, receive: Receive, send: Send) -> None:
        if refusal := _refusal(scope):
            await _refuse(send, *refusal)
            return
        # WSGI writes "-" as "_": who sends "_" could pass for a balancer in front of us.
        headers = [pair for pair in scope["headers"] if b"_" not in pair[0]]
        await application({**scope, "headers": headers}, receive, send)

    return guard


def unbroken(application: Application) -> Application:
    """The ASGI application, which reads no body that broke off as if it were whole."""

    async def reading(scope: Message, receive: Receive, send: Send) -> None:
        async def read() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ConnectionResetError("the client left before the end of its body")
            return message

        await application(scope, read, send)

    return reading


def _refusal(scope: Message) -> tuple[HTTPStatus, str] | None:
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"0")
    if b"transfer-encoding" in headers or not length.isdigit():
        return HTTPStatus.LENGTH_REQUIRED, "Send the body with its length, as Content-Length."
    has_files = headers.get(b"content-type", b"").startswith(b"multipart/form-data")
    if int(length) > (LARGEST if has_files else LARGEST_TEXT):
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large."
    kinds = b",".join(value for name, value in scope["headers"] if name == b"content-type")
    if not _is_utf8(kinds.decode("latin-1")):
        return HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send text as UTF-8."
    if not scope["query_string"].isascii():
        return HTTPStatus.BAD_REQUEST, "The address holds bytes that must be percent-encoded."
    return None


def _is_utf8(kind: str) -> bool:
    """Whether Django would read the request as UTF-8.

    It takes the charset of the body for the address, too, and with some of Python's (idna, utf-7,
    unicode_escape) there are failures before any middleware, halves of characters and hidden NULs.
    """
    _kind, parameters = parse_header_parameters(kind)
    if "charset" not in parameters:
        return True
    try:
        return codecs.lookup(parameters["charset"]).name == "utf-8"
    except (LookupError, ValueError):
        return False


async def _refuse(send: Send, status: HTTPStatus, error: str) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    body = json.dumps({"error": error, "fields": {}}).encode()
    await send({"type": "http.response.body", "body": body})
