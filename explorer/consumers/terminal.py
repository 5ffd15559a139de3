"""`/ws/terminal/POD/`: a shell in a pod. Bytes are what is typed and what is shown, texts are
messages (`screen.Message`, and `Screen.tell`); the first one asks for the shell.
"""

import asyncio
import logging
from dataclasses import replace
from typing import Any
from uuid import uuid4

from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils import translation
from django.utils.translation import gettext_noop

from clusters.kube import shell
from explorer.access import Caller, Ended
from explorer.consumers.languages import language
from explorer.consumers.screen import Nonsense, Screen
from explorer.consumers.session import Session
from teams.audit import context

# Of a socket that is gone: its end is told to the trail meanwhile.
ENDING_SECONDS = 10.0
CODES = {
    **{"bad": 4400, "signed_out": 4401, "forbidden": 4403, "revoked": 4403, "unconfirmed": 4403},
    **{"gone": 4404, "many": 4429, "idle": 4408, "longest": 4408},
}
DONE, FAILED, NONSENSE = 1000, 1011, 1008

EXITED = gettext_noop("The shell has ended.")
FAILED_TEXT = gettext_noop("MCM failed here. If it stays so, tell an administrator.")

log = logging.getLogger(__name__)


class TerminalConsumer(AsyncWebsocketConsumer):
    # Nothing is told to it by others: what it may do it asks, and needs no Redis.
    channel_layer_alias = "none"
    closing = False

    async def connect(self) -> None:
        await self.accept()
        self.screen = Screen(self._give)
        self.serving = asyncio.create_task(self._serve())

    async def disconnect(self, code: int) -> None:
        self.closing = True
        self.screen.left.set()
        self.screen.asked.cancel()
        await asyncio.wait({self.serving}, timeout=ENDING_SECONDS)

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        try:
            self.screen.hear(text_data, bytes_data)
        except Nonsense:
            await self._end(NONSENSE)

    async def _give(self, message: str | bytes) -> None:
        if isinstance(message, str):
            await self.send(text_data=message)
        else:
            await self.send(bytes_data=message)

    async def _end(self, code: int) -> None:
        if not self.closing:
            self.closing = True
            self.screen.left.set()
            self.screen.asked.cancel()
            await self.close(code)

    async def _serve(self) -> None:
        """From the question to the end of the socket."""
        # An id of our own: by it, the begin and the outcome are found to be one.
        origin = replace(context.Origin.of_scope(self.scope), request_id=str(uuid4()))
        key = self.scope["url_route"]["kwargs"]["pk"]
        with context.acting(origin):
            try:
                ended = await Session(self.screen, Caller.of_scope(self.scope), key).run()
            except Ended as why:
                await self._tell(why.code, str(why), CODES.get(why.code, FAILED))
            except (TimeoutError, asyncio.CancelledError):
                await self._end(NONSENSE)
            except Exception:
                log.exception("a terminal failed")
                await self._tell("failed", FAILED_TEXT, FAILED)
            else:
                await self._tell_exit(ended)

    async def _tell_exit(self, ended: shell.Ended | None) -> None:
        if ended is None:
            await self._end(DONE)
        elif ended.is_missing:
            await self._tell("no_shell", ended.said, DONE, code=ended.code)
        else:
            await self._tell("exited", ended.said or EXITED, DONE, code=ended.code)

    async def _tell(self, why: str, text: str, number: int, code: int | None = None) -> None:
        asked = self.screen.asked
        spoken = asked.result().language if asked.done() and not asked.cancelled() else ""
        with translation.override(language(spoken)):
            text = translation.gettext(text) if text else ""
        await self.screen.tell("ended", why=why, text=text, code=code)
        await self._end(number)
