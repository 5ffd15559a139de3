"""How full clusters are: used over requested over what there is, as the pages show it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from clusters.models import Cluster, Object
from clusters.models.usage import Capacity
from teams import access
from teams.access import Who

# Figures of use that are older are no present use. Polls come every 30 s.
FRESH_FOR = timedelta(minutes=5)


@dataclass(frozen=True)
class Share:
    """Amounts of one resource in its unit (millicores or MiB); `used` is None when not known."""

    used: int | None
    requested: int
    allocatable: int

    @property
    def used_percent(self) -> int | None:
        return None if self.used is None else self._percent(self.used)

    @property
    def requested_percent(self) -> int | None:
        return self._percent(self.requested)

    def _percent(self, amount: int) -> int | None:
        return round(100 * amount / self.allocatable) if self.allocatable > 0 else None

    @property
    def order(self) -> tuple[int, int]:
        """How full, to sort by: use first; what is not known stands below the smallest."""
        used, requested = self.used_percent, self.requested_percent
        return -1 if used is None else used, -1 if requested is None else requested

    @property
    def used_width(self) -> int:
        """The length of the bar, which ends at its frame however far use goes."""
        return min(100, self.used_percent or 0)

    @property
    def requested_width(self) -> int:
        return min(100, self.requested_percent or 0)

    def __add__(self, other: "Share") -> "Share":
        used = None if self.used is None or other.used is None else self.used + other.used
        total = self.allocatable + other.allocatable
        return Share(used, self.requested + other.requested, total)


NOTHING = Share(0, 0, 0)


@dataclass(frozen=True)
class Full:
    """CPU and memory of a cluster, a node, or a namespace."""

    cpu: Share
    memory: Share


@dataclass(frozen=True)
class FleetUse:
    """The sum over the clusters that were measured; the others are counted, not guessed."""

    cpu: Share
    memory: Share
    measured: int
    without_use: int


def of(capacity: Capacity) -> Full:
    """What the last poll found; use that was measured too long ago is not known."""
    fresh = timezone.now() - capacity.sampled_at < FRESH_FOR
    cpu_used = capacity.cpu_used if fresh else None
    memory_used = capacity.memory_used if fresh else None
    return Full(
        Share(cpu_used, capacity.cpu_requested, capacity.cpu_allocatable),
        Share(memory_used, capacity.memory_requested, capacity.memory_allocatable),
    )


def by_cluster(cluster_ids: Iterable[UUID]) -> dict[UUID, Full]:
    """Of each cluster that was polled; ask only for those that the person sees as a whole."""
    rows = Capacity.objects.filter(cluster__in=list(cluster_ids))
    return {row.cluster_id: of(row) for row in rows}


def fleet(found: dict[UUID, Full]) -> FleetUse:
    """Adds clusters up; use and requests only of those whose use is known, so shares compare."""
    known = [each for each in found.values() if each.cpu.used is not None]
    every = known or list(found.values())
    cpu = sum((each.cpu for each in every), NOTHING)
    memory = sum((each.memory for each in every), NOTHING)
    return FleetUse(cpu, memory, len(every), len(found) - len(known))


@dataclass(frozen=True)
class Asked:
    """What pods that are not over request together, and how many they are."""

    cpu: int = 0
    memory: int = 0
    pods: int = 0


def asked_by(who: Who, cluster: Cluster, field: str) -> dict[str, Asked]:
    """The requests of a cluster's pods, summed by their `node` or `namespace`, in one query.

    It reads every pod of the cluster: for one cluster's page, not for the fleet.
    """
    rows: QuerySet[Object] = access.visible(who, Object).filter(cluster=cluster, kind="Pod")
    rows = rows.exclude(health="idle").exclude(node="") if field == "node" else rows.exclude(
        health="idle"
    )  # fmt: skip
    sums = rows.order_by().values_list(field).annotate(Sum("cpu"), Sum("memory"), Count("pk"))
    return {name: Asked(int(cpu), int(memory), pods) for name, cpu, memory, pods in sums}
