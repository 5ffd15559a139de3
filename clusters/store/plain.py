"""Rows of plain SQL for what every list asks: models would take longer than finding them."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from psycopg.types.datetime import TimestamptzLoader


def rows(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What a statement finds, as psycopg reads it; JSON stays text."""
    with connection.cursor() as cursor:
        # Django's own is written in Python: it takes 8 µs for each time.
        cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
        cursor.execute(sql, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def around(
    sql: str, *parts: QuerySet[Any, Any], before: Sequence[Any] = (), after: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """As `rows`, of a statement with queries in its places `{}`; its own parameters stand before
    or after all of theirs.

    Nothing where one of the queries can find nothing.
    """
    try:
        compiled = [part.query.sql_with_params() for part in parts]
    except EmptyResultSet:
        return []
    parameters = [value for _, values in compiled for value in values]
    return rows(sql.format(*(text for text, _ in compiled)), [*before, *parameters, *after])
