"""The socket of every live page: it says which rows changed, and answers when the page asks for
them.
"""

import asyncio
import contextlib
import itertools
import logging
from datetime import datetime
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from clusters import live
from clusters.live.sockets import Flood, Threads
from teams import accounts, tokens
from teams.audit import context, denials
from teams.executor import RIGHTS_CHANGED
from teams.models import User

# A page that has heard nothing for 5 s says so; two pings fit into that.
PING_SECONDS = 2
# An expired session is found out within a minute; what somebody changes is told at once.
PINGS_A_LOOK = 30
MOST_TOPICS = 20
# A page speaks when its parts change and when it hears of a change: more is no page of ours.
MOST_MESSAGES = 1000
# A page asks for the rows of one list once at a time.
MOST_ASKED = 8
LARGEST_MESSAGE = 16 * 1024
SIGNED_OUT = 4401
# The topic of pages that show who may do what.
RIGHTS = "grants"

log = logging.getLogger(__name__)


class LiveConsumer(AsyncJsonWebsocketConsumer):
    groups = [RIGHTS_CHANGED]
    closing = False

    async def connect(self) -> None:
        self.flood = Flood(MOST_MESSAGES)
        await self.accept()
        scopes = await self._scopes()
        if scopes is None:
            await self.close(SIGNED_OUT)
            return
        self.subscriber = live.Subscriber(self, scopes)
        live.hub().join(self.subscriber)
        self.tasks = {
            asyncio.create_task(self.subscriber.pump()),
            asyncio.create_task(self._ping()),
        }
        if self.user.token is not None and self.user.token.expiry is not None:
            self.tasks.add(asyncio.create_task(self._expire(self.user.token.expiry)))
        await self.send_json({"type": "hello", "after": live.hub().turn()})

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        """Takes little and only text; a flood ends the socket, and the rest of it is dropped."""
        if self.closing or not hasattr(self, "subscriber"):
            return
        floods = self.flood.rises()
        if len(text_data or "") > LARGEST_MESSAGE:
            await self._end(1009)
        elif text_data is None or floods:
            await self._end(1008)
        else:
            await super().receive(text_data)

    async def _end(self, code: int) -> None:
        self.closing = True
        await self.close(code)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """`{"watch": {"topics": ["pods", …]}}` replaces the topics of this page.

        `{"rows": {"number": 1, "url": "/pods/rows/?…", "language": "en", "keys": ["7", …]}}` is
        answered by the rows of that list.
        """
        match content:
            case {"watch": {"topics": [*topics]}} if _texts(topics):
                self.subscriber.topics = frozenset(topics[:MOST_TOPICS])
                live.hub().replay(self.subscriber)
            case {
                "rows": {
                    "number": int(n),
                    "url": str(url),
                    "language": str(language),
                    "keys": [*keys],
                }
            } if _texts(keys) and len(self.tasks) <= MOST_ASKED:
                answer = self._answer(n, url, language, keys[: live.MOST_ROWS])
                task = asyncio.create_task(answer)
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
            case _:
                await self._end(1008)

    async def _answer(self, number: int, url: str, language: str, keys: list[str]) -> None:
        """Says which rows there are; null where they cannot be had here, so the page asks by GET.

        What was found for others, too, is told only as far as this page asked for it.
        """
        html = None
        try:
            question = live.Question.of(url, language, self.subscriber.scopes)
            # While nothing is heard, changed rights might not be, either.
            if live.hub().hears:
                found = await live.hub().desk.ask(question, self.user, keys)
                html = "".join(found[key] for key in keys if key in found)
        except PermissionDenied as error:
            with context.acting(context.Origin.of_scope(self.scope)):
                tell = database_sync_to_async(denials.denied)
                await tell(self.user, "socket rows", url, error)
        except LookupError:
            log.info("a page asked over its socket for what has no rows: %.200s", url)
        except Exception:
            log.exception("rows could not be found for a page")
        if not self.closing:
            await self.send_json({"type": "rows", "number": number, "html": html})

    async def disconnect(self, code: int) -> None:
        if hasattr(self, "subscriber"):
            live.hub().leave(self.subscriber)
            for task in set(self.tasks):
                task.cancel()

    async def rights_changed(self, event: dict[str, Any]) -> None:
        """Somebody's rights changed, perhaps this person's: look again."""
        if not hasattr(self, "subscriber"):
            return
        scopes = await self._scopes()
        if scopes is None:
            await self.send_json({"type": "closed", "reason": "signed_out"})
            await self._end(SIGNED_OUT)
        elif scopes != self.subscriber.scopes:
            self.subscriber.scopes = scopes
            self.subscriber.refresh()
        elif event and RIGHTS in self.subscriber.topics:
            await self.send_json({"type": "changed", "topic": RIGHTS})

    async def _ping(self) -> None:
        """Tells the page that it is heard; now and then asks whether the session still holds.

        While this process hears nothing it says nothing: the page then polls and comes again.
        """
        for n in itertools.count(1):
            await asyncio.sleep(PING_SECONDS)
            if live.hub().hears:
                await self.send_json({"type": "ping"})
            if n % PINGS_A_LOOK == 0:
                await self.rights_changed({})

    async def _expire(self, moment: datetime) -> None:
        """Looks again when the token is over by which this socket was opened."""
        await asyncio.sleep((moment - timezone.now()).total_seconds())
        await self.rights_changed({})

    async def _scopes(self) -> live.Scopes | None:
        """What the person may hear of now; None when not, or no longer, signed in."""
        found = await _threads.ask(self._look)
        if found is None:
            return None
        self.user, scopes = found
        return scopes

    def _look(self) -> tuple[User, live.Scopes] | None:
        if "bearer" in self.scope:
            user = self._of_token()
        else:
            # Looked up anew: the session of the handshake remembers who was signed in then.
            key = self.scope["session"].session_key
            user = accounts.of_session(key) if key else None
        if user is None or not user.is_active:
            return None
        return user, live.scopes(user)

    def _of_token(self) -> User | None:
        scope: Any = self.scope  # with what `mcm.sockets` put there
        return tokens.caller(scope["bearer"], context.Origin.of_scope(scope).address)

    @classmethod
    async def decode_json(cls, text_data: str) -> Any:
        """Rubbish is no reason for a traceback: it is answered as what it is."""
        with contextlib.suppress(ValueError, RecursionError):
            return await super().decode_json(text_data)
        return None


# All that must be known of a socket in one go, and in threads of its own: in the one that all else
# shares, hundreds that come back together would wait until their pages have given up.
_threads = Threads("mcm-sockets", 4)


def _texts(items: list[Any]) -> bool:
    return all(isinstance(item, str) for item in items)
