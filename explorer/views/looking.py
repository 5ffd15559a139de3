"""What of an object is read live from its cluster: each part comes by itself, and may fail so."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from clusters.models import Object
from clusters.services import looking
from clusters.services.looking import Relative
from clusters.store import family
from explorer.filters import causes
from explorer.filters.paths import object_path
from explorer.filters.relations import grouped, seen
from explorer.services import editing
from explorer.store import Seen
from teams import access
from teams.confirmation import confirmed
from teams.roles import Action
from teams.views import SignedInRequest, form_page

# So much of a YAML is shown in the page; the whole is a file.
LONGEST = 80_000
# So much of what is only rarely looked at.
LONGEST_MANAGED = 20_000


@require_GET
def why(request: SignedInRequest, pk: int) -> HttpResponse:
    """Why the object is not well, its containers and conditions."""
    found = access.get_or_404(request.user, Object, pk)
    context: dict[str, Any] = {"object": found}
    try:
        looked = looking.look(request.user, found)
    except looking.FAILURES as error:
        context["failure"] = looking.failure(error)
    else:
        context |= _looked(request, found, looked)
    context["change"] = family.change(request.user, found)
    return render(request, "explorer/object/why.html", context)


def _looked(request: SignedInRequest, found: Object, looked: looking.Looked) -> dict[str, Any]:
    why, state = looked.why, looked.state
    top = next(
        (each for each in family.above(request.user, found) if each.name == why.owner_name), None
    )
    return {
        "causes": [causes.told(each) for each in why.causes],
        "unknown": [causes.unknown(each) for each in why.unknown],
        "mend": (top, object_path(top.kind, top.pk)) if top else None,
        "conditions": [(each, causes.moment(each.since)) for each in state.conditions],
        "containers": [
            (
                each,
                causes.moment(each.since),
                causes.moment(each.last.finished) if each.last else None,
            )
            for each in state.containers
        ],
        "finalizers": state.finalizers if state.deleted else (),
        "deleted": causes.moment(state.deleted),
        "read_at": looked.at,
    }


@require_GET
def related(request: SignedInRequest, pk: int) -> HttpResponse:
    """What stands around the object."""
    found = access.get_or_404(request.user, Object, pk)
    around = looking.related(request.user, found)
    groups = grouped(around)
    known = seen(groups)
    context = {
        "object": found,
        "groups": [
            (group, [_relative(each, known) for each in group.relatives]) for group in groups
        ],
        "more": around.more,
        "failure": around.failure,
        "unread": [(_(each.words), _(each.reason)) for each in around.unread],
        "read_at": None if around.failure else around.at,
    }
    return render(request, "explorer/object/relatives.html", context)


def _relative(found: Relative, known: dict[int, Seen]) -> tuple[Relative, str, Seen | None]:
    """It, the address of its page, and what is known of it."""
    if found.row is None:
        return found, "", None
    return found, object_path(found.kind, found.row.pk), known[found.row.pk]


@require_GET
def yaml(request: SignedInRequest, pk: int) -> HttpResponse:
    """The object as YAML; as a file with `?download`."""
    found = access.get_or_404(request.user, Object, pk)
    context: dict[str, Any] = {"object": found}
    try:
        written = looking.written(request.user, found)
    except looking.FAILURES as error:
        context["failure"] = looking.failure(error)
    else:
        if "download" in request.GET:
            return _file(found, written.manifest.text)
        context |= _written(written)
    context["edit"] = editing.offered(request.user, found)
    context["may_reveal"] = access.may(request.user, Action.ADMIN, found)
    return render(request, "explorer/object/manifest.html", context)


def _written(written: looking.Written) -> dict[str, Any]:
    manifest = written.manifest
    shown, managed = looking.visible(manifest.text), looking.visible(manifest.managed)
    return {
        "manifest": manifest,
        "text": shown[:LONGEST],
        "cut": len(shown) > LONGEST,
        "managed": managed[:LONGEST_MANAGED],
        "managed_cut": len(managed) > LONGEST_MANAGED,
        "read_at": written.at,
    }


def _file(found: Object, text: str) -> HttpResponse:
    response = HttpResponse(text, content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{found.name}.yaml"'
    return response


@require_http_methods(["GET", "POST"])
@confirmed
def reveal(request: SignedInRequest, pk: int) -> HttpResponse:
    """The values of a Secret, for who administers its place; each look is in the audit trail."""
    found = access.get_or_404(request.user, Object, pk, Action.ADMIN)
    looking.require_secret(found)
    context: dict[str, Any] = {"object": found, "values": None}
    if request.method == "POST":
        try:
            context["values"] = looking.reveal(request.user, found)
        except looking.FAILURES as error:
            context["failure"] = looking.failure(error)
    answer = form_page(request, "explorer/object/reveal.html", context, invalid=False)
    answer["Cache-Control"] = "no-store"
    return answer
