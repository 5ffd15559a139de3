"""The web process: pages, API and websockets."""

import gc
import os
from typing import Any

from a2wsgi import WSGIMiddleware
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mcm.settings")
# Every view but `readyz`, and every middleware, is synchronous. Under Django's own ASGI handler
# each request started a thread, connected to Redis anew and changed six times between thread and
# loop, which took more than twice the CPU (bench, row i). Who waits for a cluster holds a thread,
# so there are more of these than connections to the database.
pages = WSGIMiddleware(get_wsgi_application(), workers=32)  # type: ignore[arg-type]  # as PEP 3333
# On the loop: `readyz`, where all who ask share one report, even while no thread is free, and logs,
# which are read for as long as they come, and hold no thread meanwhile.
on_loop = get_asgi_application()

# Needs the app registry, which the line above fills.
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import get_resolver, re_path  # noqa: E402

from clusters import routing as of_clusters  # noqa: E402
from explorer import routing as of_explorer  # noqa: E402
from kubectl.consumers import beside  # noqa: E402
from mcm.guard import guarded, unbroken  # noqa: E402
from mcm.sockets import let_in  # noqa: E402

ON_LOOP = r"^(healthz|readyz|logs/file/|api/v1/objects/[0-9]+/logs)$"
# Channels routes to ASGI applications with Django's function for views.
at: Any = re_path
sockets = [*of_clusters.websocket_urlpatterns, *of_explorer.websocket_urlpatterns]
application = ProtocolTypeRouter(
    {
        "http": beside(guarded(URLRouter([at(ON_LOOP, on_loop), at("", unbroken(pages))]))),
        "websocket": beside(let_in(URLRouter(sockets))),
    }
)
# What is here now stays. Looking through all of it took the collector a tenth of a second, in which
# nobody was answered, every few hundred requests.
get_resolver().url_patterns  # noqa: B018 - loads the views
gc.freeze()
