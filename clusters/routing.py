from typing import Any, cast

from django.urls import path

from clusters.consumers import LiveConsumer

# The stubs know only views here; Channels puts its own kind of application in their place.
websocket_urlpatterns: list[Any] = [path("ws/live/", cast(Any, LiveConsumer.as_asgi()))]
