"""The tables of clusters: the registry, what was seen, who watches."""

from clusters.models.leases import Lease, Watcher
from clusters.models.registry import (
    LIVE_FOR,
    Cluster,
    CredentialKind,
    Environment,
    Freshness,
    Namespace,
    NamespacedRows,
    Status,
)
from clusters.models.seen import CustomResource, KindState, Object, Tally

__all__ = [
    "LIVE_FOR", "Cluster", "CredentialKind", "CustomResource", "Environment", "Freshness",
    "KindState", "Lease", "Namespace", "NamespacedRows", "Object", "Status", "Tally", "Watcher",
]  # fmt: skip
