"""Asking the web process whether all is well."""

import asyncio
import http.client
import json
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings

_EVERY = 0.2
_TELL_AFTER = 20.0


async def wait(port: int, say: Callable[[str], None]) -> None:
    """Until `/readyz` says 200; what is missing is told when that takes long."""
    told = time.monotonic()
    while (missing := await asyncio.to_thread(_missing, port)) is not None:
        if time.monotonic() - told > _TELL_AFTER:
            told = time.monotonic()
            say(f"Not ready yet: {missing}")
        await asyncio.sleep(_EVERY)


def answers(port: int) -> bool:
    """Whether the web process answers at all."""
    return _get(port, "/healthz")[0] == http.client.OK


def _missing(port: int) -> str | None:
    status, body = _get(port, "/readyz")
    if status == http.client.OK:
        return None
    try:
        checks: dict[str, Any] = json.loads(body)
        failed = [f"{name}: {row['detail']}" for name, row in checks.items() if not row["ok"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"web answers {status}" if status else "web does not answer"
    return "; ".join(failed)


def _get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": _host(port)})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def _host(port: int) -> str:
    """A name that Django accepts."""
    known = next((name for name in settings.ALLOWED_HOSTS if name != "*"), "127.0.0.1")
    return f"{known.lstrip('.')}:{port}"
