"""Groups of rows that the tallies know, such as a namespace's pods or all that stand one way."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.db.models import Q

from explorer.filters.inventory import Inventory
from explorer.filters.ordering import RANK
from explorer.filters.words import HEALTH

# A larger group of rows is walked through, smaller ones are sorted together.
LARGE_GROUP = 5_000


class Group(NamedTuple):
    """The values of some columns, and how many rows have them."""

    columns: tuple[str, ...]
    values: tuple[Any, ...]
    n: int


def within(groups: list[Group], inventory: Inventory) -> Q:
    """The condition of being in one of the groups, which all have the same columns.

    All but one column are spelled out and the values of that one listed, so that a page of many
    small groups is still a short statement.
    """
    named = [_conditions(group, inventory) for group in groups]
    # The column with the most different values is the one to list.
    listed = max(named[0], key=lambda column: len({conditions[column] for conditions in named}))
    found: dict[tuple[tuple[str, Any], ...], list[Any]] = defaultdict(list)
    for conditions in named:
        value = conditions.pop(listed)
        found[tuple(conditions.items())].append(value)
    rows = Q()
    for rest, values in found.items():
        rows |= Q(*rest, (f"{listed}__in", values))
    return rows


def _conditions(group: Group, inventory: Inventory) -> dict[str, Any]:
    conditions = dict(zip(group.columns, group.values, strict=True))
    if "cluster__name" in conditions:
        name = conditions.pop("cluster__name")
        keys = {cluster.name: pk for pk, cluster in inventory.clusters.items()}
        conditions["cluster"] = keys.get(name)  # none has it that was renamed meanwhile
    if RANK in conditions:
        conditions["health"] = list(HEALTH)[conditions.pop(RANK)]
    return conditions


def batches(groups: Iterable[Group], enough: int) -> Iterator[list[Group]]:
    """Groups in order, put together while they are small; a large one stands alone."""
    batch: list[Group] = []
    for group in groups:
        if batch and (group.n > LARGE_GROUP or sum(one.n for one in batch) >= enough):
            yield batch
            batch = []
        batch.append(group)
        if group.n > LARGE_GROUP:
            yield batch
            batch = []
    if batch:
        yield batch
