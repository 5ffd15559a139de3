"""`/k8s/clusters/NAME/…`: an API server, reached through MCM with a token of MCM.

On the loop of the web process: a cluster that hangs holds no thread. Nothing signs in here but a
token in the Authorization header, so there is no cookie that another site could use.
"""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from kubectl.consumers import requests, sockets
from teams.audit.context import Origin, acting

PREFIX = "/k8s/"


async def proxy(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI application under PREFIX."""
    serve = sockets.serve if scope["type"] == "websocket" else requests.serve
    # An id of our own: by it, the begin and the outcome of a change are found to be one.
    origin = replace(Origin.of_scope(scope, via="kubectl"), request_id=str(uuid4()))
    with acting(origin):
        await serve(scope, receive, send)


def beside(elsewhere: Any) -> Any:
    """The application of all other addresses, with this one beside it."""

    async def either(scope: Any, receive: Any, send: Any) -> None:
        here = proxy if scope["path"].startswith(PREFIX) else elsewhere
        await here(scope, receive, send)

    return either
