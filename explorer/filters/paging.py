"""One page of what matches, by key, in any order: quick for a million rows, too.

There are two ways to a page. Few matches are gathered by an index of the filter and sorted. Many
are met soon by walking along an index of the order, or along one for each of a few namespaces.
PostgreSQL guesses which it is, and when it guesses wrong it walks a million rows to find three. So
the tallies decide where they know the number; otherwise its statistics do, and each way gives up
where they were wrong.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import BooleanField, Q, QuerySet, Sum
from django.db.models.expressions import RawSQL

from clusters.models import Object, Tally
from clusters.store.plain import around
from explorer.filters import cursors
from explorer.filters.counts import Counts
from explorer.filters.groups import LARGE_GROUP, Group, batches, within
from explorer.filters.inventory import Inventory
from explorer.filters.ordering import Order

# Up to so many possible matches are gathered and sorted at once.
GATHERED = 10_000
# Rows looked at along an index before gathering is tried after all.
STEPS = 20_000
# So many namespaces of clusters are read side by side, each kind by itself.
PLACES = 200
# So many clusters' tallies are asked for at once where only the first are wanted.
CLUSTERS = 8

# The steps stand for the table itself, in a query that knows only the table.
WALK = '(WITH "clusters_object" AS NOT MATERIALIZED ({}) {})'

_SUM = "SELECT coalesce(sum(n), 0) FROM ({}) AS tallies"

# The terms that say where objects stand, and with their kind nothing else of them.
WHERE = frozenset({"kind", "cluster", "environment", "namespace"})
_IN_PLACE = RawSQL(
    "(clusters_object.cluster_id, clusters_object.kind, clusters_object.namespace)"
    " = (place.cluster_id, place.kind, place.namespace)",
    (),
    output_field=BooleanField(),
)

# What has no owner, of which an index of its own tells.
NOBODYS, ALL = Q(owner_name=""), Q()

Rows = QuerySet[Any, Any]
# What a row is sorted by; the last is its primary key.
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Page:
    """The primary keys of the rows in order, and the cursor of what follows, None at the end."""

    keys: list[int]
    next: str | None


def page(inventory: Inventory, size: int, counted: Counts | None = None) -> Page:
    """The page at the filter's cursor, the sooner if the matches were `counted` before.

    Raises cursors.BadCursor.
    """
    wanted = inventory.wanted
    after = cursors.read(wanted.sort, wanted.cursor)
    total = counted.total if counted and counted.exact else None
    found = _Pager(inventory, Order.named(wanted.sort), size + 1, total).found(after)
    more = len(found) > size
    found = found[:size]
    following = cursors.write(wanted.sort, found[-1]) if more else None
    return Page([key[-1] for key in found], following)


class _Pager:
    """Finds the first `need` matches after a position."""

    def __init__(self, inventory: Inventory, order: Order, need: int, total: int | None) -> None:
        self.inventory = inventory
        self.order = order
        self.need = need
        self.total = total

    def found(self, after: Sequence[Any]) -> list[Key]:
        if not self.order.indexed:
            return self._first(after)
        if self.inventory.limited and self._expected() <= GATHERED:
            few = self._gathered(after, GATHERED)
            if few is not None:
                return few
        if self.order.groups:
            walked = self._through_groups(after)
        elif self.order.columns == ("name",) and self._few_places():
            return self._place_by_place(after)
        else:
            walked = self._along_kinds(after)
        return walked if walked is not None else self._gathered(after) or []

    def _expected(self) -> int:
        """How many rows match: as the tallies know, or as PostgreSQL's statistics make it out."""
        if self.total is not None:
            return self.total
        tallies = self.inventory.tallies().order_by().values_list("n")
        number = sum(int(n) for (n,) in around(_SUM, tallies))
        if number <= GATHERED or self.inventory.wanted.tallied:
            return number
        plan = self.inventory.objects().order_by().values("pk").explain(format="json")
        return int(json.loads(plan)[0]["Plan"]["Plan Rows"]) if plan else 0

    def _gathered(self, after: Sequence[Any], at_most: int | None = None) -> list[Key] | None:
        """All matches sorted; None where there are more than `at_most`."""
        return self._sorted(self.inventory.objects(), after, at_most)

    def _sorted(
        self, rows: QuerySet[Object], after: Sequence[Any], at_most: int | None = None
    ) -> list[Key] | None:
        keys = self.order.keys
        names = ", ".join(f"k{n}" for n in range(len(keys)))
        down = " DESC" if self.order.down else ""
        beyond = ""
        if after and not self.order.groups:
            rows = rows.filter(self.order.after(keys, after))  # an index may know where that is
        elif after:
            beyond = f"WHERE ({names}) {'<' if down else '>'} ({', '.join(['%s'] * len(keys))})"
        chosen = rows.order_by().values_list(*keys)
        if at_most is not None:
            chosen = chosen[: at_most + 1]
        # Materialized: the order must not lure the search for the rows onto its own index.
        by = ", ".join(f"k{n}{down}" for n in range(len(keys)))
        found = around(
            f"WITH found({names}) AS MATERIALIZED ({{}})"
            f" SELECT page.*, counted.n FROM (SELECT count(*) AS n FROM found) AS counted"
            f" LEFT JOIN (SELECT * FROM found {beyond} ORDER BY {by} LIMIT {self.need}) AS page"
            f" ON true ORDER BY {by}",
            chosen,
            after=after if beyond else (),
        )
        if at_most is not None and found and found[0][-1] > at_most:
            return None
        # Where nothing is on the page there is still the number.
        return [key[:-1] for key in found if key[-2] is not None]

    def _first(self, after: Sequence[Any]) -> list[Key]:
        """By an order that no index has: all matches are looked at, and the first ones kept."""
        keys = self.order.keys
        rows = self.inventory.objects()
        if after:
            rows = rows.filter(self.order.after(keys, after))
        return around("{}", rows.order_by(*self.order.by(*keys)).values_list(*keys)[: self.need])

    def _along_kinds(self, after: Sequence[Any]) -> list[Key] | None:
        """By the index of the order, which begins with the kind; None where that takes too long."""
        kinds = self._kinds
        if not kinds:
            return []
        beyond = Q(self.order.after(self.order.keys, after)) if after else Q()
        unowned = self.inventory.wanted.unowned
        walks = [
            self._walk(
                Q(kind=kind) & (NOBODYS if kind in unowned else ALL) & beyond, self.order.keys
            )
            for kind in kinds
        ]
        down = " DESC" if self.order.down else ""
        arms = (f"SELECT met.*, {n} FROM {WALK} AS met" for n in range(len(walks)))
        found = around(
            f"{' UNION ALL '.join(arms)} ORDER BY 1{down}, 2{down}",
            *(rows for walk in walks for rows in walk),
        )
        met = Counter(key[-1] for key in found)
        short = [kind for n, kind in enumerate(kinds) if met[n] < self.need]
        # What lies behind the last step of such a walk might come before what others met.
        if len(kinds) == len(short) == 1 or self._larger_than_steps(short):
            return None
        return [key[:-1] for key in found[: self.need]]

    def _few_places(self) -> bool:
        """Whether what matches is all there is in a few namespaces of clusters."""
        wanted = self.inventory.wanted
        spaces = wanted.asked("namespace")
        named = [len(term.values) for term in spaces if not term.patterns]
        if (
            len(named) != len(spaces)
            or not named
            or any(term.field not in WHERE for term in wanted.terms)
        ):
            return False
        return min(named) * len(self.inventory.searched) * len(self._kinds) <= PLACES

    def _place_by_place(self, after: Sequence[Any]) -> list[Key]:
        """The first of each namespace by an index, in order.

        By the index of all names they might be met late: the names of a namespace are often alike.
        """
        keys = self.order.keys
        places = self.inventory.tallies().order_by().values_list("cluster_id", "kind", "namespace")
        rows = self.inventory.objects().filter(_IN_PLACE)
        if after:
            rows = rows.filter(self.order.after(keys, after))
        down = " DESC" if self.order.down else ""
        rows = rows.order_by(*self.order.by(*keys))
        return around(
            "WITH place AS ({}) SELECT met.* FROM place CROSS JOIN LATERAL ({}) AS met"
            f" ORDER BY 1{down}, 2{down} LIMIT {self.need}",
            places.distinct(),
            rows.values_list(*keys)[: self.need],
        )

    @cached_property
    def _kinds(self) -> list[str]:
        """The kinds that were asked for, or else all of which there are rows."""
        kinds = self.inventory.wanted.kinds
        if kinds is not None:
            return list(kinds)
        return list(self.inventory.tallies().order_by().values_list("kind", flat=True).distinct())

    def _larger_than_steps(self, kinds: list[str]) -> bool:
        """Whether any of the kinds has more rows than a walk looks at, seen or not."""
        if not kinds:
            return False
        if unowned := self.inventory.wanted.unowned.intersection(kinds):
            rows = Object.objects.filter(NOBODYS, kind__in=unowned).order_by().values("pk")
            if rows[STEPS : STEPS + 1].exists():
                return True
            kinds = [kind for kind in kinds if kind not in unowned]
        sizes = Tally.objects.filter(kind__in=kinds).order_by().values_list("kind")
        return sizes.annotate(rows=Sum("n")).filter(rows__gt=STEPS).exists()

    def _through_groups(self, after: Sequence[Any]) -> list[Key] | None:
        """Group by group, as the tallies name them; None where that takes too long."""
        found: list[Key] = []
        looked_at = 0
        enough = self.need if self.inventory.wanted.tallied else LARGE_GROUP
        for batch in batches(self._groups(after), enough):
            if len(batch) == 1:
                found += self._in_group(batch[0], after)
            else:
                rows = self.inventory.objects().filter(within(batch, self.inventory))
                found += self._sorted(rows, after) or []
            if len(found) >= self.need:
                return found[: self.need]
            looked_at += sum(group.n for group in batch)
            if looked_at > STEPS and not self._exact(batch):
                return None
        return found

    def _exact(self, batch: list[Group]) -> bool:
        """Whether all matches of the groups were looked at."""
        return self.inventory.wanted.tallied and sum(group.n for group in batch) <= STEPS

    def _in_group(self, group: Group, after: Sequence[Any]) -> list[Key]:
        """The matches of a group, which stand in an index by name."""
        width = len(group.values)
        keys = self.order.keys[width:]
        rows = within([group], self.inventory)
        if tuple(after[:width]) == group.values:
            rows &= Q(self.order.after(keys, after[width:]))
        return [group.values + key for key in around(WALK, *self._walk(rows, keys))]

    def _walk(self, along: Q, keys: list[Any]) -> tuple[Rows, Rows]:
        """The steps along an index, which begins with what `along` names, and matches among them.

        For WALK. The steps are made one at a time, until enough of them match.
        """
        by = self.order.by(*keys)
        steps = Object.objects.filter(along).order_by(*by)[:STEPS]
        return steps, self.inventory.objects().order_by(*by).values_list(*keys)[: self.need]

    def _groups(self, after: Sequence[Any]) -> Iterator[Group]:
        keys = self.order.group_keys
        here = Q(self.order.after(keys, after[: len(keys)], here=True)) if after else Q()
        for rows in self._tallies(after):
            counted = (
                rows.filter(here)
                .order_by(*self.order.by(*keys))
                .values_list(*keys)
                .annotate(rows=Sum("n"))
            )
            for *values, n in counted:
                yield Group(self.order.groups, tuple(values), n)

    def _tallies(self, after: Sequence[Any]) -> Iterator[QuerySet[Tally]]:
        """What matches; where the cluster comes first, a few clusters at a time."""
        rows = self.inventory.tallies()
        if self.order.groups[0] != "cluster__name":
            yield rows
            return
        clusters = self.inventory.searched[:: -1 if self.order.down else 1]
        names = [cluster.name for cluster in clusters]
        start = names.index(after[0]) if after and after[0] in names else 0
        for first in range(start, len(clusters), CLUSTERS):
            some = [cluster.pk for cluster in clusters[first : first + CLUSTERS]]
            yield rows.filter(cluster__in=some)
