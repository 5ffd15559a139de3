"""What is found out about a cluster as a whole: stored, and told to the pages when it is news."""

from collections.abc import Mapping
from uuid import UUID

from clusters import live, vault
from clusters.models import Status
from clusters.store import health
from clusters.store.rows import Fence


def _tell(cluster_id: UUID) -> None:
    live.publish("clusters", cluster_id, [(str(cluster_id), None)])


def report_status(cluster_id: UUID, status: Status, reason: str) -> None:
    """The status of a cluster, and why."""
    if health.record_status(cluster_id, status, reason):
        _tell(cluster_id)


def report_sealed(cluster_id: UUID, error: vault.CannotOpen) -> None:
    """Nothing can be asked of the cluster, since its credentials do not open."""
    report_status(cluster_id, Status.DEGRADED, str(error))


def report_answer(cluster_id: UUID, complaint: str) -> None:
    """A probe was answered after `complaint`."""
    if health.record_answer(cluster_id, complaint):
        _tell(cluster_id)


def report_life(cluster_ids: list[UUID]) -> None:
    """The clusters are live."""
    for cluster_id in health.saw(cluster_ids):
        _tell(cluster_id)


def report_kinds(fence: Fence, entered: Mapping[str, health.Standing]) -> None:
    """How the watches of some kinds stand now; LeaseLost when that is another watcher's to say."""
    if health.record_kinds(fence, entered):
        _tell(fence.cluster_id)
