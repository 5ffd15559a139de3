"""Which clusters are to be polled, and what a poll found."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from clusters.kube import errors
from clusters.kube.poll import Found
from clusters.models import Cluster, Status
from clusters.store import health, usage
from clusters.store.usage import Sample

# Each cluster has its own moment in the period, given by its id, so polls are spread evenly and
# stay so: a random pause would let them drift together, and make intervals of 0 to 2 periods. Who
# was late is not polled again within half a period.
_TAKE = """
INSERT INTO clusters_polldue AS p (cluster_id, due)
SELECT id, to_timestamp(ceil((at.least - at.phase) / %(period)s) * %(period)s + at.phase)
FROM clusters_cluster, LATERAL (SELECT extract(epoch FROM now()) + %(period)s / 2 AS least,
  ('x' || left(id::text, 4))::bit(16)::int / 65536.0 * %(period)s AS phase) AS at
WHERE NOT EXISTS (
  SELECT FROM clusters_polldue
  WHERE cluster_id = clusters_cluster.id
  AND due > now() AND due < now() + make_interval(secs => %(most)s)
)
ORDER BY id
ON CONFLICT (cluster_id) DO UPDATE SET due = EXCLUDED.due
WHERE NOT (p.due > now() AND p.due < now() + make_interval(secs => %(most)s))
RETURNING cluster_id
"""
# A pod that is over requests nothing any more. Its phase is not stored: it is over when its word
# says so, when it has a reason of its own (Evicted, …), or when a container failed and nothing
# starts it again; the last also holds for the moment before one that crashed is started again.
_CAPACITY = """
INSERT INTO clusters_capacity (cluster_id, cpu_used, memory_used, pods, cpu_requested,
  memory_requested, cpu_allocatable, memory_allocatable, sampled_at)
SELECT %(cluster)s, %(cpu)s, %(memory)s, count(*) FILTER (WHERE placed),
  coalesce(sum(cpu) FILTER (WHERE placed), 0), coalesce(sum(memory) FILTER (WHERE placed), 0),
  coalesce(sum(cpu) FILTER (WHERE kind = 'Node'), 0),
  coalesce(sum(memory) FILTER (WHERE kind = 'Node'), 0), now()
FROM (
  SELECT kind, cpu, memory, kind = 'Pod' AND node <> '' AND health <> 'idle'
    AND NOT facts ? 'reason' AND status <> ALL(%(over)s) AS placed
  FROM clusters_object WHERE cluster_id = %(cluster)s AND kind IN ('Node', 'Pod')
) AS seen
ON CONFLICT (cluster_id) DO UPDATE SET
  cpu_used = EXCLUDED.cpu_used, memory_used = EXCLUDED.memory_used, pods = EXCLUDED.pods,
  cpu_requested = EXCLUDED.cpu_requested, memory_requested = EXCLUDED.memory_requested,
  cpu_allocatable = EXCLUDED.cpu_allocatable, memory_allocatable = EXCLUDED.memory_allocatable,
  sampled_at = EXCLUDED.sampled_at
"""
_OVER = ["Error", "OOMKilled", "ContainerStatusUnknown", "StartError"]


def take_due(period: float) -> list[UUID]:
    """The clusters whose poll is due, each given to one caller only; `period` in seconds.

    After a pause of any length each is due once.
    """
    with connection.cursor() as cursor:
        # What is further ahead comes from a clock that jumped or from another setting.
        cursor.execute(_TAKE, {"period": period, "most": 2 * period})
        return [row[0] for row in cursor.fetchall()]


def record_failure(cluster_id: UUID, error: errors.KubeError) -> bool:
    """Stores that a poll failed; True when something that pages show has changed."""
    Cluster.objects.filter(pk=cluster_id).update(polled_at=Now(), latency_ms=None)
    return health.record_status(cluster_id, health.status_of(error), str(error))


@transaction.atomic
def record(cluster_id: UUID, found: Found) -> bool:
    """Stores what a poll found; True when something that pages show has changed.

    Latency and use change with every poll and are not meant: see `record_samples`.
    """
    facts: dict[str, Any] = {
        "version": found.version,
        "certificate_expires": found.certificate_expires,
        "credential_expires": found.credential_expires,
        "has_metrics": not found.metrics_reason,
        "metrics_reason": found.metrics_reason,
    }
    if found.node_count is not None:
        facts["node_count"] = found.node_count
    rows = Cluster.objects.filter(pk=cluster_id)
    before = rows.values(*facts).first()
    rows.update(polled_at=Now(), latency_ms=found.latency_ms, **facts)
    return health.record_status(cluster_id, Status.ACTIVE, "") or before != facts


@transaction.atomic
def record_samples(cluster_id: UUID, found: Found, at: datetime | None = None) -> None:
    """Stores what is used, now and as samples; what is requested and given comes from the rows."""
    used = None if found.metrics_reason else _total(found)
    cpu, memory = used or (None, None)
    values = {"cluster": cluster_id, "cpu": cpu, "memory": memory, "over": _OVER}
    with connection.cursor() as cursor:
        cursor.execute(_CAPACITY, values)
    if not found.metrics_reason:
        usage.write(cluster_id, _samples(found), at)


def _total(found: Found) -> tuple[int, int]:
    return sum(each.cpu for each in found.nodes), sum(each.memory for each in found.nodes)


def _samples(found: Found) -> Iterator[Sample]:
    yield Sample("cluster", "", "", *_total(found))
    cpu, memory = Counter[str](), Counter[str]()
    for node in found.nodes:
        yield Sample("node", "", node.name, node.cpu, node.memory)
    for pod in found.pods:
        cpu[pod.namespace] += pod.cpu
        memory[pod.namespace] += pod.memory
        yield Sample("pod", pod.namespace, pod.name, pod.cpu, pod.memory)
    for namespace in cpu:
        yield Sample("namespace", namespace, "", cpu[namespace], memory[namespace])
