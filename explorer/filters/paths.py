"""Where the lists are."""

from django.urls import reverse

from explorer.filters.words import path_word

# Those that have an address of their own.
OWN_PAGES = {"Pod": "pods", "Workload": "workloads", "Node": "nodes"}


def list_path(kind: str) -> str:
    """Where the list of a kind is."""
    if kind in OWN_PAGES:
        return reverse(OWN_PAGES[kind])
    return reverse("object-list", args=[path_word(kind)])


def address(kind: str, query: str) -> str:
    """The list with a filter."""
    return f"{list_path(kind)}?{query}" if query else list_path(kind)


def object_path(kind: str, pk: int) -> str:
    """Where an object has its own page, which lists open beside them."""
    return reverse("pod-detail" if kind == "Pod" else "object-detail", args=[pk])
