"""The namespaces that grants are given on, kept after what the watcher has seen of them."""

from typing import Any
from uuid import UUID

from clusters.models import Namespace
from teams import audit
from teams import services as teams

_REPLACED = """
SELECT n.id FROM clusters_namespace AS n JOIN seen
  ON seen.cluster_id = n.cluster_id AND seen.kind = 'Namespace' AND seen.name = n.name
WHERE n.cluster_id = %s AND n.uid NOT IN ('', seen.uid)
"""
_TAKE = """
INSERT INTO clusters_namespace AS n (cluster_id, name, uid)
SELECT cluster_id, name, uid FROM seen WHERE cluster_id = %s AND kind = 'Namespace'
ON CONFLICT (cluster_id, name) DO UPDATE SET uid = EXCLUDED.uid WHERE n.uid <> EXCLUDED.uid
"""


def take(cursor: Any, cluster_id: UUID) -> None:
    """Takes over a cluster's namespaces in the scratch table `seen`, inside its transaction.

    A namespace that was deleted and made again is another one: the grants on the old one go.
    """
    cursor.execute(_REPLACED, [cluster_id])
    for namespace in Namespace.objects.filter(pk__in=[row[0] for row in cursor.fetchall()]):
        teams.forget_scope(namespace)
        audit.record(None, "namespace.replaced", namespace)
    cursor.execute(_TAKE, [cluster_id])
