"""The tables of clusters: the registry, what was seen, who watches."""

from clusters.models.choices import (
    CredentialKind,
    Environment,
    Freshness,
    IdentityMode,
    IdentityState,
    Status,
)
from clusters.models.leases import Lease, Watcher
from clusters.models.registry import LIVE_FOR, AsSeen, Cluster, Namespace, NamespacedRows
from clusters.models.seen import CustomResource, Image, KindState, Object, Tally
from clusters.models.usage import SCOPES, Capacity, PollDue, Scope, Usage, UsageHour

__all__ = [
    "LIVE_FOR", "SCOPES", "AsSeen", "Capacity", "Cluster", "CredentialKind", "CustomResource",
    "Environment", "Freshness", "IdentityMode", "IdentityState", "Image", "KindState", "Lease",
    "Namespace", "NamespacedRows", "Object", "PollDue", "Scope", "Status", "Tally", "Usage",
    "UsageHour", "Watcher",
]  # fmt: skip
