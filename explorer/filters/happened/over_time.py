"""How what happened lies in time, and falls into facets: in one pass over the same events."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from clusters.store.plain import around
from explorer.filters.happened.asked import type_of
from explorer.filters.happened.groups import Happened

BARS = 30
# The facets, with the columns that events have for them and the fields of their filters.
FACETS = {
    "type": ("health", "health"),
    "cluster": ("cluster_id", "cluster"),
    "environment": ("cluster_id", "environment"),
    "namespace": ("namespace", "namespace"),
    "about": ("owner_kind", "about"),
    "reason": ("status", "status"),
}
COLUMNS = ("health", "cluster_id", "namespace", "owner_kind", "status")
# A facet shows its most frequent values.
MOST_VALUES = 100

_COUNTED = """
WITH matching({names}) AS MATERIALIZED ({{}})
SELECT grouping({names}), coalesce({texts}), count(*) FROM matching
GROUP BY GROUPING SETS ({sets})
"""
_BARS = """
WITH matching(health, created) AS MATERIALIZED ({}), span AS (
  SELECT coalesce(%s::timestamptz, min(created)) AS first, greatest(%s, max(created)) AS last
  FROM matching
)
SELECT first, last, least(greatest(width_bucket(extract(epoch FROM created),
    extract(epoch FROM first), extract(epoch FROM last) + 1, %s), 1), %s) AS bar,
  count(*) FILTER (WHERE health = 'degraded'), count(*) FILTER (WHERE health <> 'degraded')
FROM matching, span GROUP BY 1, 2, 3
"""


@dataclass(frozen=True)
class Bar:
    """The events whose last time lies between two moments."""

    since: datetime
    until: datetime
    warnings: int
    normal: int

    @property
    def total(self) -> int:
        return self.warnings + self.normal


@dataclass(frozen=True)
class Told:
    """Bars of equal width, the oldest first, and for each facet its values with their numbers."""

    bars: list[Bar]
    facets: dict[str, dict[str, int]]


def told(happened: Happened) -> Told:
    """Each facet leaves its own filter out, so that one sees what else could be chosen."""
    shared = _counted(happened, "", COLUMNS)
    facets = {}
    for facet, (column, field) in FACETS.items():
        asked = happened.asked
        own = any(term.field == field for term in asked.wanted.terms)
        if field == "about":
            own = bool(asked.about)
        values = (_counted(happened, field, (column,)) if own else shared)[column]
        facets[facet] = _named(happened, facet, values)
    return Told(_bars(happened), facets)


def _counted(happened: Happened, but: str, columns: tuple[str, ...]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {column: {} for column in columns}
    every = (1 << len(columns)) - 1
    by = {every ^ 1 << n: column for n, column in enumerate(reversed(columns))}
    sql = _COUNTED.format(
        names=", ".join(columns),
        texts=", ".join(f"{column}::text" for column in columns),
        sets=", ".join(f"({column})" for column in columns),
    )
    for mask, value, n in around(sql, happened.matching(but).values_list(*columns)):
        found[by[mask]][value] = n
    return found


def _named(happened: Happened, facet: str, values: dict[str, int]) -> dict[str, int]:
    """The most frequent values first; clusters by name, types as Kubernetes calls them."""
    named: Counter[str] = Counter()
    if facet in {"cluster", "environment"}:
        for key, cluster in happened.inventory.clusters.items():
            name = cluster.name if facet == "cluster" else cluster.environment
            named[name] += values.get(str(key), 0)
    elif facet == "type":
        for health, n in values.items():
            named[type_of(health)] += n
    else:
        named.update(values)
    ranked = sorted((-n, name) for name, n in named.items() if name and n)
    return {name: -n for n, name in ranked[:MOST_VALUES]}


def _bars(happened: Happened) -> list[Bar]:
    asked = happened.asked
    rows = happened.matching().values_list("health", "created")
    found: list[Any] = around(_BARS, rows, after=[asked.since, asked.now, BARS, BARS])
    if not found:
        return []
    first, last = found[0][0].astimezone(UTC), found[0][1].astimezone(UTC)
    width = max((last - first) / BARS, timedelta(seconds=1))
    numbers = {bar: (warnings, normal) for _first, _last, bar, warnings, normal in found}
    return [
        Bar(first + n * width, first + (n + 1) * width, *numbers.get(n + 1, (0, 0)))
        for n in range(BARS)
    ]
