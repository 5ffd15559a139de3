"""Rows that were selected in a list: which there are, and files of them."""

from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse, QueryDict
from django.views.decorators.http import require_GET

from explorer import store
from explorer.filters import columns, paging, sortable, written
from explorer.filters.asked import Asked, tidy
from explorer.filters.inventory import Inventory
from explorer.filters.words import kind_named, path_word
from explorer.views.around import MOST_SELECTED
from teams.throttles import too_costly
from teams.views import SignedInRequest, too_many_files


def _asked(request: SignedInRequest, kind: str) -> Asked:
    """What the address of a list with another end asks for; Http404 for what cannot be read."""
    found = kind_named(kind)
    if found is None:
        raise Http404
    query: QueryDict = tidy(request.GET, found, ("after", "cursor", "rows"))
    asked = Asked(found, query, store.liked(request.user, found))
    if asked.wanted.problems:
        raise Http404
    return asked


@require_GET
def keys(request: SignedInRequest, kind: str) -> HttpResponse:
    """The first of all that match, as far as they may be selected: key, name, place of each."""
    asked = _asked(request, kind)
    inventory = Inventory(request.user, asked.wanted)
    sortable.settle(inventory, columns.beginning(asked.kind))
    page = paging.page(inventory, MOST_SELECTED)
    rows = [
        {"key": str(seen.object.pk), "name": seen.object.name} for seen in inventory.rows(page.keys)
    ]
    return JsonResponse({"rows": rows, "more": page.next is not None})


@require_GET
def as_csv(request: SignedInRequest, kind: str) -> HttpResponseBase:
    """What the list shows, all of it up to a bound; `rows` names those that are wanted only."""
    asked = _asked(request, kind)
    wanted, named = asked.wanted, request.GET.get("rows", "")
    if named:
        numbers = [int(key) for key in named.split(",") if key.isdecimal() and len(key) < 19]
        wanted = written.only(wanted, numbers[:MOST_SELECTED])
    if (wait := too_costly(request)) is not None:
        return too_many_files(request, wait)
    inventory = Inventory(request.user, wanted)
    sortable.settle(inventory, columns.beginning(asked.kind))
    wanted, heads = inventory.wanted, [str(column.label) for column in asked.columns]
    return written.answer(request.user, wanted, asked.columns, heads, path_word(asked.kind))
