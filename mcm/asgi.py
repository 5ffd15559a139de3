"""The web process: pages, API and websockets."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mcm.settings")
django_application = get_asgi_application()

# Needs the app registry, which the line above fills.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from clusters.routing import websocket_urlpatterns  # noqa: E402
from mcm.bodies import limited  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": limited(django_application),
        # Sockets carry the session cookie: only our own pages may open them.
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
        ),
    }
)
