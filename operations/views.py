"""Pages of operations: the list, and one with its live log."""

from collections import Counter
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from operations import services, store
from operations.models import Operation, Step, topic
from teams import access
from teams.roles import Action
from teams.views import SignedInRequest, fragment

LIST = "operations/list.html"
DETAIL = "operations/detail.html"
RECENT = "operations/recent.html"
MOST = 100
MOST_RECENT = 6
# What is asked for anew on a page of its own.
ONCE = ("object.revert", "object.apply")


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
    context: dict[str, Any] = {
        "operation": operation,
        "topic": topic(operation.pk),
        "log": store.log(request.user, operation),
        "steps": list(store.steps(request.user, operation)),
        "may_operate": access.may(request.user, Action.OPERATE, operation),
    }
    steps: list[Step] = context["steps"]
    context["counts"] = Counter(step.status for step in steps)
    context["may_undo"] = not operation.active and any(step.undo for step in steps)
    if steps and not operation.active and operation.kind not in ONCE:
        context["act"] = operation.kind.removeprefix("object.")
        context["again"] = ",".join(map(str, store.undone(request.user, operation)))
    return fragment(request, DETAIL, "state", context)


@require_POST
def cancel(request: SignedInRequest, pk: UUID) -> HttpResponse:
    operation = access.get_or_404(request.user, Operation, pk, Action.OPERATE)
    services.cancel(operation, by=request.user)
    return redirect("operation-detail", pk=pk)


def _visible(request: SignedInRequest) -> QuerySet[Operation]:
    return access.visible(request.user, Operation).select_related("cluster", "requested_by")
