"""Applying new YAML: pasted or uploaded, looked at for each object, then one operation."""

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from clusters.kube.edited import documents
from clusters.models import Cluster, Environment, Namespace
from explorer.filters.acting import confirm_word
from explorer.services import applying, editing
from explorer.services.applying import Asked, Planned
from explorer.services.editing import Problem
from operations import services as operations
from teams import access
from teams.roles import Action
from teams.views import SignedInRequest, go

PAGE = "explorer/apply.html"


@dataclass
class Page:
    """What the page shows beside the text."""

    asked: Asked
    planned: list[Planned] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    error: str = ""

    @property
    def good(self) -> list[Planned]:
        return [each for each in self.planned if each.good]

    @property
    def word(self) -> str:
        """What must be typed before these are applied."""
        steps = [each.step for each in self.good]
        return confirm_word([one for one in steps if one.cluster.environment == Environment.PROD])

    @property
    def mark(self) -> str:
        """Names what was looked at, and what would become of it."""
        seen = [[one.key, one.state, one.forced, one.lines] for one in self.planned]
        return hashlib.sha256(json.dumps([self.asked.text, seen]).encode()).hexdigest()


@require_http_methods(["GET", "POST"])
def apply(request: SignedInRequest) -> HttpResponse:
    """Applies what is written to the chosen clusters; it comes back with each answer."""
    access.require_anywhere(request.user, Action.OPERATE, Cluster, Namespace)
    if request.method == "GET":
        rows = applying.offered(request.user)
        chosen = rows.filter(name=request.GET.get("cluster", ""))
        return _show(request, Page(Asked("", list(chosen), request.GET.get("namespace", ""))))
    page = _planned(request, _asked(request))
    if request.POST.get("do") == "apply" and _is_sure(request, page):
        try:
            key = request.POST.get("key", "")[:64]
            operation = applying.request(request.user, page.planned, key)
        except operations.Held as held:
            page.error = _("%(operation)s works on this object. Wait for its end.") % {
                "operation": held.operation.label
            }
        except operations.KeyReused:
            page.error = _("This was applied before. Open the page again.")
        else:
            return go(request, reverse("operation-detail", args=[operation.pk]))
    return _show(request, page)


@require_GET
def schema(request: SignedInRequest) -> HttpResponse:
    """The fields of a kind of a cluster, as it tells them; 204 where it does not."""
    access.require_anywhere(request.user, Action.OPERATE, Cluster, Namespace)
    given = request.GET
    cluster = applying.offered(request.user).filter(name=given.get("cluster", "")).first()
    if cluster is None:
        raise Http404
    try:
        made = editing.fields_of(
            request.user, cluster, given.get("apiVersion", "")[:300], given.get("kind", "")[:100]
        )
    except editing.FAILURES:
        return HttpResponse(status=204)
    return JsonResponse(made, headers={"Cache-Control": "private, max-age=300"})


def _asked(request: SignedInRequest) -> Asked:
    given = request.POST
    names = given.getlist("clusters")
    rows = applying.offered(request.user).filter(name__in=names)
    return Asked(
        _text(request),
        list(rows),
        given.get("namespace", "").strip()[:63],
        frozenset(given.getlist("force")),
    )


def _text(request: SignedInRequest) -> str:
    """What was written, and after it what was uploaded."""
    text = request.POST.get("text", "").replace("\r\n", "\n")
    upload = request.FILES.get("file")
    if upload is None:
        return text
    # One byte more, so that what is too large is told as that.
    more = upload.read(documents.LARGEST + 1).decode("utf-8", "replace")
    return f"{text.rstrip()}\n---\n{more}" if text.strip() else more


def _planned(request: SignedInRequest, asked: Asked) -> Page:
    page = Page(asked)
    if not asked.clusters:
        page.error = _("Choose a cluster.")
        return page
    try:
        page.planned = applying.plan(request.user, asked)
    except applying.Unreadable as unreadable:
        page.problems = unreadable.problems
    return page


def _is_sure(request: SignedInRequest, page: Page) -> bool:
    given = request.POST
    if page.error or page.problems:
        return False
    if given.get("previewed") != page.mark:
        page.error = _("The preview is new: look at it, then apply.")
    elif not page.good:
        page.error = _("Nothing of this can be applied.")
    elif (word := page.word) and given.get("confirm_name", "").strip() != word:
        page.error = _("Type %(word)s to confirm.") % {"word": word}
    return not page.error


def _show(request: SignedInRequest, page: Page) -> HttpResponse:
    clusters = list(applying.offered(request.user))
    chosen = {cluster.pk for cluster in page.asked.clusters}
    if len(clusters) == 1:
        chosen = {clusters[0].pk}
    context: dict[str, Any] = {
        "page": page,
        "clusters": [(cluster, cluster.pk in chosen) for cluster in clusters],
        "previewed": page.mark if page.planned else "",
        "confirm_name": page.word,
        "key": request.POST.get("key") or uuid.uuid4().hex,
        "marks": _marks(page),
        "left_out": len(page.planned) - len(page.good),
    }
    status = 422 if page.problems or page.error else 200
    answer = render(request, PAGE, context, status=status)
    answer["Cache-Control"] = "no-store"
    return answer


def _marks(page: Page) -> list[tuple[int, str]]:
    """The lines on which something is wrong, each once."""
    found = [*page.problems, *(each for one in page.planned for each in one.problems)]
    return sorted({(each.line, each.text) for each in found if each.line})
