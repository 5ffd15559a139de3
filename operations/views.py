"""Pages of operations: the list, and one with its live log."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from operations import services
from operations.models import Operation, topic
from teams import access
from teams.roles import Action
from teams.views import SignedInRequest, fragment

LIST = "operations/list.html"
DETAIL = "operations/detail.html"
RECENT = "operations/recent.html"
MOST = 100
MOST_RECENT = 6


@require_GET
def operations(request: SignedInRequest) -> HttpResponse:
    rows = _visible(request)[:MOST]
    return fragment(request, LIST, "table", {"operations": rows})


@require_GET
def recent(request: SignedInRequest) -> HttpResponse:
    """The newest ones, for the fleet page."""
    return fragment(request, RECENT, "list", {"operations": _visible(request)[:MOST_RECENT]})


@require_GET
def detail(request: SignedInRequest, pk: UUID) -> HttpResponse:
    operation = access.get_or_404(request.user, Operation, pk)
    context = {
        "operation": operation,
        "topic": topic(operation.pk),
        "log": "\n".join(operation.lines.values_list("text", flat=True)),
        "may_cancel": operation.active and access.may(request.user, Action.OPERATE, operation),
    }
    return fragment(request, DETAIL, "state", context)


@require_POST
def cancel(request: SignedInRequest, pk: UUID) -> HttpResponse:
    operation = access.get_or_404(request.user, Operation, pk, Action.OPERATE)
    services.cancel(operation, by=request.user)
    return redirect("operation-detail", pk=pk)


def _visible(request: SignedInRequest) -> QuerySet[Operation]:
    return access.visible(request.user, Operation).select_related("cluster", "requested_by")
