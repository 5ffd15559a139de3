"""Calls of the database out of the event loop."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connection

log = logging.getLogger(__name__)
T = TypeVar("T")


async def run_in(executor: Executor, write: Callable[..., T], *args: Any) -> T:
    """Runs a function that uses the database in a thread, and gives its connection back."""

    def call() -> T:
        close_old_connections()
        try:
            return write(*args)
        finally:
            connection.close()

    return await asyncio.get_running_loop().run_in_executor(executor, call)


async def stubbornly(executor: Executor, write: Callable[..., T], *args: Any) -> T:
    """As `run_in`, again and again while the database is away or busy.

    What it will never take is raised: DataError and the like.
    """
    delay = 0.5
    while True:
        try:
            return await run_in(executor, write, *args)
        except (OperationalError, InterfaceError) as error:
            log.warning("the database refused a write: %s", error)
            await asyncio.sleep(delay)
            delay = min(delay * 2, 10)
