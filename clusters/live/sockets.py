"""What every socket needs: to ask the database beside its loop, and to bear no flood."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from channels.db import DatabaseSyncToAsync

# A flood is so many messages within this time.
IN_SECONDS = 10.0

T = TypeVar("T")


class Threads:
    """Threads of its own for one kind of questions to the database: who asks many of another kind
    keeps nobody here waiting.
    """

    def __init__(self, name: str, threads: int = 2) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def ask(self, question: Callable[..., T], *args: Any, **more: Any) -> T:
        """The answer. Raises what the question raises."""
        on_thread: Any = DatabaseSyncToAsync(
            question, thread_sensitive=False, executor=self._threads
        )
        answer: T = await on_thread(*args, **more)
        return answer


class Flood:
    """Counts the messages of a socket."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._messages = 0
        self._until = 0.0

    def rises(self) -> bool:
        """Counts one more; whether these are more than a socket may say in IN_SECONDS."""
        now = time.monotonic()
        if now > self._until:
            self._messages, self._until = 0, now + IN_SECONDS
        self._messages += 1
        return self._messages > self._most


class Open(Counter[object]):
    """How many of something each person has open in this process."""

    @contextmanager
    def one_more(self, person: object) -> Iterator[None]:
        self[person] += 1
        try:
            yield
        finally:
            self[person] -= 1
            if not self[person]:
                del self[person]
