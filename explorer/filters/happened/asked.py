"""Which events an address asks for, over which time, and in which order their groups come."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from explorer.filters.criteria import ObjectFilter
from explorer.filters.typed import Term

WINDOWS = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    # As long as anybody keeps them.
    "all": timedelta(days=36500),
}
USUAL = "1h"
# What each order compares, in SQL.
SORTS = {"last": "last", "first": "first", "count": "times", "objects": "objects"}
BEGINS = "-last"
# How parameters are called that other lists call otherwise, and their values.
_CALLED = {"reason": "status", "type": "health"}
TYPES = {"Warning": "degraded", "Normal": "idle"}
_AS_IN_LISTS = ("q", "cluster", "environment", "env", "namespace", "owner")


def type_of(health: str) -> str:
    """As Kubernetes calls it."""
    return "Warning" if health == TYPES["Warning"] else "Normal"


@dataclass(frozen=True)
class EventsAsked:
    """`wanted` are the conditions, `about` the kinds of objects that are told of, none for any."""

    wanted: ObjectFilter
    window: str
    about: tuple[str, ...]
    sort: str
    cursor: str
    now: datetime

    @classmethod
    def of(cls, query: QueryDict) -> "EventsAsked":
        """What cannot be read stands in `wanted.problems`, and is left out."""
        plain, now = QueryDict(mutable=True), timezone.now()
        for name in _AS_IN_LISTS:
            plain.setlist(name, query.getlist(name))
        for name, column in _CALLED.items():
            values = [TYPES.get(value, value) for value in query.getlist(name)]
            plain.setlist(column, values)
        wanted = ObjectFilter.of(plain, "Event", "age")
        problems = dict(wanted.problems)
        if "health" in problems:
            problems["type"] = problems.pop("health")
        window, sort = query.get("window") or USUAL, query.get("sort") or BEGINS
        if window not in WINDOWS:
            problems["window"] = [_("Choose one of %(names)s.") % {"names": ", ".join(WINDOWS)}]
            window = USUAL
        if sort.removeprefix("-") not in SORTS:
            problems["sort"] = [_("There is no such order.")]
            sort = BEGINS
        terms = wanted.terms
        if window != "all":
            terms = (*terms, Term("age", (window,), sign="<="))
        about = tuple(dict.fromkeys(filter(None, query.getlist("about"))))[:20]
        wanted = replace(wanted, terms=terms, problems=problems)
        cursor = query.get("cursor") or query.get("after") or ""
        return cls(wanted, window, about, sort, cursor, now)

    @property
    def since(self) -> datetime | None:
        """From when on, None for all that is kept."""
        return None if self.window == "all" else self.now - WINDOWS[self.window]

    @property
    def narrows(self) -> bool:
        return self.wanted.narrows or bool(self.about)
