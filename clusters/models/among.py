"""Rows of some of many clusters, in a condition that costs little."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import BooleanField, F, Func, Q, Value


class _IsAny(Func):
    template = "(%(expressions)s::uuid[]))"
    arg_joiner = " = ANY("
    output_field = BooleanField()


def among(column: str, keys: Iterable[UUID]) -> Q:
    """That a column holds one of the keys.

    As `column__in`, which takes a parameter for each key: 50 of them took Django a third of the
    time that it needs for a short query.
    """
    array = "{" + ",".join(key.hex for key in keys) + "}"
    return Q(_IsAny(F(column), Value(array)))
