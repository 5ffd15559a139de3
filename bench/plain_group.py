"""The peer of row g: a consumer in one Channels group over channels_redis, as its guide has it."""

import os
from typing import Any

from django.conf import settings

GROUP = "pods"
LAYER = "channels_redis.core.RedisChannelLayer"
settings.configure(
    SECRET_KEY="none",  # noqa: S106 - nothing is signed
    CHANNEL_LAYERS={
        "default": {"BACKEND": LAYER, "CONFIG": {"hosts": [os.environ["REDIS_URL"]]}},
    },
)

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402 - needs the settings
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402


class Pods(AsyncWebsocketConsumer):
    """Sends on whatever the group is sent."""

    groups = [GROUP]

    async def changed(self, event: dict[str, Any]) -> None:
        await self.send(text_data=event["text"])


consumer: Any = Pods.as_asgi()
routes: Any = [path("ws/live/", consumer)]
application = ProtocolTypeRouter({"websocket": URLRouter(routes)})
