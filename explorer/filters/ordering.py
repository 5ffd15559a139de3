"""The orders of a list. Each is total, so that a page begins exactly after the row before it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Expression,
    F,
    Func,
    IntegerField,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import OrderBy
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Length

from explorer.filters.words import HEALTH

# Columns that are computed: a rank, what a row lacks, a fact, and how long a fact of digits is.
RANK = "health rank"
MISSING = "missing"
IMAGE = "first image"
FACT = "facts."
DIGITS = "digits."


def _rank() -> Case:
    """Health in the order in which it needs a person."""
    ranks = [When(health=word, then=Value(n)) for n, word in enumerate(HEALTH)]
    return Case(*ranks, default=Value(len(HEALTH)), output_field=IntegerField())


def _fact(name: str) -> Expression:
    """A fact as text, "" where there is none."""
    fact = KeyTextTransform(name, "facts")
    return Coalesce(fact, Value(""), output_field=TextField())


def _image() -> Expression:
    # Through a cast: the column is no text of a known length.
    first = Cast(F("images__0"), CharField())
    return Coalesce(first, Value(""), output_field=CharField())


_COMPUTED: dict[str, Callable[[], Any]] = {
    RANK: _rank,
    MISSING: lambda: F("wanted") - F("ready"),
    IMAGE: _image,
}


def _key(name: str) -> Any:
    """What a column is in SQL."""
    if name in _COMPUTED:
        return _COMPUTED[name]()
    if name.startswith(DIGITS):
        return Length(_fact(name.removeprefix(DIGITS)))
    return _fact(name.removeprefix(FACT)) if name.startswith(FACT) else F(name)


@dataclass(frozen=True)
class Order:
    """Columns, then the key; `groups` names those that are few and known to the tallies.

    An order without groups is that of an index that begins with the kind, if it is `indexed`; one
    with groups is walked from group to group, by name within each.
    """

    columns: tuple[str, ...]
    groups: tuple[str, ...] = ()
    down: bool = False
    indexed: bool = True

    @classmethod
    def named(cls, sort: str) -> "Order":
        """The order that an address names, `-` for the other way around."""
        order = SORTS[sort.removeprefix("-")]
        return replace(order, down=order.down ^ sort.startswith("-"))

    @property
    def keys(self) -> list[Expression | F]:
        """What rows are sorted by, the primary key last."""
        return [_key(name) for name in (*self.columns, "pk")]

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


_PLACE = ("cluster__name", "namespace", "kind")
# Facts that are texts, and those that are whole numbers, of which the longer is the larger.
TEXTS = (
    "ip", "reason", "taints", "version", "zone", "region", "instanceType", "paused", "completions",
    "schedule", "suspended", "lastSchedule", "type", "clusterIP", "externalIP", "ports", "class",
    "hosts", "address", "volume", "capacity", "claim", "provisioner", "default", "target",
    "minAvailable", "maxUnavailable", "object", "message", "source", "release", "chart",
    "chartVersion", "appVersion",
)  # fmt: skip
NUMBERS = ("pods", "revision", "active", "min", "max", "current", "desired", "allowed", "count")
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
    "ready": Order((MISSING,), down=True, indexed=False),
    **{name: Order((name,), indexed=False) for name in ("since", "cpu", "memory")},
    "owner": Order(("owner_name",), indexed=False),
    "kind": Order(("kind", "name"), indexed=False),
    "image": Order((IMAGE,), indexed=False),
    **{f"facts.{name}": Order((FACT + name,), indexed=False) for name in TEXTS},
    **{f"facts.{name}": Order((DIGITS + name, FACT + name), indexed=False) for name in NUMBERS},
}
