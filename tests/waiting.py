"""Waiting for what the database says: it cannot call back."""

import asyncio
from collections.abc import Callable
from typing import Any

from tests.clusters.sockets import in_database


async def until(check: Callable[[], Any], seconds: float = 40) -> Any:
    """What `check` says of the database once that is true; TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not (found := await in_database(check)()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return found
