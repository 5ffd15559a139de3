from typing import Any, cast

from django.urls import path

from explorer.consumers.logs import LogsConsumer

# The stubs know only views here; Channels puts its own kind of application in their place.
websocket_urlpatterns: list[Any] = [path("ws/logs/", cast(Any, LogsConsumer.as_asgi()))]
