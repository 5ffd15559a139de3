"""From where something is asked for: known for as long as a request or a piece of work goes on."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest


@dataclass
class Origin:
    """Who is behind a change, beside the person: the way, token, address, program, request."""

    via: str = "system"
    token: str = ""
    address: str | None = None
    user_agent: str = ""
    request_id: str = ""
    # DRF finds out with which token the caller came, and tells the request.
    request: HttpRequest | None = None
    # How many lines of the trail were written meanwhile.
    rows: int = 0

    @classmethod
    def of(cls, request: HttpRequest) -> "Origin":
        return cls(
            via="api" if request.path.startswith("/api/") else "page",
            address=address_in(request.META),
            user_agent=_line(request.headers.get("User-Agent", ""), 200),
            request=request,
        )

    @classmethod
    def of_scope(cls, scope: Any, *, token: str = "", via: str = "socket") -> "Origin":
        """Of a connection that ASGI handles itself, such as a websocket."""
        headers = dict(scope.get("headers", ()))
        sent = headers.get(b"x-forwarded-for", b"").decode("latin-1")
        peer = scope.get("client")
        return cls(
            via=via,
            token=token,
            address=address(peer[0] if peer else None, sent.split(",")),
            user_agent=_line(headers.get(b"user-agent", b"").decode("latin-1"), 200),
        )

    @property
    def told(self) -> dict[str, Any]:
        """The columns of the trail that this fills in."""
        return {
            "via": self.via,
            "token": self.token or token_name(getattr(self.request, "auth", None)),
            "address": self.address,
            "user_agent": self.user_agent,
            "request_id": self.request_id or _request_id(),
        }


_origin: ContextVar[Origin | None] = ContextVar("origin", default=None)


def current() -> Origin:
    return _origin.get() or Origin()


@contextmanager
def acting(origin: Origin) -> Iterator[Origin]:
    """What is recorded inside comes from there."""
    token = _origin.set(origin)
    try:
        yield origin
    finally:
        _origin.reset(token)


def token_name(token: Any) -> str:
    """What names an API token and gives nothing of it away: its name and the begin of its hash."""
    digest = getattr(token, "digest", None)
    if digest is None:
        return ""
    name = _line(str(getattr(token, "name", "") or ""), 100)
    return f"{name} ({digest[:8]})" if name else str(digest[:8])


def address(peer: str | None, forwarded: Iterable[str] = ()) -> str | None:
    """Where a caller is: as the proxy in front says, where there is one, else the peer itself.

    Of a list, the last is what our own proxy saw; what stands before it anybody can write.
    """
    told = [item.strip() for item in forwarded if item.strip()]
    chosen = told[-1] if told and settings.AUDIT.behind_proxy else peer
    try:
        return str(ipaddress.ip_address(chosen or ""))
    except ValueError:
        return None


def address_in(meta: Mapping[str, Any]) -> str | None:
    """As `address`, of a request's META."""
    return address(meta.get("REMOTE_ADDR"), str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(","))


def _request_id() -> str:
    """As the logs have it, in a task, too."""
    return _line(str(structlog.contextvars.get_contextvars().get("request_id", "")), 64)


def _line(text: str, most: int) -> str:
    return "".join(char if char.isprintable() else " " for char in text)[:most]
