"""How websockets are let in: those of our own pages by their cookie, all others by a token."""

from collections.abc import Awaitable, Callable
from typing import Any

from channels.security.websocket import AllowedHostsOriginValidator
from channels.sessions import SessionMiddlewareStack

from teams import tokens

Application = Callable[[Any, Any, Any], Awaitable[None]]


def let_in(sockets: Any) -> Application:
    """A cookie is sent by whatever page opens the socket, so its origin must be ours.

    No page can send `Authorization`: who does is no page, comes from no origin, and is judged by
    the token alone, which is then `scope["bearer"]`. A cookie beside it counts for nothing.
    """
    by_cookie: Any = AllowedHostsOriginValidator(SessionMiddlewareStack(sockets))

    async def opened(scope: dict[str, Any], receive: Any, send: Any) -> None:
        token = _bearer(scope["headers"])
        if token is None:
            await by_cookie(scope, receive, send)
        else:
            await sockets({**scope, "bearer": token}, receive, send)

    return opened


def _bearer(headers: list[tuple[bytes, bytes]]) -> str | None:
    """The token of the first `Authorization: Bearer`."""
    found = (
        tokens.bearer(value.decode("latin-1"))
        for name, value in headers
        if name == b"authorization"
    )
    return next((token for token in found if token is not None), None)
