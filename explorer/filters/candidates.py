"""The values that a field has in what one person sees, each question within a short time."""

from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet

from clusters.models import Environment, Image, Object, Tally
from clusters.store import queries
from clusters.store.plain import around
from clusters.store.queries import Named
from explorer.filters.conditions import SHORT, of_kind
from explorer.filters.words import members
from teams import access
from teams.access import AnyUser

ENVIRONMENTS = tuple(str(value) for value in Environment.values)
# A person who types waits no longer for all that is looked for.
PATIENCE = "250ms"
# So many values are found.
MOST = 20
# Labels are looked up in so many objects: no index knows their keys.
LOOKED_AT = 5000
# More rows with a beginning than these are not looked at for different ones.
ROWS = 20_000
# Hardly two rows have the same name.
NAMES = 2_000

_TEXTS = "SELECT DISTINCT found.value FROM ({}) AS found(value) ORDER BY 1 LIMIT 20"
_KEYS = """
SELECT key FROM ({}) AS found(labels), jsonb_object_keys(found.labels) AS key
WHERE starts_with(lower(key), lower(%s)) GROUP BY key ORDER BY count(*) DESC, key LIMIT 20
"""
_VALUES = """
SELECT found.labels ->> %s AS value FROM ({}) AS found(labels)
WHERE starts_with(lower(found.labels ->> %s), lower(%s))
GROUP BY value ORDER BY count(*) DESC, value LIMIT 20
"""
_IMAGES = """
SELECT i.name FROM ({}) AS i(name) WHERE EXISTS (
  SELECT FROM ({}) AS o(images) WHERE o.images @> ARRAY[i.name]
) ORDER BY 1 LIMIT 20
"""
# What may be looked for by its beginning, and where it stands.
_COLUMNS = {"name": "name", "node": "node", "owner": "owner_name"}


class Seen:
    """What a person sees of a kind, or of all; the right to see is part of every question."""

    def __init__(self, user: AnyUser, kind: str = "") -> None:
        self._held = access.holdings(user)
        self._kind = of_kind(kind) if kind else Q()
        self._kinds = Q(kind__in=members(kind)) if kind else Q()
        # False once something was not found in time.
        self.in_time = True

    @cached_property
    def named(self) -> dict[UUID, Named]:
        """The clusters by key."""
        return queries.named(self._held)

    @property
    def clusters(self) -> list[str]:
        return [cluster.name for cluster in self.named.values()]

    def found(self, rows: "QuerySet[Any, Any]") -> list[tuple[Any, ...]]:
        """What a query of values gives in time; nothing otherwise."""
        return self._ask("{}", rows)

    def tallied(self, column: str) -> list[str]:
        """All values of a column of the tallies."""
        rows = access.visible(self._held, Tally).filter(n__gt=0)
        if column != "kind":
            rows = rows.filter(self._kinds)
        return [value for (value,) in self._ask("{}", rows.values_list(column).distinct()) if value]

    def texts(self, field: str, beginning: str) -> list[str]:
        """Values of a column that begin so; parts of images."""
        if field == "image":
            return self._images(beginning)
        column = _COLUMNS.get(field)
        if column is None:
            return []
        rows = self.objects().exclude(**{column: ""})
        if beginning:
            rows = rows.filter(**{f"{column}__startswith": beginning})
        if field == "name" and len(beginning) >= SHORT:
            rows = rows.filter(name__istartswith=beginning)  # by the trigrams of names
        most = NAMES if field == "name" else ROWS
        return [value for (value,) in self._ask(_TEXTS, rows.values_list(column)[:most])]

    def label_keys(self, beginning: str) -> list[str]:
        rows = self.objects().values_list("labels")[:LOOKED_AT]
        return [key for (key,) in self._ask(_KEYS, rows, beginning)]

    def label_values(self, key: str, beginning: str) -> list[str]:
        rows = self.objects().filter(labels__has_key=key).values_list("labels")[:LOOKED_AT]
        return [value for (value,) in self._ask(_VALUES, rows, key, key, beginning, first=1)]

    def _images(self, part: str) -> list[str]:
        """The images that objects of this person have; others are not told."""
        known = Image.objects.filter(name__icontains=part).order_by().values_list("name")[:ROWS]
        return [name for (name,) in self._ask(_IMAGES, known, self.objects().values_list("images"))]

    def objects(self) -> QuerySet[Object]:
        """Of the kind, in no order."""
        return access.visible(self._held, Object).filter(self._kind).order_by()

    def _ask(self, sql: str, *parts: Any, first: int = 0) -> list[tuple[Any, ...]]:
        """What is found in time; nothing otherwise."""
        if not self.in_time:
            return []
        rows = [part for part in parts if isinstance(part, QuerySet)]
        values = [part for part in parts if not isinstance(part, QuerySet)]
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = '{PATIENCE}'")
                found = around(sql, *rows, before=values[:first], after=values[first:])
                cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
        except OperationalError:
            self.in_time = False
            return []
        return found
