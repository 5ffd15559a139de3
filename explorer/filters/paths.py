"""Where the lists are."""

from django.urls import reverse

from explorer.filters.words import path_word


def list_path(kind: str) -> str:
    """Where the list of a kind is."""
    return reverse("pods") if kind == "Pod" else reverse("object-list", args=[path_word(kind)])


def address(kind: str, query: str) -> str:
    """The list with a filter."""
    return f"{list_path(kind)}?{query}" if query else list_path(kind)


def object_path(kind: str, pk: int) -> str:
    """Where one object is."""
    return reverse("pod-detail" if kind == "Pod" else "object-detail", args=[pk])
