"""One object, in the drawer or on a page of its own, a part of it at a time."""

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from clusters.kube.kinds import KINDS
from clusters.models import Object
from explorer import store
from explorer.filters.logs.selection import LOGGED, NOT_ALLOWED
from explorer.filters.paths import list_path, object_path
from explorer.filters.words import title
from explorer.services import acting, editing, terminal
from explorer.views.parts import PARTS, Part, counted_events
from teams import access
from teams.roles import Action
from teams.views import SignedInRequest, fragment

DETAIL = "explorer/object.html"
# What a live update asks for, by its element.
INNER = {"div#object-drawer": "body", "p#object-head": "head", "div#object-acts": "acts"}


@require_GET
def pod(request: SignedInRequest, pk: int) -> HttpResponse:
    found = access.get_or_404(request.user, Object, pk)
    if found.kind != "Pod":
        raise Http404
    return _answer(request, found)


@require_GET
def detail(request: SignedInRequest, pk: int) -> HttpResponse:
    return _answer(request, access.get_or_404(request.user, Object, pk))


def _answer(request: SignedInRequest, found: Object) -> HttpResponse:
    """The page, the drawer, or what a live update asked for."""
    seen = store.seen([found], {found.cluster_id: found.cluster})[0]
    offered = [part for part in PARTS if part.of(found)]
    part = next((part for part in offered if part.key == request.GET.get("tab")), offered[0])
    inner = INNER.get(request.htmx.target or "")
    context: dict[str, Any] = {
        "object": found,
        "seen": seen,
        "part": part,
        "own_url": _url(found, part, request.GET.get("hours", "")),
        "topics": _topics(found),
        "in_drawer": bool(request.htmx),
        **(part.context(request, seen) if inner in (None, "body") else {}),
    }
    if inner in (None, "acts"):
        may_read = access.may(request.user, Action.OPERATE, found)
        context |= {
            "acts": acting.of_object(request.user, found),
            "edit": editing.offered(request.user, found),
            "logs_url": f"{reverse('logs')}?object={found.pk}" if found.kind in LOGGED else "",
            "logs_reason": "" if may_read else _(NOT_ALLOWED),
            "terminal_url": reverse("terminal", args=[found.pk]) if found.kind in LOGGED else "",
            "terminal_reason": "" if may_read else _(terminal.NOT_ALLOWED),
        }
    if inner is None:
        context |= {
            "tabs": [(each, _url(found, each)) for each in offered],
            "warnings": counted_events(request, found),
            "page_url": object_path(found.kind, found.pk),
            "title": title(found.kind),
            "list_path": list_path(found.kind),
        }
    return fragment(request, DETAIL, inner or "drawer", context)


def _url(found: Object, part: Part, hours: str = "") -> str:
    asked = {} if part is PARTS[0] else {"tab": part.key}
    if hours and part.key == "metrics":
        asked["hours"] = hours
    path = object_path(found.kind, found.pk)
    return f"{path}?{urlencode(asked)}" if asked else path


def _topics(found: Object) -> str:
    """What a page of the object listens to: changes of its kind."""
    if found.kind in KINDS:
        return KINDS[found.kind].topic
    return " ".join(store.plurals(found.kind, [found.cluster]))
