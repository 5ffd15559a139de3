from typing import Any, cast

from django.urls import path

from explorer.consumers.logs import LogsConsumer
from explorer.consumers.terminal import TerminalConsumer

# The stubs know only views here; Channels puts its own kind of application in their place.
websocket_urlpatterns: list[Any] = [
    path("ws/logs/", cast(Any, LogsConsumer.as_asgi())),
    path("ws/terminal/<int:pk>/", cast(Any, TerminalConsumer.as_asgi())),
]
