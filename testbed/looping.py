"""An asyncio loop in a thread of its own, so that servers run beside tests of either kind."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

ANSWERS_WITHIN = 30.0


class LoopThread:
    """Runs a loop from `start` to `stop`; everything else may be called from any thread but its."""

    def __init__(
        self, name: str, new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    ) -> None:
        self.loop = new_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Let the loop do `work`; returns or raises what it does, TimeoutError after 30 s."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(ANSWERS_WITHIN)

    def stop(self) -> None:
        """Cancel everything that still runs and end the thread."""
        self.run(self._cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(ANSWERS_WITHIN)
        self.loop.close()

    async def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.loop.shutdown_asyncgens()
