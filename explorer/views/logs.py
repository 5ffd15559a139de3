"""The page of logs, and the file of them."""

from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from clusters.models import Cluster, Namespace
from explorer.access import Caller, Ended
from explorer.filters.logs import LogQuery, Selected, eyes, select, text
from explorer.filters.logs.asked import CHOOSING, MOST_TAIL, TAIL
from explorer.filters.paths import list_path
from explorer.filters.words import title
from teams import access
from teams.roles import Action
from teams.throttles import too_costly
from teams.views import SignedInRequest, too_many_files

PAGE = "explorer/logs.html"


@require_GET
def logs(request: SignedInRequest) -> HttpResponse:
    """Of the objects or the filter in the address; the lines come by a socket."""
    query = LogQuery.of(request.GET)
    found = _select(request, query) if query.asks and not query.problems else None
    context: dict[str, Any] = {
        "query": query,
        "problems": [said for texts in query.problems.values() for said in texts],
        "found": found,
        "objects": found.objects if found else [],
        "heading": _heading(found),
        "crumb": _crumb(found),
        "chosen": _chosen(request.GET),
        "since": _since(request.GET.get("since", "")),
        "container": query.options.container,
        "previous": query.options.previous,
        "may_somewhere": access.may_anywhere(request.user, Action.OPERATE, Cluster, Namespace),
        "most_tail": MOST_TAIL,
    }
    return render(request, PAGE, context)


@require_GET
def log_file(request: SignedInRequest) -> HttpResponseBase:
    """The same logs as a file, up to a bound: all there is of them where the address sets none."""
    query = LogQuery.of(request.GET, follow=False, tail=None)
    if query.problems or not query.asks:
        raise Http404
    found = _select(request, query)
    if (wait := too_costly(request)) is not None:
        return too_many_files(request, wait)
    options = query.options._replace(follow=False)
    name = found.objects[0].name if len(found.objects) == 1 else "logs"
    seen = eyes(Caller.of_request(request), request.user, query)
    return text.answer(options, seen, timestamps=True, prefix=len(found.pods) > 1, name=name)


def _select(request: SignedInRequest, query: LogQuery) -> Selected:
    """Raises Http404 for what is not seen, and what was refused for what may not be read."""
    try:
        return select(request.user, query)
    except Ended as ended:
        if isinstance(ended.said, Exception):
            raise ended.said from ended
        raise Http404 from ended


def _heading(found: Selected | None) -> str:
    if found and len(found.objects) == 1:
        return found.objects[0].name
    return _("Logs")


def _crumb(found: Selected | None) -> tuple[str, str] | None:
    """The list that a single object stands in."""
    if found is None or len(found.objects) != 1:
        return None
    kind = found.objects[0].kind
    return title(kind), list_path(kind)


def _chosen(query: QueryDict) -> str:
    """The part of the address that names the pods."""
    kept = QueryDict(mutable=True)
    for name in ("object", *sorted(CHOOSING)):
        kept.setlist(name, [value for value in query.getlist(name) if value])
    return kept.urlencode()


def _since(chosen: str) -> list[tuple[str, str, bool]]:
    """The choices: value, words, whether it is this one."""
    words = {
        "": _("Last %(lines)d lines") % {"lines": TAIL},
        "5m": _("5 minutes"),
        "15m": _("15 minutes"),
        "1h": _("1 hour"),
        "6h": _("6 hours"),
        "1d": _("1 day"),
        "all": _("All there is"),
    }
    words.setdefault(chosen, _("Since %(moment)s") % {"moment": chosen})
    return [(value, said, value == chosen) for value, said in words.items()]
