"""Saved views, and the columns that a person wants to see."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from explorer import services, store
from explorer.filters import columns
from explorer.filters.asked import Asked, tidy
from explorer.filters.paths import address, list_path
from explorer.filters.saving import PLACES, ViewForm
from explorer.filters.words import kind_named
from explorer.models import SavedView
from teams import access
from teams.roles import Action
from teams.views import SignedInRequest, form_page, go

EDIT = "explorer/view_edit.html"
DELETE = "explorer/view_delete.html"


@require_http_methods(["GET", "POST"])
def create(request: SignedInRequest) -> HttpResponse:
    """Of the list that `kind` and `query` name, with the columns that this person sees there."""
    initial = {}
    if kind := kind_named(request.GET.get("kind", "")):
        initial = {"kind": kind, "query": _shown(request, kind)}
    form = ViewForm(request.POST or None, initial=initial, user=request.user)
    return _answer(request, form, None)


@require_http_methods(["GET", "POST"])
def edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Its name; and what it shows, where `query` gives what it shall show from now on."""
    found = access.get_or_404(request.user, SavedView, pk, Action.ADMIN)
    initial = {"query": _shown(request, found.kind)} if "query" in request.GET else {}
    form = ViewForm(request.POST or None, instance=found, initial=initial, user=request.user)
    return _answer(request, form, found)


def _shown(request: SignedInRequest, kind: str) -> str:
    """The query that the address gives, with the columns that the person sees with it."""
    query = tidy(QueryDict(request.GET.get("query", "")[:8000]), kind, PLACES)
    return Asked(kind, query, store.liked(request.user, kind)).whole.urlencode()


def _answer(request: SignedInRequest, form: ViewForm, found: SavedView | None) -> HttpResponse:
    name = found.name if found else ""  # validating the form writes what was typed into the object
    if form.is_valid():
        try:
            saved = services.save_view(form.save(commit=False), by=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("The view %(name)s is saved.") % {"name": saved.name})
            return go(request, address(saved.kind, saved.query))
    context = {"form": form, "view": found, "name": name, "shows": _told(form["query"].value())}
    context["back"] = list_path(kind_named(form["kind"].value() or "") or "Pod")
    return form_page(request, EDIT, context, invalid=bool(form.errors))


def _told(query: str | None) -> list[tuple[str, str]]:
    """What a view shows, as people read it: each part of its address with what it is called."""
    names = {"q": _("Query"), "sort": _("Order"), "columns": _("Columns")}
    return [
        (names.get(name, name), ", ".join(_said(name, value) for value in values))
        for name, values in QueryDict(query or "").lists()
    ]


def _said(name: str, value: str) -> str:
    labels = {key: str(column.label) for key, column in columns.COLUMNS.items()}
    match name:
        case "sort":
            key = value.removeprefix("-")
            return f"{labels.get(key, key)} {'↓' if value.startswith('-') else '↑'}"
        case "columns":
            return ", ".join(labels.get(key, key) for key in value.split(","))
        case _:
            return value


@require_http_methods(["GET", "POST"])
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    found = access.get_or_404(request.user, SavedView, pk, Action.ADMIN)
    if request.method == "POST":
        services.delete_view(found, by=request.user)
        messages.success(request, _("The view %(name)s is deleted.") % {"name": found.name})
        return go(request, list_path(found.kind))
    context = {"view": found, "back": address(found.kind, found.query)}
    return form_page(request, DELETE, context, invalid=False)


@require_POST
def choose_columns(request: SignedInRequest, kind: str) -> HttpResponse:
    """Keeps the columns of the form for this kind; leads back to the list with the same filter."""
    found = kind_named(kind)
    if found is None:
        raise Http404
    wanted = columns.chosen(found, request.POST.getlist("columns"))
    usual = "usual" in request.POST or wanted == columns.usual(found)
    services.choose_columns(request.user, found, () if usual else [each.key for each in wanted])
    query = tidy(QueryDict(request.POST.get("query", "")[:8000]), found, (*PLACES, "columns"))
    return redirect(address(found, query.urlencode()))
