"""The orders of a list. Each is total, so that a page begins exactly after the row before it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import BooleanField, Case, Expression, F, Func, IntegerField, Value, When
from django.db.models.expressions import OrderBy

from explorer.filters.words import HEALTH


def _rank() -> Case:
    """Health in the order in which it needs a person."""
    ranks = [When(health=word, then=Value(n)) for n, word in enumerate(HEALTH)]
    return Case(*ranks, default=Value(len(HEALTH)), output_field=IntegerField())


@dataclass(frozen=True)
class Order:
    """Columns, then the key; `groups` names those that are few and known to the tallies.

    An order without groups is that of an index that begins with the kind; one with groups is
    walked from group to group, by name within each.
    """

    columns: tuple[str, ...]
    groups: tuple[str, ...] = ()
    down: bool = False

    @classmethod
    def named(cls, sort: str) -> "Order":
        """The order that an address names, `-` for the other way around."""
        order = SORTS[sort.removeprefix("-")]
        return replace(order, down=order.down ^ sort.startswith("-"))

    @property
    def keys(self) -> list[Expression | F]:
        """What rows are sorted by, the primary key last."""
        return [_rank() if name == RANK else F(name) for name in (*self.columns, "pk")]

    def by(self, *keys: Expression | F) -> list[OrderBy]:
        return [OrderBy(key, descending=self.down) for key in keys]

    def after(self, keys: list[Any], position: Sequence[Any], *, here: bool = False) -> Expression:
        """The condition that keys come after a position, or stand at it if `here`.

        It is one comparison of rows, with which a search in an index can begin.
        """
        values = [Value(value) for value in position]
        sign = ("<" if self.down else ">") + ("=" if here else "")
        return Func(
            Func(*keys, template="ROW(%(expressions)s)", output_field=BooleanField()),
            Func(*values, template="ROW(%(expressions)s)", output_field=BooleanField()),
            template="%(expressions)s",
            arg_joiner=f" {sign} ",
            output_field=BooleanField(),
        )

    @property
    def group_keys(self) -> list[Expression | F]:
        return self.keys[: len(self.groups)]


RANK = "health rank"
_PLACE = ("cluster__name", "namespace", "kind")
SORTS = {
    "name": Order(("name",)),
    "created": Order(("created",)),
    "age": Order(("created",), down=True),
    "restarts": Order(("restarts",)),
    "node": Order(("node",)),
    "cluster": Order((*_PLACE, "name"), groups=_PLACE),
    "namespace": Order(
        ("namespace", "cluster__name", "kind", "name"),
        groups=("namespace", "cluster__name", "kind"),
    ),
    "status": Order(("status", "health", "kind", "name"), groups=("status", "health", "kind")),
    "health": Order((RANK, "status", "kind", "name"), groups=(RANK, "status", "kind")),
}
