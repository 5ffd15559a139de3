"""Whether an order can be had: one that no index has is offered for a bounded number of rows."""

from dataclasses import replace

from django.utils.translation import gettext as _

from clusters.store.plain import around
from explorer.filters.counts import Counts
from explorer.filters.inventory import Inventory
from explorer.filters.ordering import Order

# So many matches are gathered and sorted by anything within a moment; a million take seconds.
MOST_SORTED = 10_000

_COUNT = "SELECT count(*) FROM ({}) AS matches"
_SUM = "SELECT coalesce(sum(n), 0) FROM ({}) AS tallies"


def settle(inventory: Inventory, begins: str, counted: Counts | None = None) -> None:
    """Turns the filter to the order in which the list `begins` where the one that it asks for
    cannot be had, and notes why; the sooner if the matches were `counted` before.
    """
    wanted = inventory.wanted
    if Order.named(wanted.sort).indexed or _are_few(inventory, counted):
        return
    text = _(
        "More than %(most)d rows match, too many for this order. Narrow the list with a filter."
    )
    problems = wanted.problems | {"sort": [text % {"most": MOST_SORTED}]}
    inventory.wanted = replace(wanted, sort=begins, cursor="", problems=problems)


def _are_few(inventory: Inventory, counted: Counts | None) -> bool:
    if counted is not None:
        return counted.exact and counted.total <= MOST_SORTED
    if inventory.wanted.tallied:
        tallies = inventory.tallies().order_by().values_list("n")
        return sum(int(n) for (n,) in around(_SUM, tallies)) <= MOST_SORTED
    matches = inventory.objects().order_by().values("pk")[: MOST_SORTED + 1]
    return sum(int(n) for (n,) in around(_COUNT, matches)) <= MOST_SORTED
