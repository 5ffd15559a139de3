"""The web process: pages, API and websockets."""

import os

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mcm.settings")
# Every view and middleware here is synchronous. Under Django's own ASGI handler each request
# started a thread, connected to Redis anew and changed six times between thread and loop, which
# took more than twice the CPU (bench, row i). Who waits for a cluster holds a thread, so there are
# more of these than connections to the database.
pages = WSGIMiddleware(get_wsgi_application(), workers=32)  # type: ignore[arg-type]  # as PEP 3333

# Needs the app registry, which the line above fills.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from clusters.routing import websocket_urlpatterns  # noqa: E402
from mcm.guard import guarded  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": guarded(pages),
        # Sockets carry the session cookie: only our own pages may open them.
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
        ),
    }
)
