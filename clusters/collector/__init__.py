"""Follows clusters: a collector for each, with a task for each kind of objects."""

from clusters.collector.cluster import CORE, Collector
from clusters.collector.database import run_in
from clusters.collector.reports import report_life, report_sealed
from clusters.collector.running import Shared, forever

__all__ = [
    "CORE", "Collector", "Shared", "forever", "report_life", "report_sealed", "run_in",
]  # fmt: skip
