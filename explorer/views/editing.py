"""The editor of one object: written, looked at by a dry run, merged where others wrote, saved."""

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

from clusters.kube import errors
from clusters.kube.edited.merging import GONE, Overlap
from clusters.kube.opened.text import written
from clusters.models import Environment, Object
from clusters.services import looking
from explorer.filters.paths import object_path
from explorer.services import editing
from explorer.services.acting import Choice
from explorer.services.clashes import Clash, Draft
from explorer.services.editing import Looked, Problem
from explorer.views.acting import told
from operations import services as operations
from teams import access
from teams.views import SignedInRequest, go

PAGE = "explorer/edit.html"
LONGEST_BASE = 1024 * 1024


@dataclass
class Page:
    """What the editor shows beside the text."""

    draft: Draft
    looked: Looked | None = None
    clash: Clash | None = None
    problems: list[Problem] = field(default_factory=list)
    failure: looking.Failure | None = None
    error: str = ""

    @property
    def status(self) -> int:
        if self.clash:
            return 409
        return 422 if self.problems or self.error else 200


@require_http_methods(["GET", "POST"])
def edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Editing an object; what was typed comes back with every answer."""
    found = access.get_or_404(request.user, Object, pk)
    choice = editing.choice(request.user, found)
    if request.method == "GET":
        return _show(request, choice, _opened(request, choice))
    page = _looked(request, choice, _draft(request))
    if request.POST.get("do") == "save" and page.looked and _is_sure(request, choice, page):
        try:
            operation = editing.request(
                request.user, choice, page.looked, request.POST.get("key", "")[:64]
            )
        except operations.Held as held:
            page.error = _("%(operation)s works on this object. Wait for its end.") % {
                "operation": held.operation.label
            }
        except operations.KeyReused:
            page.error = _("This was saved before. Open the editor again.")
        else:
            return go(request, reverse("operation-detail", args=[operation.pk]))
    return _show(request, choice, page)


@require_GET
def schema(request: SignedInRequest, pk: int) -> HttpResponse:
    """The fields of the object's kind, as the cluster tells them; 204 where it does not."""
    found = access.get_or_404(request.user, Object, pk)
    choice = editing.choice(request.user, found)
    try:
        made = editing.fields(request.user, choice)
    except editing.FAILURES:
        return HttpResponse(status=204)
    return JsonResponse(made, headers={"Cache-Control": "private, max-age=300"})


def _opened(request: SignedInRequest, choice: Choice) -> Page:
    before = request.GET.get("operation", "")
    draft = editing.written_before(request.user, choice.object, before) if before else None
    if draft is not None:
        return Page(draft)
    try:
        return Page(editing.opened(request.user, choice).draft)
    except editing.FAILURES as error:
        return Page(Draft("", {}, ""), failure=looking.failure(error))


def _draft(request: SignedInRequest) -> Draft:
    given = request.POST
    try:
        base = json.loads(given.get("base", "")[:LONGEST_BASE])
    except ValueError:
        base = None
    if not isinstance(base, dict) or not isinstance(base.get("metadata"), dict):
        raise Http404
    decided = {}
    if given.get("do") == "merge":
        for n, path in enumerate(given.getlist("path")[:500]):
            side = given.get(f"side-{n}")
            if side in ("mine", "theirs"):
                decided[path] = side
    text = given.get("text", "").replace("\r\n", "\n")
    return Draft(text, base, given.get("version", "")[:64], given.get("do") == "merge", decided)


def _looked(request: SignedInRequest, choice: Choice, draft: Draft) -> Page:
    """The draft after a dry run of it, or why there was none."""
    try:
        found = editing.look(request.user, choice, draft)
    except editing.Refused as refused:
        return Page(draft, problems=refused.problems)
    except editing.FAILURES as error:
        return Page(draft, failure=looking.failure(error))
    if isinstance(found, Clash):
        return Page(draft, clash=found)
    return Page(found.draft, looked=found)


def _is_sure(request: SignedInRequest, choice: Choice, page: Page) -> bool:
    """What is saved is what was looked at, and the name was typed where it must be."""
    given = request.POST
    if given.get("previewed") != _mark(page):
        page.error = _("The preview is new: look at it, then save.")
    elif not page.looked or not page.looked.fields:
        page.error = _("Nothing would change.")
    elif (word := _word(choice)) and given.get("confirm_name", "").strip() != word:
        page.error = _("Type %(word)s to confirm.") % {"word": word}
    return not page.error


def _mark(page: Page) -> str:
    """Names what was looked at: the text, and all that would change by it."""
    looked = page.looked
    seen = json.dumps([page.draft.text, looked.lines if looked else []])
    return hashlib.sha256(seen.encode()).hexdigest()


def _word(choice: Choice) -> str:
    found = choice.object
    return found.name if found.cluster.environment == Environment.PROD else ""


def _show(request: SignedInRequest, choice: Choice, page: Page) -> HttpResponse:
    found = choice.object
    context: dict[str, Any] = {
        "object": found,
        "named": told(found),
        "page": page,
        "draft": page.draft,
        "base": json.dumps(page.draft.base),
        "previewed": _mark(page) if page.looked else "",
        "confirm_name": _word(choice),
        "key": request.POST.get("key") or uuid.uuid4().hex,
        "overlaps": [_side(each) for each in page.clash.overlaps] if page.clash else [],
        "back": f"{object_path(found.kind, found.pk)}?tab=yaml",
        "is_fresh": request.method == "GET",
        "is_secret": found.kind == "Secret",
        "marks": [[each.line, each.text] for each in page.problems if each.line],
    }
    answer = render(request, PAGE, context, status=page.status)
    answer["Cache-Control"] = "no-store"
    return answer


def _side(each: Overlap) -> dict[str, str]:
    """A field that both changed, as a choice of people."""
    sides = {"base": each.base, "mine": each.mine, "theirs": each.theirs}
    return {"path": each.path, **{name: _value(value) for name, value in sides.items()}}


def _value(value: Any) -> str:
    if value is GONE:
        return str(_("not there"))
    try:
        return written(value).removesuffix("...\n").strip()[:2000]
    except errors.BadAnswer:
        return "…"
