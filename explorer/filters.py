"""The question in a pods page's address: typed, applied in SQL, paged by key."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from clusters.models import Environment, Object

PAGE = 100
# More rows than this are not kept on one page by a live update.
MOST_SHOWN = 500
# Counting is exact up to here, then "10,000+".
MOST_COUNTED = 10_000
HEALTH = {
    "failing": _("Failing"),
    "degraded": _("Degraded"),
    "progressing": _("Progressing"),
    "healthy": _("Healthy"),
    "idle": _("Completed"),
    "unknown": _("Unknown"),
}
# How the address names a column, and the row's field.
SORTS = {
    "name": "name",
    "namespace": "namespace",
    "cluster": "cluster__name",
    "status": "status",
    "restarts": "restarts",
    "node": "node",
    "age": "created",
}
# What a cursor holds for columns that are no text.
_KINDS = {"created": datetime, "restarts": int}


@dataclass(frozen=True)
class PodFilter:
    """`q` is a part of the name; lists are alternatives; unknown words ask for nothing."""

    q: str = ""
    clusters: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    health: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    sort: str = "name"
    after: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> "PodFilter":
        sort = query.get("sort", "name")
        return cls(
            q=query.get("q", "").strip()[:253],
            clusters=tuple(filter(None, query.getlist("cluster"))),
            namespaces=tuple(filter(None, query.getlist("namespace"))),
            health=tuple(word for word in query.getlist("health") if word in HEALTH),
            environments=tuple(word for word in query.getlist("env") if word in Environment.values),
            sort=sort if sort.removeprefix("-") in SORTS else "name",
            after=query.get("after", ""),
        )

    @property
    def narrows(self) -> bool:
        return bool(self.q or self.clusters or self.namespaces or self.health or self.environments)

    def apply(self, rows: QuerySet[Object]) -> QuerySet[Object]:
        wanted = Q()
        if self.q:
            wanted &= Q(name__icontains=self.q)
        for field, values in (
            ("cluster__name__in", self.clusters),
            ("namespace__in", self.namespaces),
            ("health__in", self.health),
            ("cluster__environment__in", self.environments),
        ):
            if values:
                wanted &= Q(**{field: values})
        return rows.filter(wanted)

    def page(self, rows: QuerySet[Object], size: int = PAGE) -> tuple[list[Object], str | None]:
        """The rows after the cursor in order, and the cursor of what follows, None at the end."""
        field, down = SORTS[self.sort.removeprefix("-")], self.sort.startswith("-")
        position = _position(self.after, field)
        if position is not None:
            value, key = position
            side = "lt" if down else "gt"
            rows = rows.filter(
                Q(**{f"{field}__{side}": value}) | Q(**{field: value, f"pk__{side}": key})
            )
        sign = "-" if down else ""
        found = list(rows.order_by(f"{sign}{field}", f"{sign}pk")[: size + 1])
        more = len(found) > size
        found = found[:size]
        return found, _cursor(found[-1], field) if more else None


def _cursor(row: Object, field: str) -> str:
    value: Any = row
    for part in field.split("__"):
        value = getattr(value, part)
    text = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([text, row.pk]).encode()).decode()


def _position(cursor: str, field: str) -> tuple[Any, int] | None:
    """What `_cursor` wrote for this field; None for all else, which begins again at the top."""
    try:
        value, key = json.loads(base64.urlsafe_b64decode(cursor))
        if field == "created":
            value = datetime.fromisoformat(value)
    except (ValueError, TypeError, RecursionError):
        return None
    kind = _KINDS.get(field, str)
    aware = not isinstance(value, datetime) or value.tzinfo is not None
    if type(key) is not int or type(value) is not kind or not aware or "\0" in str(value):
        return None
    return value, key


def counted(rows: QuerySet[Object]) -> tuple[int, bool]:
    """How many rows, and whether there are more than were counted."""
    n = rows.order_by()[: MOST_COUNTED + 1].count()
    return min(n, MOST_COUNTED), n > MOST_COUNTED
