"""A list as an address asks for it: which kind, which columns, and the filter."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.http import QueryDict

from explorer.filters import columns
from explorer.filters.columns import Column
from explorer.filters.criteria import ObjectFilter


@dataclass(frozen=True)
class Asked:
    """`liked` are the keys of the columns that the person chose before, if any."""

    kind: str
    query: QueryDict
    liked: tuple[str, ...] = ()

    @cached_property
    def columns(self) -> list[Column]:
        given = self.query.get("columns")
        return columns.chosen(self.kind, given.split(",") if given else self.liked)

    @cached_property
    def wanted(self) -> ObjectFilter:
        return ObjectFilter.of(self.query, self.kind, columns.beginning(self.kind))

    @property
    def whole(self) -> QueryDict:
        """The address with the columns that are shown, where they are not the usual ones."""
        found = self.query.copy()
        found.pop("columns", None)
        if self.columns != columns.usual(self.kind):
            found["columns"] = ",".join(column.key for column in self.columns)
        return found


def tidy(query: QueryDict, kind: str, without: Iterable[str] = ()) -> QueryDict:
    """The address without parameters that ask for nothing, and without those named."""
    kept = QueryDict(mutable=True)
    for name, values in query.lists():
        useful = [
            value
            for value in values
            if value and (name, value) != ("sort", columns.beginning(kind))
        ]
        if useful and name not in without:
            kept.setlist(name, useful)
    return kept
