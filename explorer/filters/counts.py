"""How many rows match, and how they fall into the values of each facet."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from clusters.store import plain
from explorer.filters.inventory import Inventory

# Counting rows one by one stops here; what the tallies know is exact at any size.
MOST_COUNTED = 10_000
# A facet shows its most frequent values.
MOST_VALUES = 100
# The facets, and the columns that objects and tallies have for them.
FACETS = {
    "status": "status",
    "health": "health",
    "cluster": "cluster_id",
    "environment": "cluster_id",
    "namespace": "namespace",
    "kind": "kind",
}
COLUMNS = ("status", "health", "cluster_id", "namespace", "kind")

# For each column its values and how many rows have them.
Counted = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Counts:
    """The matches; `exact` is False where there are more than were counted."""

    total: int
    exact: bool
    facets: Counted = field(default_factory=dict)


def count(inventory: Inventory) -> Counts:
    """The total and all facets. Each facet leaves its own filter out, so that one sees what else
    could be chosen; where not all rows were counted, its figures are those of the ones that were.
    """
    shared = _counted(inventory, "", COLUMNS)
    total = sum(shared["kind"].values())
    exact = inventory.wanted.tallied or total <= MOST_COUNTED
    facets = {}
    for facet, column in FACETS.items():
        own = any(term.field == facet for term in inventory.wanted.terms)
        values = (_counted(inventory, facet, (column,)) if own else shared)[column]
        facets[facet] = _named(inventory, facet, values)
    return Counts(total if exact else MOST_COUNTED, exact, facets)


def _counted(inventory: Inventory, but: str, columns: Sequence[str]) -> Counted:
    """The matches without the terms of a field, by each of the columns in one pass.

    Where the tallies do not know, of no more than MOST_COUNTED and one more.
    """
    rows: QuerySet[Any, Any]
    if inventory.wanted.tallied:
        rows, number = inventory.tallies(but).order_by().values_list(*columns, "n"), "sum(n)"
    else:
        objects = inventory.objects(but).order_by().values_list(*columns)
        rows, number = objects[: MOST_COUNTED + 1], "count(*)"
    found: Counted = {column: {} for column in columns}
    names = ", ".join(columns)
    # A bit for each column, the last the lowest; 0 for the one that was grouped by.
    every = (1 << len(columns)) - 1
    by = {every ^ 1 << n: column for n, column in enumerate(reversed(columns))}
    counted = plain.around(
        f"WITH matching({names}{', n' if inventory.wanted.tallied else ''})"
        f" AS MATERIALIZED ({{}}) SELECT grouping({names}),"
        f" coalesce({', '.join(f'{column}::text' for column in columns)}), {number}::bigint"
        f" FROM matching GROUP BY GROUPING SETS ({', '.join(f'({one})' for one in columns)})",
        rows,
    )
    for mask, value, n in counted:
        found[by[mask]][value] = n
    return found


def _named(inventory: Inventory, facet: str, values: dict[str, int]) -> dict[str, int]:
    """The most frequent values first, clusters by name."""
    if facet in {"cluster", "environment"}:
        named: Counter[str] = Counter()
        for key, cluster in inventory.clusters.items():
            name = cluster.name if facet == "cluster" else cluster.environment
            named[name] += values.get(str(key), 0)
        values = named
    ranked = sorted((-n, name) for name, n in values.items() if name and n)
    return {name: -n for n, name in ranked[:MOST_VALUES]}
