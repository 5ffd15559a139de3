"""Giving everything that is sealed a new key."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from django.db.models import F, Func, Value

from clusters import vault
from teams import accounts

BATCH = 100


@dataclass
class Rotated:
    """How a rotation went: rows that were sealed anew, and those that no key opens."""

    resealed: int = 0
    unreadable: int = 0


class _Mark(Func):
    """The first five bytes of a column: which key sealed it."""

    function = "substr"
    output_field = models.BinaryField()


def rotate(tell: Callable[[str], None], batch: int = BATCH) -> Rotated:
    """Seals with the newest key whatever another one sealed.

    Each batch is a transaction: cut off at any point, all rows stay readable with both keys, and
    the next run goes on with what is left. Rows that no key opens are told and left alone.
    """
    done = Rotated()
    for model, column in vault.sealed_columns():
        last: Any = None
        while (last := _batch(model, column, last, batch, done)) is not None:
            tell(f"{model._meta.label}: {done.resealed} sealed anew")
    sealed, unreadable = accounts.reseal()
    done.resealed += sealed
    done.unreadable += unreadable
    return done


@transaction.atomic
def _batch(
    model: type[models.Model], column: vault.SealedField, after: Any, size: int, done: Rotated
) -> Any:
    """Seals the next rows anew; the key of the last one, None when there are no more."""
    mark = _Mark(F(column.attname), Value(1), Value(5))
    left = model._default_manager.annotate(key_mark=mark).exclude(key_mark=vault.newest_mark())
    if after is not None:
        left = left.filter(pk__gt=after)
    # Locked, so that what a request stores meanwhile is not overwritten with the old content.
    rows = list(left.select_for_update(of=("self",)).order_by("pk")[:size])
    for row in rows:
        try:
            column.reseal(row)
        except vault.CannotOpen:
            done.unreadable += 1
        else:
            row.save(update_fields=[column.attname])
            done.resealed += 1
    return rows[-1].pk if rows else None
