"""MCM's own figures for Prometheus, read from the database at each scrape. No names of clusters."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from clusters.models import Cluster
from operations.models import ACTIVE, Operation


class FleetCollector(Collector):
    def describe(self) -> list[Metric]:
        """Nothing: so that registering asks no database."""
        return []

    def collect(self) -> Iterator[Metric]:
        clusters = list(Cluster.objects.defer("sealed_connection"))
        yield _gauge("status", "by the last poll", Counter(row.status for row in clusters))
        yield _gauge("freshness", "by the watch", Counter(str(row.freshness) for row in clusters))
        active = GaugeMetricFamily(
            "mcm_operations_active", "Operations that are queued or running.", labels=["status"]
        )
        statuses = Operation.objects.filter(status__in=ACTIVE).values_list("status", flat=True)
        for status, n in Counter(statuses).items():
            active.add_metric([status], n)
        yield active


def _gauge(what: str, how: str, counts: Counter[str]) -> Metric:
    family = GaugeMetricFamily(
        f"mcm_clusters_{what}", f"Registered clusters, {how}.", labels=[what]
    )
    for word, n in counts.items():
        family.add_metric([word], n)
    return family


def register() -> None:
    REGISTRY.register(FleetCollector())
