"""The socket of every live page: it says which rows changed, and the page asks for them."""

import asyncio
import contextlib
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from clusters import live
from teams.models import User
from teams.services import RIGHTS_CHANGED

# A page that has heard nothing for 5 s says so; two pings fit into that.
PING_SECONDS = 2
MOST_TOPICS = 20
SIGNED_OUT = 4401


class LiveConsumer(AsyncJsonWebsocketConsumer):
    groups = [RIGHTS_CHANGED]

    async def connect(self) -> None:
        await self.accept()
        scopes = await self._scopes()
        if scopes is None:
            await self.close(SIGNED_OUT)
            return
        self.subscriber = live.Subscriber(self, scopes)
        live.hub().join(self.subscriber)
        self.tasks = [
            asyncio.create_task(self.subscriber.pump()),
            asyncio.create_task(self._ping()),
        ]
        await self.send_json({"type": "hello"})

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """`{"watch": {"topics": ["pods", …]}}` replaces the topics of this page."""
        watch = content.get("watch") if isinstance(content, dict) else None
        topics = watch.get("topics") if isinstance(watch, dict) else None
        if not isinstance(topics, list) or not all(isinstance(item, str) for item in topics):
            await self.close(1008)
            return
        self.subscriber.topics = frozenset(topics[:MOST_TOPICS])

    async def disconnect(self, code: int) -> None:
        if hasattr(self, "subscriber"):
            live.hub().leave(self.subscriber)
            for task in self.tasks:
                task.cancel()

    async def rights_changed(self, event: dict[str, Any]) -> None:
        """Somebody's rights changed, perhaps this person's: look again."""
        if not hasattr(self, "subscriber"):
            return
        scopes = await self._scopes()
        if scopes is None:
            await self.send_json({"type": "closed", "reason": "signed_out"})
            await self.close(SIGNED_OUT)
        elif scopes != self.subscriber.scopes:
            self.subscriber.scopes = scopes
            self.subscriber.refresh()

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            await self.send_json({"type": "ping"})

    @database_sync_to_async
    def _scopes(self) -> live.Scopes | None:
        """What the person may hear of now; None when not, or no longer, signed in."""
        session = self.scope["session"]
        if not session.session_key or not session.exists(session.session_key):
            return None
        known = self.scope["user"]
        user = User.objects.filter(pk=known.pk, is_active=True).first() if known else None
        return live.scopes(user) if user else None

    @classmethod
    async def decode_json(cls, text_data: str) -> Any:
        """Rubbish is no reason for a traceback: it is answered as what it is."""
        with contextlib.suppress(ValueError):
            return await super().decode_json(text_data)
        return None
