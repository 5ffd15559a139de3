"""The statements that write what a watcher saw, and the locks under which they do.

All of them work for rows of several clusters, whose locks the transaction has.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from clusters.kube.types import Row
from clusters.store import copying, namespaces


class LeaseLost(Exception):
    """Another watcher holds the cluster now: what this one saw must not be written."""


@dataclass(frozen=True)
class Fence:
    """The lease under which a watcher writes one cluster."""

    cluster_id: UUID
    owner: str
    epoch: int


# Cluster, kind, the row's id and its namespace.
Found = list[tuple[UUID, str, int, str]]
# Cluster, kind and uid.
Place = tuple[UUID, str, str]

_SHOWN = (
    "labels, owner_kind, owner_name, images, status, health, ready, wanted, restarts, node,"
    " created, cpu, memory, facts"
)


def _of(table: str, columns: str) -> str:
    return ", ".join(f"{table}.{column.strip()}" for column in columns.split(","))


# A list is the truth even where a restored cluster counts its versions from the past, and after an
# upgrade that reads more of each object; most of what it brings looks as before and is left alone.
_UPSERT = f"""
INSERT INTO clusters_object AS o (cluster_id, observed_at, {copying.COLUMNS})
SELECT cluster_id, now(), {copying.COLUMNS} FROM seen
ON CONFLICT (cluster_id, kind, uid) DO UPDATE SET
  observed_at = now(), resource_version = EXCLUDED.resource_version,
  ({_SHOWN}) = ROW({_of("EXCLUDED", _SHOWN)}),
  since = CASE WHEN o.status = EXCLUDED.status AND o.health = EXCLUDED.health THEN o.since
    WHEN EXCLUDED.since > EXCLUDED.created THEN EXCLUDED.since ELSE now() END
WHERE CASE WHEN EXCLUDED.kind = ANY(%s)
    THEN o.resource_version > EXCLUDED.resource_version
      OR ({_of("o", _SHOWN)}) IS DISTINCT FROM ({_of("EXCLUDED", _SHOWN)})
    ELSE o.resource_version < EXCLUDED.resource_version END
RETURNING cluster_id, kind, id, namespace
"""  # noqa: S608 - constant column names
_DELETE = """
DELETE FROM clusters_object AS o
USING unnest(%s::uuid[], %s::text[], %s::text[]) AS gone (cluster_id, kind, uid)
WHERE o.cluster_id = gone.cluster_id AND o.uid = gone.uid AND o.kind = gone.kind
RETURNING o.cluster_id, o.kind, id, namespace
"""
# PostgreSQL looks each stored row up in a hash of the list. Joined to a scratch table, without
# statistics on it, 10,000 rows took four seconds of nested loops.
_DELETE_UNLISTED = """
DELETE FROM clusters_object WHERE cluster_id = %s AND kind = %s AND uid <> ALL(%s::text[])
RETURNING cluster_id, kind, id, namespace
"""
# Nobody else writes the cluster meanwhile, not even who was stopped under the same lease and still
# writes; and who hangs (its machine does, or the network to it) lets go after a while.
_HOLD = """
SELECT pg_advisory_xact_lock(hashtextextended(cluster_id::text, 0)),
  set_config('idle_in_transaction_session_timeout', '10s', true)
FROM clusters_lease WHERE cluster_id = %s AND owner = %s AND epoch = %s FOR KEY SHARE
"""
# The same of many clusters, without waiting for any: neither for its locks nor, later, its rows.
_HOLD_FREE = """
WITH mine AS MATERIALIZED (
  SELECT lease.cluster_id FROM clusters_lease AS lease
  JOIN unnest(%s::uuid[], %s::text[], %s::bigint[]) AS mine (cluster_id, owner, epoch)
    ON lease.cluster_id = mine.cluster_id AND lease.owner = mine.owner
      AND lease.epoch = mine.epoch
  FOR KEY SHARE OF lease SKIP LOCKED
), settings AS MATERIALIZED (
  SELECT set_config('idle_in_transaction_session_timeout', '10s', true),
    set_config('lock_timeout', '500ms', true)
)
SELECT cluster_id FROM mine, settings
WHERE pg_try_advisory_xact_lock(hashtextextended(cluster_id::text, 0))
"""


def hold(cursor: Any, fence: Fence) -> None:
    """Keeps the lease from moving until the transaction ends; LeaseLost when it has moved.

    The lock lets the lease be renewed meanwhile, but not be taken: that asks FOR UPDATE.
    """
    cursor.execute(_HOLD, [fence.cluster_id, fence.owner, fence.epoch])
    if cursor.rowcount != 1:
        raise LeaseLost


def hold_free(cursor: Any, fences: Iterable[Fence]) -> set[UUID]:
    """As `hold`, for the clusters whose lease stands and that nobody else writes: these."""
    each = [(fence.cluster_id, fence.owner, fence.epoch) for fence in fences]
    cursor.execute(_HOLD_FREE, [list(column) for column in zip(*each, strict=True)])
    return {cluster_id for (cluster_id,) in cursor.fetchall()}


def upsert(cursor: Any, rows: Mapping[UUID, list[Row]], overruling: list[str]) -> Found:
    """Writes rows by cluster over older ones; of `overruling` kinds over any."""
    cursor.execute(copying.SCRATCH)
    copying.copy(cursor, rows)
    for cluster_id, seen in rows.items():
        if any(row.kind == "Namespace" for row in seen):
            namespaces.take(cursor, cluster_id)
    cursor.execute(_UPSERT, [overruling])
    return list(cursor.fetchall())


def delete(cursor: Any, gone: list[Place]) -> Found:
    """Deletes rows by cluster, kind and uid."""
    if not gone:
        return []
    cursor.execute(_DELETE, [list(column) for column in zip(*gone, strict=True)])
    return list(cursor.fetchall())


def delete_unlisted(cursor: Any, cluster_id: UUID, kind: str, whole: set[str]) -> Found:
    """Deletes the rows of a kind whose uid is not in the whole list."""
    cursor.execute(_DELETE_UNLISTED, [cluster_id, kind, list(whole)])
    return list(cursor.fetchall())
