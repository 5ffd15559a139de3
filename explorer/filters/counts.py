"""How many rows match, and how they fall into the values of each facet."""

from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

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
    total, exact, shared = _counted(inventory, "")
    facets = {}
    for facet, column in FACETS.items():
        own = any(term.field == facet for term in inventory.wanted.terms)
        values = (_counted(inventory, facet)[2] if own else shared)[column]
        facets[facet] = _named(inventory, facet, values)
    return Counts(total, exact, facets)


def _counted(inventory: Inventory, but: str) -> tuple[int, bool, Counted]:
    """The number of matches without the terms of a field, whether it is exact, and by column."""
    if inventory.wanted.tallied:
        rows = inventory.tallies(but).order_by().values_list(*COLUMNS, "n")
        found = _grouped(rows, "sum(n)")
    else:
        objects = inventory.objects(but).order_by().values_list(*COLUMNS)
        found = _grouped(objects[: MOST_COUNTED + 1], "count(*)")
    total = sum(found["kind"].values())
    if inventory.wanted.tallied or total <= MOST_COUNTED:
        return total, True, found
    return MOST_COUNTED, False, found


def _grouped(rows: QuerySet[Any, Any], number: str) -> Counted:
    """The rows counted by each column in one pass."""
    found: Counted = {column: {} for column in COLUMNS}
    try:
        sql, parameters = rows.query.sql_with_params()
    except EmptyResultSet:
        return found
    extra = ", n" if number == "sum(n)" else ""
    sets = ", ".join(f"({column})" for column in COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH matching({', '.join(COLUMNS)}{extra}) AS MATERIALIZED ({sql})"
            f" SELECT grouping({', '.join(COLUMNS)}), {', '.join(COLUMNS)}, {number}"
            f" FROM matching GROUP BY GROUPING SETS ({sets})",
            parameters,
        )
        for mask, *values, n in cursor:
            # A bit for each column, the last the lowest; 0 for the one that was grouped by.
            column = next(i for i in range(len(COLUMNS)) if not mask >> (len(COLUMNS) - 1 - i) & 1)
            found[COLUMNS[column]][str(values[column])] = int(n)
    return found


def _named(inventory: Inventory, facet: str, values: dict[str, int]) -> dict[str, int]:
    """The most frequent values first, clusters by name."""
    named: dict[str, int] = {}
    clusters = {str(pk): cluster for pk, cluster in inventory.clusters.items()}
    for value, n in values.items():
        name = value
        if facet in {"cluster", "environment"}:
            if value not in clusters:  # registered or deleted since they were looked up
                continue
            found = clusters[value]
            name = found.name if facet == "cluster" else found.environment
        named[name] = named.get(name, 0) + n
    named.pop("", None)
    ranked = sorted(named.items(), key=lambda item: (-item[1], item[0]))
    return dict(ranked[:MOST_VALUES])
