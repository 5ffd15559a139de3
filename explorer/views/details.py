"""One object, in the drawer or on a page of its own."""

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from clusters.kube.kinds import KINDS
from clusters.models import Object
from explorer import store
from explorer.filters import columns
from explorer.filters.logs.selection import LOGGED, NOT_ALLOWED
from explorer.filters.paths import list_path
from explorer.filters.words import title
from teams import access
from teams.roles import Action
from teams.views import SignedInRequest, fragment

DETAIL = "explorer/object.html"
# What the drawer tells in lines of its own.
_TOLD = frozenset({"name", "cluster", "namespace", "status", "owner", "image", "labels", "age"})


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
    part = "body" if request.htmx.target == "div#object-drawer" else "drawer"
    seen = store.seen([found], {found.cluster_id: found.cluster})[0]
    kind = found.kind
    known = KINDS[kind].topic if kind in KINDS else ""
    topics = known or " ".join(store.plurals(kind, [found.cluster]))
    may_read = access.may(request.user, Action.OPERATE, found)
    context: dict[str, Any] = {
        "logs_url": f"{reverse('logs')}?object={found.pk}" if kind in LOGGED else "",
        "logs_reason": "" if may_read else _(NOT_ALLOWED),
        "object": found,
        "seen": seen,
        "labels": sorted(found.labels.items()),
        "facts": [
            (column, column.value(seen))
            for column in columns.possible(kind)
            if column.key not in _TOLD and column.value(seen) not in ("", 0)
        ],
        "topics": topics,
        "title": title(kind),
        "list_path": list_path(kind),
        "own_url": request.path,
    }
    return fragment(request, DETAIL, part, context)
